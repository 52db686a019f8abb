//! Which container of a task is the sidecar, ours or one that ours replaces, and which are the application's.

use std::collections::BTreeSet;

use super::json::Json;
use super::read::containers;

/// What our container is called where nothing else is said.
pub(super) const NAME: &str = "meshwright";
pub(super) const XDS: &str = "MESHWRIGHT_XDS";
pub(super) const NODE: &str = "MESHWRIGHT_NODE";
/// What bent's sidecar is told in place of [`XDS`]; ours takes it too.
pub(super) const BENT_XDS: &str = "ENVOY_XDS_HOST";

/// Whose sidecar a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ours,
    /// App Mesh's Envoy, bent's, or whatever else connections are redirected to.
    Foreign,
}

/// The place of the sidecar among the containers.
pub(super) fn find(definition: &Json) -> Option<(usize, Kind)> {
    let all = containers(definition);
    let position = |is: &dyn Fn(&Json) -> bool| all.iter().position(is);
    if let Some(ours) = position(&is_ours) {
        return Some((ours, Kind::Ours));
    }
    let named = definition.get("proxyConfiguration").and_then(|proxy| proxy.text_of("containerName"));
    let named = named.and_then(|name| position(&|container| container.text_of("name") == Some(name)));
    named.or_else(|| position(&is_app_mesh)).or_else(|| position(&is_bent)).map(|foreign| (foreign, Kind::Foreign))
}

/// By its variables, or by its command: those of bent's users say where the control plane is in bent's words.
pub(super) fn is_ours(container: &Json) -> bool {
    let command = container.list_of("command").first().and_then(Json::as_text);
    command == Some("sidecar") || variable(container, NODE).is_some() || variable(container, XDS).is_some()
}

/// App Mesh's Envoy, by its image or its variables.
pub(super) fn is_app_mesh(container: &Json) -> bool {
    let image = container.text_of("image").unwrap_or("");
    image.contains("aws-appmesh-envoy")
        || ["APPMESH_RESOURCE_ARN", "APPMESH_VIRTUAL_NODE_NAME"].iter().any(|it| variable(container, it).is_some())
}

/// bent's Envoy, by its variables.
pub(super) fn is_bent(container: &Json) -> bool {
    variable(container, BENT_XDS).is_some()
}

/// A variable of a container, whatever its value is.
pub(super) fn variable<'j>(container: &'j Json, name: &str) -> Option<&'j Json> {
    container.list_of("environment").iter().find(|pair| pair.text_of("name") == Some(name))
}

/// Whether a variable comes out of a secret store.
pub(super) fn is_secret(container: &Json, name: &str) -> bool {
    container.list_of("secrets").iter().any(|pair| pair.text_of("name") == Some(name))
}

/// Containers that may only start after others, and so must not be waited for by them: whatever `name` waits for,
/// however indirectly.
pub(super) fn waited_for(definition: &Json, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let container = containers(definition).iter().find(|it| it.text_of("name") == Some(&name));
        let next = container.into_iter().flat_map(|it| it.list_of("dependsOn"));
        for other in next.filter_map(|it| it.text_of("containerName")) {
            if found.insert(other.to_owned()) {
                open.push(other.to_owned());
            }
        }
    }
    found
}

/// Sends the logs of the others on: ECS starts it before whatever logs through it.
pub(super) fn is_log_router(container: &Json) -> bool {
    container.get("firelensConfiguration").is_some()
}

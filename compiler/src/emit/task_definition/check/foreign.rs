//! Other meshes in the same task.

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::sidecar::is_app_mesh;
use super::{Task, name, place};

const CODE: spec::Code = codes::FOREIGN_PROXY;

/// What an image's name holds, and what it is of.
const IMAGES: [(&str, &str); 8] = [
    ("aws-appmesh-envoy", "App Mesh"),
    ("ecs-service-connect-agent", "ECS Service Connect"),
    ("consul-dataplane", "Consul"),
    ("consul-ecs", "Consul"),
    ("istio/proxyv2", "Istio"),
    ("linkerd/proxy", "Linkerd"),
    ("kuma-dp", "Kuma"),
    ("envoyproxy/envoy", "another mesh, perhaps"),
];

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    for container in &task.applications {
        let image = container.text_of("image").unwrap_or("");
        let known = IMAGES.iter().find(|(part, _)| image.contains(part)).map(|(_, of)| *of);
        if let Some(of) = known.or(is_app_mesh(container).then_some("App Mesh")) {
            let message = format!("container `{}` is a proxy of {of}, beside the sidecar", quote(name(container)));
            diagnostics.push(
                Diagnostic::of(CODE, place(container, "image"), message)
                    .help("delete it: two proxies take each other's connections and ports"),
            );
        }
    }
    for container in task.applications.iter().copied().chain(task.sidecar) {
        for protocol in container.list_of("portMappings").iter().filter_map(|mapping| mapping.get("appProtocol")) {
            let message = "`appProtocol` is for ECS Service Connect, whose proxy would stand before the sidecar";
            diagnostics.push(
                Diagnostic::note(CODE, protocol.span, message)
                    .help("leave `serviceConnectConfiguration` out of the ECS service"),
            );
        }
    }
}

//! What containers of the application need: the sidecar before them, and a way to it for what they call.

use spec::{Diagnostic, Diagnostics, codes};

use super::super::json::Json;
use super::super::read::containers;
use super::super::sidecar::{is_ours, is_secret, variable};
use super::super::wanted::Wanted;
use super::{Network, set_variable};
use crate::lower::EGRESS_PORT;

/// Programs read one or the other.
const PROXY: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
pub(in super::super) const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// Credentials of tasks and of instances, and the task itself.
const DIRECT: &str = "169.254.170.2,169.254.169.254,localhost,127.0.0.1";

/// It starts once the sidecar is ready, and calls through it.
pub(super) fn connect(container: &mut Json, sidecar: &str, wanted: &Wanted, network: Network) {
    let at = container.span;
    if let Some(after) = container.list_mut("dependsOn") {
        let condition = || Json::text("HEALTHY", at);
        match after.iter_mut().find(|it| it.text_of("containerName") == Some(sidecar)) {
            Some(dependency) => dependency.set("condition", condition()),
            None => after.push(Json::map([("containerName", Json::text(sidecar, at)), ("condition", condition())], at)),
        }
    }
    if wanted.is_gateway {
        return;
    }
    if network == Network::Bridge {
        if let Some(links) = container.list_mut("links")
            && !links.iter().filter_map(Json::as_text).any(|link| link.split(':').next() == Some(sidecar))
        {
            links.push(Json::text(sidecar, at));
        }
    } else if wanted.interception.is_none() && wanted.calls_by_name {
        let proxy = format!("http://127.0.0.1:{EGRESS_PORT}");
        for (names, value) in [(PROXY, proxy.as_str()), (NO_PROXY, DIRECT)] {
            // Who says one spelling means both.
            let said = names.iter().find_map(|name| variable(container, name)?.text_of("value"));
            let value = &said.unwrap_or(value).to_owned();
            for name in names {
                if variable(container, name).is_none() && !is_secret(container, name) {
                    set_variable(container, name, value, at);
                }
            }
        }
    }
}

/// What nobody but the user can put right.
pub(super) fn remarks(definition: &Json, wanted: &Wanted, network: Network, diagnostics: &mut Diagnostics) {
    if network == Network::Bridge && !wanted.is_gateway {
        behind_a_bridge(definition, wanted, diagnostics);
    }
}

/// Containers behind a bridge have a loopback each.
pub(in super::super) fn behind_a_bridge(definition: &Json, wanted: &Wanted, diagnostics: &mut Diagnostics) {
    let Some(sidecar) = containers(definition).iter().find(|it| is_ours(it)).and_then(|it| it.text_of("name")) else {
        return;
    };
    let local = wanted.local_on_loopback.iter().map(|port| format!("`local-port {port}`"));
    let unreachable: Vec<String> =
        wanted.calls_by_name.then(|| format!("port {EGRESS_PORT}")).into_iter().chain(local).collect();
    if unreachable.is_empty() {
        return;
    }
    let message = format!(
        "in network mode `bridge` the application does not reach the sidecar at {}: on the sidecar's own loopback",
        unreachable.join(", ")
    );
    diagnostics.push(
        Diagnostic::warning(codes::TASK_NETWORK, definition.span_of("networkMode"), message)
            .help(format!(
                "give each call of node `{}` a `local-port` with `local-address \"0.0.0.0\"`, and call `http://{sidecar}:PORT`",
                wanted.name
            ))
            .help("or use network mode `awsvpc`, where containers share one loopback"),
    );
}

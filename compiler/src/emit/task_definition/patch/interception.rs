//! `proxyConfiguration`: ECS redirects a task's connections to the sidecar.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ProxyConfiguration.html>

use spec::{Diagnostic, Diagnostics, Span, codes};

use super::super::json::Json;
use super::super::wanted::{Interception, Wanted};
use super::Network;

/// Sets it as the mesh says; what the mesh does not say of it stays.
pub(super) fn set(
    definition: &mut Json,
    sidecar: &str,
    wanted: &Wanted,
    network: Network,
    diagnostics: &mut Diagnostics,
) {
    let Some(interception) = &wanted.interception else {
        unexpected(definition, wanted, diagnostics);
        return;
    };
    if network != Network::Awsvpc {
        diagnostics.push(needs_awsvpc(definition, wanted));
        return;
    }
    let at = Span { end: definition.span.start, ..definition.span };
    if definition.get("proxyConfiguration").is_none() {
        definition.set("proxyConfiguration", Json::map([("type", Json::text("APPMESH", at))], at));
    }
    let Some(proxy) = definition.get_mut("proxyConfiguration") else { return };
    proxy.set("type", Json::text("APPMESH", at));
    proxy.set("containerName", Json::text(sidecar, at));
    let Some(said) = proxy.list_mut("properties") else { return };
    for (name, value) in properties(interception, wanted.user) {
        match said.iter_mut().find(|it| it.text_of("name") == Some(name)) {
            // An empty value stands for none.
            Some(property) if !(value.is_empty() && name == "AppPorts") => property.set("value", Json::text(value, at)),
            None if !value.is_empty() => {
                said.push(Json::map([("name", Json::text(name, at)), ("value", Json::text(value, at))], at));
            }
            _ => {}
        }
    }
    // A port that is left out of a mesh is not left alone any more; ECS takes no empty value.
    said.retain(|it| !(it.text_of("name") == Some("EgressIgnoredPorts") && it.text_of("value") == Some("")));
    if !said.iter().any(|it| it.text_of("name") == Some("AppPorts")) && !wanted.serves.is_empty() {
        let message = format!("the mesh does not say on which ports callers dial what `{}` serves", wanted.name);
        let diagnostic = Diagnostic::error(codes::TASK_INTERCEPTION, at, message);
        diagnostics.push(diagnostic.help("say `port=` in the service's `ecs`, or give it an endpoint"));
    }
}

/// Names and values as ECS has them. `AppPorts` may be empty: then only what runs can tell.
pub(in super::super) fn properties(interception: &Interception, user: u32) -> [(&'static str, String); 6] {
    let ports: Vec<String> = interception.application.iter().map(ToString::to_string).collect();
    [
        ("IgnoredUID", user.to_string()),
        ("ProxyIngressPort", interception.inbound.to_string()),
        ("ProxyEgressPort", interception.outbound.to_string()),
        ("AppPorts", ports.join(",")),
        ("EgressIgnoredIPs", interception.ignored_networks.clone()),
        ("EgressIgnoredPorts", interception.ignored_ports.clone()),
    ]
}

pub(in super::super) fn needs_awsvpc(definition: &Json, wanted: &Wanted) -> Diagnostic {
    let message = format!(
        "ECS takes connections in network mode `awsvpc` only, and node `{}` says `transparent-proxy`",
        wanted.name
    );
    Diagnostic::error(codes::TASK_INTERCEPTION, definition.span_of("networkMode"), message)
        .help("write `\"networkMode\": \"awsvpc\"`")
        .help("or delete `transparent-proxy`: then applications call through `HTTP_PROXY` or a `local-port`")
}

/// Connections that arrive where nothing listens.
pub(in super::super) fn unexpected(definition: &Json, wanted: &Wanted, diagnostics: &mut Diagnostics) {
    let Some(proxy) = definition.get("proxyConfiguration") else { return };
    let at = Span { end: proxy.span.start, ..proxy.span };
    let (what, help) = match wanted.is_gateway {
        true => ("gateway", "delete `proxyConfiguration`: a gateway's callers dial its ports".to_owned()),
        false => ("node", format!("say `transparent-proxy` in node `{}`, or delete `proxyConfiguration`", wanted.name)),
    };
    let message = format!("the task's connections are taken, and {what} `{}` does not expect it", wanted.name);
    diagnostics.push(Diagnostic::error(codes::TASK_INTERCEPTION, at, message).help(help));
}

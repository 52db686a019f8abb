//! App Mesh's Envoy becomes ours, in its place: under its name, with its memory, its logs and whatever waits for it.

use spec::{Diagnostic, Diagnostics, codes};

use super::super::json::{Data, Json};

/// Variables of App Mesh's image: they mean nothing to ours.
const PREFIXES: [&str; 4] = ["APPMESH_", "APPNET_", "ENABLE_ENVOY_", "ENVOY_"];
const OTHERS: [&str; 12] = [
    "XRAY_DAEMON_PORT",
    "XRAY_SAMPLING_RATE",
    "STATSD_ADDRESS",
    "STATSD_PORT",
    "STATSD_SOCKET_PATH",
    "DATADOG_TRACER_ADDRESS",
    "DATADOG_TRACER_PORT",
    "JAEGER_TRACER_ADDRESS",
    "JAEGER_TRACER_PORT",
    "LISTENER_DRAIN_WAIT_TIME_S",
    "HC_DISCONNECTED_TIMEOUT_S",
    "HC_POLL_INTERVAL_S",
];
/// What the mesh says instead, where it is wanted.
const MEANT: [(&str, &str); 6] = [
    ("ENABLE_ENVOY_XRAY_TRACING", "tracing"),
    ("ENABLE_ENVOY_DATADOG_TRACING", "tracing"),
    ("ENABLE_ENVOY_JAEGER_TRACING", "tracing"),
    ("ENABLE_ENVOY_DOG_STATSD", "stats"),
    ("ENVOY_TRACING_CFG_FILE", "tracing"),
    ("ENVOY_STATS_SINKS_CFG_FILE", "stats"),
];

pub(super) fn take_over(container: &mut Json, diagnostics: &mut Diagnostics) {
    // How it is started, and how its health is found out, is of its image.
    for key in ["entryPoint", "command", "healthCheck"] {
        container.remove(key);
    }
    let Some(Data::List(environment)) = container.get_mut("environment").map(|it| &mut it.data) else { return };
    environment.retain(|pair| {
        let Some(name) = pair.text_of("name") else { return true };
        if let Some((_, block)) = MEANT.iter().find(|(known, _)| *known == name) {
            let message = format!("`{name}` means nothing to the sidecar, and is left out");
            let diagnostic = Diagnostic::warning(codes::NOT_MAPPED, pair.span, message);
            diagnostics.push(diagnostic.help(format!("say `{block}` in the node, or in `defaults`")));
        }
        !(OTHERS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    });
}

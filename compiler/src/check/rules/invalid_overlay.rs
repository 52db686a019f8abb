//! An overlay is JSON that Envoy reads as the message it is merged into.

use envoy::{NotReadable, read_json};
use spec::mesh::{OverlaySource, OverlayTarget};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for overlay in everywhere::overlays(mesh) {
        let OverlaySource::Json(json) = &overlay.source.value else { continue };
        let message = message_of(overlay.target.value);
        let Err(NotReadable { line, reason }) = read_json(message, json) else { continue };
        let place = if json.contains('\n') { format!("line {line} of it: ") } else { String::new() };
        diagnostics.push(
            Diagnostic::error(
                codes::INVALID_OVERLAY,
                overlay.source.span,
                format!("Envoy reads no `{message}` from this"),
            )
            .label(format!("{place}{}", spec::diagnostic::quote(&reason)))
            .related(overlay.target.span, "what is changed")
            .help("write the fields of that message in JSON, as Envoy's manual names them"),
        );
    }
}

fn message_of(target: OverlayTarget) -> &'static str {
    match target {
        OverlayTarget::Bootstrap => "envoy.config.bootstrap.v3.Bootstrap",
        OverlayTarget::Listener => "envoy.config.listener.v3.Listener",
        OverlayTarget::HttpConnectionManager => {
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        }
        OverlayTarget::RouteConfiguration => "envoy.config.route.v3.RouteConfiguration",
        OverlayTarget::Cluster => "envoy.config.cluster.v3.Cluster",
    }
}

//! Spans go somewhere.

use spec::mesh::TracingProvider;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for tracing in everywhere::tracings(mesh).filter(|tracing| tracing.address.is_none()) {
        let usual = match tracing.provider.value {
            TracingProvider::Off => continue,
            TracingProvider::Otlp => "collector.local:4317",
            TracingProvider::Zipkin => "zipkin.local:9411",
            TracingProvider::Xray => "127.0.0.1:2000",
            TracingProvider::Datadog => "127.0.0.1:8126",
        };
        diagnostics.push(
            Diagnostic::error(codes::TRACING_ADDRESS, tracing.provider.span, "spans are sent nowhere")
                .label("tracing needs a collector")
                .help(format!("add `address`, as in `address=\"{usual}\"`")),
        );
    }
}

//! What is told by single datagrams goes to an IP address: Envoy looks up no names for it.

use std::net::IpAddr;

use spec::mesh::{HostPort, SinkServer, TracingProvider};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let sinks = everywhere::stats(mesh).flat_map(|stats| &stats.sinks);
    for sink in sinks {
        match &sink.server.value {
            SinkServer::Statsd(at) => named("statsd", at, sink.server.span, diagnostics),
            SinkServer::DogStatsd(at) => named("dog-statsd", at, sink.server.span, diagnostics),
            SinkServer::Otlp(_) => {}
        }
    }
    let daemons = everywhere::tracings(mesh).filter(|tracing| tracing.provider.value == TracingProvider::Xray);
    for address in daemons.filter_map(|tracing| tracing.address.as_ref()) {
        named("xray", &address.value, address.span, diagnostics);
    }
}

fn named(what: &str, at: &HostPort, span: Span, diagnostics: &mut Diagnostics) {
    if at.host.parse::<IpAddr>().is_ok() {
        return;
    }
    diagnostics.push(
        Diagnostic::error(codes::INVALID_ADDRESS, span, format!("`{what}` needs an IP address"))
            .label(format!("`{}` is a name", at.host))
            .help("write the address; an agent beside the sidecar is at `127.0.0.1`"),
    );
}

//! What services speak.

use spec::mesh::{Protocol, Service};
use spec::{Mesh, Name};

use super::super::tables::Tables;

/// What a service says, else HTTP.
pub(super) fn of(service: &Service) -> Protocol {
    service.protocol.as_ref().map_or(Protocol::Http, |protocol| protocol.value)
}

/// The service of this name, if there is one.
pub(super) fn service<'a>(mesh: &'a Mesh, tables: &Tables, name: &Name) -> Option<&'a Service> {
    tables.find_service(name).and_then(|id| mesh.services.get(id.index()))
}

/// As the language says it.
pub(super) fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http => "http",
        Protocol::Http2 => "http2",
        Protocol::Grpc => "grpc",
        Protocol::Tcp => "tcp",
    }
}

//! A gateway must not listen on a port that its own Envoy needs.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use crate::lower::{ADMIN_PORT, PROMETHEUS_PORT};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for listener in mesh.gateways.iter().flat_map(|gateway| &gateway.listen) {
        let taken_by = match listener.port.value {
            ADMIN_PORT => "Envoy's administration",
            PROMETHEUS_PORT => "the metrics listener",
            _ => continue,
        };
        let message = format!("port {} is taken by {taken_by}", listener.port.value);
        diagnostics.push(
            Diagnostic::error(codes::PORT_CONFLICT, listener.port.span, message)
                .label("the gateway could not listen here")
                .help("choose another port"),
        );
    }
}

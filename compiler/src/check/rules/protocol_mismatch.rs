//! What is said of a service must fit what it speaks: `tcp` has no requests, gRPC needs HTTP/2, a listener its own form.

mod gateways;
mod grpc;
mod policies;
mod targets;

use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    policies::check(mesh, tables, diagnostics);
    targets::check(mesh, tables, diagnostics);
    grpc::check(mesh, tables, diagnostics);
    gateways::check(mesh, tables, diagnostics);
}

fn mismatch(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::PROTOCOL_MISMATCH, span, message)
}

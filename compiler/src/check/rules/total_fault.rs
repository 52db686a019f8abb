//! A fault that hits every request leaves nothing that works.

use spec::mesh::Fault;
use spec::units::Percent;
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;

const ALL: u32 = 1_000_000;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().filter_map(|service| service.fault.as_deref());
    let serves = mesh.nodes.iter().flat_map(|node| &node.serves).filter_map(|serve| serve.fault.as_ref());
    // Whoever names headers chose the requests.
    for fault in services.chain(serves).filter(|fault| fault.headers.is_empty()) {
        for (what, percent) in shares(fault).filter(|(_, percent)| percent.value.per_million() >= ALL) {
            diagnostics.push(
                Diagnostic::of(codes::TOTAL_FAULT, percent.span, format!("every request is {what}"))
                    .label("no request is spared")
                    .help("write a smaller `percent`, or name the requests with `header`"),
            );
        }
    }
}

/// What becomes of requests, and of which share.
fn shares(fault: &Fault) -> impl Iterator<Item = (&'static str, &Spanned<Percent>)> {
    let delay = fault.delay.iter().map(|it| ("delayed", &it.percent));
    let abort = fault.abort.iter().map(|it| ("answered with an error", &it.percent));
    let grpc_abort = fault.grpc_abort.iter().map(|it| ("answered with an error", &it.percent));
    let slow = fault.response_rate_limit.iter().map(|it| ("answered slowly", &it.percent));
    delay.chain(abort).chain(grpc_abort).chain(slow)
}

//! A fault that hits every request leaves nothing that works.

use spec::mesh::Fault;
use spec::units::Percent;
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::everywhere;

const ALL: u32 = 1_000_000;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    // Whoever names headers or callers chose the requests.
    let everybodys = |fault: &&Fault| fault.headers.is_empty() && fault.callers.is_none();
    for fault in everywhere::faults(mesh).map(|(fault, _)| fault).filter(everybodys) {
        for (what, percent) in shares(fault).filter(|(_, percent)| percent.value.per_million() >= ALL) {
            diagnostics.push(
                Diagnostic::of(codes::TOTAL_FAULT, percent.span, format!("every request is {what}"))
                    .label("no request is spared")
                    .help("write a smaller `percent`, or name the requests with `header` or `callers`"),
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

//! What a fault says of times and answers must be possible.

use spec::mesh::{Fault, FaultDelay, FaultWindow};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

/// As long as an answer of a route may be.
const LONGEST_BODY: usize = 4096;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (fault, _) in everywhere::faults(mesh) {
        if let Some(delay) = &fault.delay {
            of_delay(delay, diagnostics);
        }
        if let Some(window) = &fault.window {
            of_window(window, diagnostics);
        }
        of_answer(fault, diagnostics);
    }
}

fn of_delay(delay: &FaultDelay, diagnostics: &mut Diagnostics) {
    let FaultDelay { duration, jitter, up_to, .. } = delay;
    if let Some(jitter) = jitter.as_ref().filter(|jitter| jitter.value > duration.value) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, jitter.span, "no request can wait for less than no time")
                .label("longer than the delay")
                .related(duration.span, "the delay")
                .help("make `jitter` shorter, or say the longest delay with `up-to`"),
        );
    }
    if let Some(up_to) = up_to.as_ref().filter(|up_to| up_to.value <= duration.value) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, up_to.span, "the longest delay is not longer than the shortest")
                .related(duration.span, "the shortest delay")
                .help("make `up-to` longer, or leave it out"),
        );
    }
    if let (Some(jitter), Some(up_to)) = (jitter, up_to) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, up_to.span, "a delay is spread in one way")
                .related(jitter.span, "the other one")
                .help("leave out `jitter` or `up-to`"),
        );
    }
}

fn of_window(window: &FaultWindow, diagnostics: &mut Diagnostics) {
    if let (Some(from), Some(until)) = (&window.from, &window.until)
        && until.value <= from.value
    {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, until.span, "this window is over before it begins")
                .related(from.span, "it begins here")
                .help("make `until` later than `from`"),
        );
    }
}

fn of_answer(fault: &Fault, diagnostics: &mut Diagnostics) {
    let body = fault.abort.as_ref().and_then(|abort| abort.body.as_ref());
    let message = fault.grpc_abort.as_ref().and_then(|abort| abort.message.as_ref());
    for text in [body, message].into_iter().flatten().filter(|text| text.value.len() > LONGEST_BODY) {
        let message = format!("this answer has {} bytes", text.value.len());
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, text.span, message)
                .label(format!("a filter answers with at most {LONGEST_BODY}"))
                .help("let a service answer it"),
        );
    }
}

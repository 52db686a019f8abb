//! Retries end: after a time, and after a few tries.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::tries::{self, Tries};

/// More tries than anybody waits for.
const MANY: u32 = 10;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut reported = BTreeSet::new();
    for Tries { retry, whole, .. } in tries::all(mesh, tables) {
        let (attempts, span) = (retry.attempts.value, retry.attempts.span);
        if attempts > MANY && reported.insert((span, None)) {
            let message = format!("a request may be tried {} times", u64::from(attempts) + 1);
            diagnostics.push(
                Diagnostic::of(codes::RETRY_WITHOUT_LIMIT, span, message)
                    .label("a service that is failing gets so many times its load")
                    .help(format!("write {MANY} or less; two or three tries are enough for an endpoint that is gone")),
            );
        }
        if let Some(place) = whole.place.filter(|_| whole.is_unlimited() && retry.per_try_timeout.is_none())
            && reported.insert((span, Some(place)))
        {
            diagnostics.push(
                Diagnostic::of(codes::RETRY_WITHOUT_LIMIT, span, "a try that hangs is never given up")
                    .label("no try has a time limit")
                    .related(place, "nor has the whole request")
                    .help("add `per-try-timeout`"),
            );
        }
    }
}

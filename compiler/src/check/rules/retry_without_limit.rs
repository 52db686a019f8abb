//! Retries end: after a time, and after a few tries.

use std::collections::BTreeSet;

use spec::mesh::{Retry, RetryCondition};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

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
        if let Some(place) = whole.place.filter(|_| whole.is_unlimited() && hangs(retry))
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

/// A connection that is not made has a time limit of its own, so that what is retried then alone does not hang.
fn hangs(retry: &Retry) -> bool {
    let before_sending = |word: &Spanned<RetryCondition>| {
        use RetryCondition::{ConnectFailure, ConnectionError, RefusedStream, ResetBeforeRequest, StreamError};
        matches!(word.value, ConnectFailure | ConnectionError | RefusedStream | ResetBeforeRequest | StreamError)
    };
    let only_before = !retry.on.is_empty() && retry.status.is_empty() && retry.on.iter().all(before_sending);
    retry.per_try_timeout.is_none() && retry.per_try_idle_timeout.is_none() && !only_before
}

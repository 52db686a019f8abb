//! Requests that change something are not tried again once they may have been done.
//!
//! Told only where a route names such methods: a retry of a whole service says nothing of what its requests do.

use std::collections::BTreeSet;

use spec::mesh::{Retry, RetryCondition};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::tries;

/// Neither safe nor idempotent (RFC 9110, 9.2; RFC 5789, 2).
const METHODS: &[&str] = &["POST", "PATCH"];

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut reported = BTreeSet::new();
    for tries in tries::all(mesh, tables) {
        let Some(route) = tries.route else { continue };
        let mut methods = route.matches.methods.iter();
        let Some(method) = methods.find(|method| METHODS.contains(&method.value.as_str())) else { continue };
        let Some((word, span)) = after_sending(tries.retry) else { continue };
        if !reported.insert((method.span, span)) {
            continue;
        }
        let message = format!("a `{}` may be done twice", method.value);
        diagnostics.push(
            Diagnostic::of(codes::UNSAFE_RETRY, span, message)
                .label(format!("{word} does not tell whether the request was done"))
                .related(method.span, "requests that change something are tried again")
                .help("write `on=\"connect-failure,refused-stream,reset-before-request\"` for these requests"),
        );
    }
}

/// The first condition that may hold after the request reached the application.
pub(super) fn after_sending(retry: &Retry) -> Option<(String, spec::Span)> {
    if retry.on.is_empty() {
        return Some(("`gateway-error`, which counts when nothing is said,".to_owned(), retry.attempts.span));
    }
    let word = retry.on.iter().find_map(|word| {
        let name = match word.value {
            RetryCondition::FiveXx => "5xx",
            RetryCondition::GatewayError => "gateway-error",
            RetryCondition::Reset => "reset",
            RetryCondition::ServerError => "server-error",
            RetryCondition::Cancelled => "cancelled",
            RetryCondition::DeadlineExceeded => "deadline-exceeded",
            RetryCondition::Internal => "internal",
            // Nothing was done, or the answer says so.
            RetryCondition::ResetBeforeRequest
            | RetryCondition::ConnectFailure
            | RetryCondition::EnvoyRatelimited
            | RetryCondition::RefusedStream
            | RetryCondition::Retriable4xx
            | RetryCondition::RetriableStatusCodes
            | RetryCondition::ClientError
            | RetryCondition::StreamError
            | RetryCondition::ConnectionError
            | RetryCondition::ResourceExhausted
            | RetryCondition::Unavailable => return None,
        };
        Some((format!("`{name}`"), word.span))
    });
    let server_error = || retry.status.iter().find(|status| status.value >= 500);
    word.or_else(|| server_error().map(|status| (format!("{}", status.value), status.span)))
}

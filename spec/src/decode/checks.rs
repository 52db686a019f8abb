//! What blocks must say as a whole.

use super::fields::Fields;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// What a fault does; the rest of it is conditions.
const FAULTS: [&str; 5] = ["delay", "abort", "grpc-abort", "response-rate-limit", "header-control"];

/// A fault that only has conditions does nothing.
pub(crate) fn fault_does_something(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    let does = FAULTS.into_iter().any(|key| fields.has(key));
    if !does {
        let diagnostic = Diagnostic::error(codes::EMPTY_BLOCK, fields.span(), "this fault does nothing");
        diagnostics.push(diagnostic.help("write `delay`, `abort` or both"));
    }
    if fields.has("abort") && fields.has("grpc-abort") {
        let (first, second) = (fields.place_of("abort"), fields.place_of("grpc-abort"));
        let diagnostic = Diagnostic::error(codes::INVALID_VALUE, second, "a fault has one abort");
        diagnostics.push(diagnostic.related(first, "the other one").help("leave out either"));
    }
}

/// Control that allows nothing controls nothing.
pub(crate) fn control_allows_something(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    if !["max-delay", "abort", "grpc-abort"].into_iter().any(|key| fields.has(key)) {
        let diagnostic = Diagnostic::error(codes::EMPTY_BLOCK, fields.span(), "nothing can be asked for");
        diagnostics.push(diagnostic.help("write `max-delay`, `abort` or `grpc-abort`"));
    }
}

/// A rule says which requests go where. Without conditions it would take every request.
pub(crate) fn rule_chooses(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    if !fields.has("to") {
        fields.missing("a rule needs `to`: the name of a service", "to", diagnostics);
    }
    if !["method", "header", "cookie", "query", "any", "percent"].into_iter().any(|key| fields.has(key)) {
        let message = "this rule would take every request: it has no condition";
        let diagnostic = Diagnostic::error(codes::MISSING_FIELD, fields.span(), message);
        diagnostics.push(diagnostic.help("write `header \"x-canary\" exact=\"on\"` in it, or `percent 10`"));
    }
    if fields.has("sticky") && fields.has("visitor-cookie") {
        let (first, second) = (fields.place_of("sticky"), fields.place_of("visitor-cookie"));
        let diagnostic = Diagnostic::error(codes::INVALID_VALUE, second, "a rule is sticky in one way");
        diagnostics.push(diagnostic.related(first, "the other one").help("leave out either"));
    }
}

/// A gateway listens somewhere.
pub(crate) fn gateway_listens(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    if !fields.has("listen") {
        fields.missing("a gateway needs `listen`: a port such as `8080`", "listen", diagnostics);
    }
}

/// A host without routes answers nothing.
pub(crate) fn host_goes_somewhere(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    if !fields.has("route") && !fields.has("to") {
        let message = "this host has no route: every request is answered with 404";
        let diagnostic = Diagnostic::warning(codes::EMPTY_BLOCK, fields.span(), message);
        diagnostics.push(diagnostic.help("write where its requests go, as in `to \"SERVICE\"`"));
    }
}

/// A test is a request and what it must meet.
pub(crate) fn test_is_whole(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    for (key, help) in [
        ("request", "write `request from=\"NODE\" url=\"http://SERVICE/PATH\"`"),
        ("expect", "write `expect status=200` or `expect to=\"SERVICE\"`"),
    ] {
        if !fields.has(key) {
            let message = format!("this test has no `{key}`");
            diagnostics.push(Diagnostic::error(codes::MISSING_FIELD, fields.span(), message).help(help));
        }
    }
}

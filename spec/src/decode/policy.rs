//! Limits, retries, faults, authentication, header routing and annotations.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::route;
use super::value::Reader;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::mesh::{
    Annotation, BasicAuth, CircuitBreaker, Fault, FaultAbort, FaultDelay, HeaderRouting, HealthCheck, Retry,
    RetryCondition, RoutingRule,
};
use crate::names::Name;
use crate::source::Spanned;
use crate::suggest;
use crate::syntax::tree::Scalar;

pub(super) fn health_check(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<HealthCheck> {
    let mut block = fields.block("health-check", "a health check", diagnostics)?;
    let check = HealthCheck {
        path: block.value("path", Reader::PATH, diagnostics),
        interval: block.value("interval", Reader::<std::time::Duration>::POSITIVE, diagnostics),
        timeout: block.value("timeout", Reader::<std::time::Duration>::POSITIVE, diagnostics),
        cache: block.value("cache", Reader::DURATION, diagnostics),
        port: block.value("port", Reader::PORT, diagnostics),
        expect: block.value("expect", Reader::STATUS_RANGE, diagnostics),
        healthy_threshold: block.value("healthy-threshold", Reader::<u32>::POSITIVE, diagnostics),
        unhealthy_threshold: block.value("unhealthy-threshold", Reader::<u32>::POSITIVE, diagnostics),
    };
    block.finish(diagnostics);
    Some(check)
}

pub(super) fn circuit_breaker(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<CircuitBreaker> {
    let mut block = fields.block("circuit-breaker", "a circuit breaker", diagnostics)?;
    if block.is_empty() {
        let message = "this circuit breaker limits nothing";
        diagnostics.push(Diagnostic::warning(codes::EMPTY_BLOCK, block.span(), message));
    }
    let limits = CircuitBreaker {
        max_connections: block.value("max-connections", Reader::COUNT, diagnostics),
        max_pending: block.value("max-pending", Reader::COUNT, diagnostics),
        max_requests: block.value("max-requests", Reader::COUNT, diagnostics),
        max_retries: block.value("max-retries", Reader::COUNT, diagnostics),
    };
    block.finish(diagnostics);
    Some(limits)
}

pub(super) fn retry(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Retry> {
    let mut block = fields.block("retry", "a retry", diagnostics)?;
    let attempts = block.required("attempts", Reader::<u32>::POSITIVE, diagnostics);
    let words = block.scalars("on", "words such as `gateway-error,reset`", diagnostics);
    let on = words.into_iter().flat_map(|list| conditions(list, diagnostics)).collect();
    let per_try_timeout = block.value("per-try-timeout", Reader::<std::time::Duration>::POSITIVE, diagnostics);
    block.finish(diagnostics);
    Some(Retry { attempts: attempts?, on, per_try_timeout })
}

/// A comma-separated list of retry conditions.
fn conditions(list: &Scalar, diagnostics: &mut Diagnostics) -> Vec<Spanned<RetryCondition>> {
    let words = || RetryCondition::ALL.into_iter().map(RetryCondition::as_str);
    let mut result = Vec::new();
    for word in list.text.split(',').map(str::trim) {
        match RetryCondition::ALL.into_iter().find(|condition| condition.as_str() == word) {
            Some(condition) => result.push(Spanned::new(condition, list.span)),
            None => {
                let message = format!("`{}` is not a condition for retries", quote(word));
                let diagnostic = Diagnostic::error(codes::INVALID_VALUE, list.span, message);
                diagnostics.push(match suggest::closest(word, words()) {
                    Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                    None => diagnostic.help(format!("the conditions are {}", words().collect::<Vec<_>>().join(", "))),
                });
            }
        }
    }
    result
}

pub(super) fn fault(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Fault> {
    let mut block = fields.block("fault", "a fault", diagnostics)?;
    let empty = !block.has("delay") && !block.has("abort");
    if empty {
        let diagnostic = Diagnostic::error(codes::EMPTY_BLOCK, block.span(), "this fault does nothing");
        diagnostics.push(diagnostic.help("write `delay`, `abort` or both"));
    }
    let delay = block.block("delay", "a delay", diagnostics).and_then(|delay| self::delay(delay, diagnostics));
    let abort = block.block("abort", "an abort", diagnostics).and_then(|abort| self::abort(abort, diagnostics));
    block.finish(diagnostics);
    (delay.is_some() || abort.is_some()).then_some(Fault { delay, abort })
}

fn delay(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Option<FaultDelay> {
    let duration = fields.primary("duration", Reader::DELAY, diagnostics);
    let percent = fields.required("percent", Reader::PERCENT, diagnostics);
    fields.finish(diagnostics);
    Some(FaultDelay { duration: duration?, percent: percent? })
}

fn abort(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Option<FaultAbort> {
    let status = fields.primary("status", Reader::STATUS, diagnostics);
    let percent = fields.required("percent", Reader::PERCENT, diagnostics);
    fields.finish(diagnostics);
    Some(FaultAbort { status: status?, percent: percent? })
}

pub(super) fn basic_auth(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<BasicAuth> {
    let mut block = fields.block("basic-auth", "basic authentication", diagnostics)?;
    let realm = block.value("realm", Reader::TEXT, diagnostics);
    let htpasswd_file = block.required("htpasswd-file", Reader::FILE, diagnostics);
    let forward_user_header = block.value("forward-user-header", Reader::HEADER_NAME, diagnostics);
    block.finish(diagnostics);
    Some(BasicAuth { realm, htpasswd_file: htpasswd_file?, forward_user_header })
}

pub(super) fn header_routing(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<HeaderRouting> {
    let mut block = fields.block("header-routing", "header routing", diagnostics)?;
    if !block.has("rule") {
        let diagnostic = Diagnostic::error(codes::EMPTY_BLOCK, block.span(), "this header routing has no rule");
        diagnostics.push(diagnostic.help("write `rule to=\"SERVICE\"` with a `header` in it"));
    }
    let rules = block.many("rule", "a rule");
    let rules = rules.into_iter().filter_map(|rule| self::rule(rule, diagnostics)).collect();
    block.finish(diagnostics);
    Some(HeaderRouting { rules })
}

fn rule(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Option<RoutingRule> {
    let to = fields.required("to", Reader::<Name>::NAME, diagnostics);
    let headers = route::headers(&mut fields, diagnostics);
    if headers.is_empty() && !fields.has("header") {
        let message = "this rule would take every request: it names no header";
        let diagnostic = Diagnostic::error(codes::MISSING_FIELD, fields.span(), message);
        diagnostics.push(diagnostic.help("write `header \"x-canary\" exact=\"on\"` in it"));
    }
    fields.finish(diagnostics);
    Some(RoutingRule { to: to?, headers })
}

/// Keys and values as they are written; their meaning is the compiler's.
pub(super) fn annotations(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Annotation> {
    let Some(mut block) = fields.block("annotations", "an annotations block", diagnostics) else { return Vec::new() };
    let mut result = Vec::new();
    let mut places = BTreeMap::new();
    for entry in block.entries() {
        let mut field = Fields::of(entry, "an annotation");
        let value = field.argument(Reader::AS_WRITTEN, diagnostics);
        field.finish(diagnostics);
        if let Some(first) = places.insert(&entry.key.value, entry.span()) {
            let message = format!("the annotation `{}` is said twice", quote(&entry.key.value));
            let diagnostic = Diagnostic::error(codes::DUPLICATE_FIELD, entry.span(), message);
            diagnostics.push(diagnostic.label("again here").related(first, "first here"));
        } else if let Some(value) = value {
            result.push(Annotation { key: entry.key.clone(), value });
        }
    }
    block.finish(diagnostics);
    result
}

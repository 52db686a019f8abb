//! Writes into a service what holds for the whole of it.

use spec::mesh::{BasicAuth, CircuitBreaker, HeaderRouting, HealthCheck, Retry, RoutingRule, Service};
use spec::{Diagnostic, Diagnostics, Spanned, codes};

use super::super::settings::{BasicAuthSettings, RetrySettings, Settings};
use super::{conflict, ineffective, write_fault};

pub(super) fn write(service: &mut Service, said: &Settings, diagnostics: &mut Diagnostics) {
    let whose = format!("service `{}`", service.name.value);
    merge("timeout", &mut service.timeout, &said.timeout, &whose, diagnostics);
    if said.health_check != HealthCheck::default() {
        let field = service.health_check.get_or_insert_default();
        write_health_check(field, &said.health_check, &whose, diagnostics);
    }
    if said.circuit_breaker != CircuitBreaker::default() {
        let field = service.circuit_breaker.get_or_insert_default();
        write_circuit_breaker(field, &said.circuit_breaker, &whose, diagnostics);
    }
    within(&mut service.fault, |fault| write_fault(fault, &said.fault, &whose, diagnostics));
    within(&mut service.retry, |retry| write_retry(retry, &said.retry, &whose, diagnostics));
    within(&mut service.basic_auth, |auth| write_basic_auth(auth, &said.basic_auth, &whose, diagnostics));
    write_header_routing(&mut service.header_routing, &said.header_routing, &whose, diagnostics);
}

/// Changes what is in a box, or is not there yet.
fn within<T>(boxed: &mut Option<Box<T>>, change: impl FnOnce(&mut Option<T>)) {
    let mut field = boxed.take().map(|field| *field);
    change(&mut field);
    *boxed = field.map(Box::new);
}

fn write_health_check(field: &mut HealthCheck, said: &HealthCheck, whose: &str, diagnostics: &mut Diagnostics) {
    merge("healthcheck.path", &mut field.path, &said.path, whose, diagnostics);
    merge("healthcheck.interval", &mut field.interval, &said.interval, whose, diagnostics);
    merge("healthcheck.timeout", &mut field.timeout, &said.timeout, whose, diagnostics);
    merge("healthcheck.cache", &mut field.cache, &said.cache, whose, diagnostics);
    merge("healthcheck.expected-status", &mut field.expect, &said.expect, whose, diagnostics);
    merge("healthcheck.port", &mut field.port, &said.port, whose, diagnostics);
    // In annotations 0 is the endpoint's own port, which the model says by saying nothing.
    field.port = field.port.filter(|port| port.value != 0);
}

fn write_circuit_breaker(
    field: &mut CircuitBreaker,
    said: &CircuitBreaker,
    whose: &str,
    diagnostics: &mut Diagnostics,
) {
    let (connections, pending) = (&said.max_connections, &said.max_pending);
    merge("circuit-breaker.max-connections", &mut field.max_connections, connections, whose, diagnostics);
    merge("circuit-breaker.max-pending", &mut field.max_pending, pending, whose, diagnostics);
    merge("circuit-breaker.max-requests", &mut field.max_requests, &said.max_requests, whose, diagnostics);
    merge("circuit-breaker.max-retries", &mut field.max_retries, &said.max_retries, whose, diagnostics);
}

fn write_retry(field: &mut Option<Retry>, said: &RetrySettings, whose: &str, diagnostics: &mut Diagnostics) {
    let Some(span) = said.enable.map(|it| it.span).or(said.attempts.map(|it| it.span)) else { return };
    let attempts = said.attempts.unwrap_or(Spanned::new(1, span));
    match field {
        Some(earlier) if said.attempts.is_some() && earlier.attempts != attempts => {
            diagnostics.push(conflict("num-retries", whose, attempts.span, earlier.attempts.span));
        }
        Some(_) => {}
        None => {
            if said.enable.is_none() {
                let message = format!("`num-retries` turns retries on for {whose}, though `enable-retry` is absent");
                diagnostics.push(Diagnostic::note(codes::IMPLIED_ANNOTATION, span, message));
            }
            *field = Some(Retry::of(attempts));
        }
    }
}

fn write_basic_auth(
    field: &mut Option<BasicAuth>,
    said: &BasicAuthSettings,
    whose: &str,
    diagnostics: &mut Diagnostics,
) {
    match (field, &said.htpasswd_file, &said.realm) {
        (Some(field), file, realm) => {
            if let Some(file) = file.as_ref().filter(|file| **file != field.htpasswd_file) {
                let key = "basic-auth.htpasswd-file";
                diagnostics.push(conflict(key, whose, file.span, field.htpasswd_file.span));
            }
            merge("basic-auth.realm", &mut field.realm, realm, whose, diagnostics);
        }
        (field @ None, Some(file), realm) => {
            let (realm, htpasswd_file) = (realm.clone(), file.clone());
            *field = Some(BasicAuth { realm, htpasswd_file, forward_user_header: None, engine: None });
        }
        (None, None, Some(realm)) => {
            diagnostics.push(ineffective("basic-auth.realm", "basic-auth.htpasswd-file", whose, realm.span));
        }
        (None, None, None) => {}
    }
}

fn write_header_routing(
    field: &mut Option<HeaderRouting>,
    said: &Option<Spanned<HeaderRouting>>,
    whose: &str,
    diagnostics: &mut Diagnostics,
) {
    let Some(said) = said else { return };
    match field {
        Some(earlier) if *earlier == said.value => {}
        Some(earlier) => {
            let place = earlier.rules.first().and_then(RoutingRule::span).unwrap_or(said.span);
            diagnostics.push(conflict("header-routing", whose, said.span, place));
        }
        None => *field = Some(said.value.clone()),
    }
}

/// Keeps what was said in `field`, unless the field already says something else.
fn merge<T: Clone + PartialEq>(
    key: &str,
    field: &mut Option<Spanned<T>>,
    said: &Option<Spanned<T>>,
    whose: &str,
    diagnostics: &mut Diagnostics,
) {
    match (field, said) {
        (_, None) => {}
        (Some(earlier), Some(said)) if earlier.value == said.value => {}
        (Some(earlier), Some(said)) => diagnostics.push(conflict(key, whose, said.span, earlier.span)),
        (field @ None, Some(said)) => *field = Some(said.clone()),
    }
}

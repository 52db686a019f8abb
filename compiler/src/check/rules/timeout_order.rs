//! One try must not be allowed longer than the whole request: its limit would never act.
//!
//! Compared as they meet: a route's own time limit with the retries of its service, a gateway's with those of the
//! services behind it, and the other way round.

use std::collections::BTreeSet;
use std::time::Duration;

use spec::mesh::{Call, Gateway, Retry, Route, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, Spanned, codes};

use super::super::resolve::DEFAULT_TIMEOUT;
use super::super::tables::Tables;

/// A time limit of a whole request; without a place when nobody wrote it.
#[derive(Clone, Copy)]
struct Whole {
    limit: Duration,
    place: Option<Span>,
}

/// What was reported already: both limits of a pair, by place.
type Reported = BTreeSet<(Span, Option<Span>)>;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut reported = Reported::new();
    let mut compare = |retry: Option<&Retry>, whole: Whole| compare(retry, whole, &mut reported, diagnostics);
    for service in &mesh.services {
        let whole = of_service(mesh, service);
        compare(service.retry.as_ref(), whole);
        for route in &service.routes {
            compare(route.retry.as_ref().or(service.retry.as_ref()), said(&route.timeout).unwrap_or(whole));
        }
    }
    for gateway in &mesh.gateways {
        for (service, route) in pairs(mesh, tables, gateway) {
            let retry = route.and_then(|route| route.retry.as_ref());
            let retry = retry.or(gateway.retry.as_ref()).or(service.retry.as_ref());
            let own = route.and_then(|route| said(&route.timeout)).or(said(&gateway.timeout));
            compare(retry, own.unwrap_or_else(|| of_service(mesh, service)));
        }
    }
}

/// What a gateway leads to: services by their own name, with their routes, and the one target of its hosts' routes.
fn pairs<'a>(mesh: &'a Mesh, tables: &Tables, gateway: &'a Gateway) -> Vec<(&'a Service, Option<&'a Route>)> {
    let find = |name| tables.find_service(name).and_then(|id| mesh.services.get(id.index()));
    let by_name: Vec<&Service> = match Call::all(&gateway.calls) {
        Some(_) => mesh.services.iter().collect(),
        None => Call::listed(&gateway.calls).filter_map(|name| find(name.value)).collect(),
    };
    let routes = by_name.iter().flat_map(|service| service.routes.iter().map(|route| (*service, Some(route))));
    let hosts = gateway.hosts.iter().flat_map(|host| &host.routes).filter_map(|route| match route.targets() {
        [target] => Some((find(&target.service.value)?, Some(route))),
        // A split inherits neither retries nor a limit that is shorter than one of its targets'.
        _ => None,
    });
    by_name.iter().map(|service| (*service, None)).chain(routes).chain(hosts).collect()
}

fn of_service(mesh: &Mesh, service: &Service) -> Whole {
    let written = said(&service.timeout).or(said(&mesh.defaults.timeout));
    written.unwrap_or(Whole { limit: DEFAULT_TIMEOUT, place: None })
}

fn said(timeout: &Option<Spanned<Duration>>) -> Option<Whole> {
    timeout.as_ref().map(|timeout| Whole { limit: timeout.value, place: Some(timeout.span) })
}

fn compare(retry: Option<&Retry>, whole: Whole, reported: &mut Reported, diagnostics: &mut Diagnostics) {
    let Some(one) = retry.and_then(|retry| retry.per_try_timeout.as_ref()) else { return };
    let unlimited = whole.limit.is_zero();
    if unlimited || one.value <= whole.limit || !reported.insert((one.span, whole.place)) {
        return;
    }
    let diagnostic =
        Diagnostic::error(codes::TIMEOUT_ORDER, one.span, "one try may take longer than the whole request")
            .label("this limit never acts")
            .help("make `per-try-timeout` shorter than `timeout`");
    diagnostics.push(match whole.place {
        Some(place) => diagnostic.related(place, "the whole request ends here"),
        None => diagnostic.help("without a `timeout`, the whole request may take 15s"),
    });
}

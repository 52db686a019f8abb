//! Every retry of a mesh beside the time limit of the whole request that it meets.
//!
//! Compared as they meet: a route's own time limit with the retries of its service, a gateway's or a caller's with those
//! of the services behind it, and the other way round.

use std::time::Duration;

use spec::mesh::{Call, Callee, Gateway, Retry, Route, Service};
use spec::{Mesh, Span, Spanned};

use super::super::resolve::DEFAULT_TIMEOUT;
use super::super::tables::Tables;

/// Further tries of one kind of request.
#[derive(Clone, Copy)]
pub(super) struct Tries<'a> {
    pub(super) retry: &'a Retry,
    pub(super) whole: Whole,
    /// The route that its requests match; `None` for what no route takes.
    pub(super) route: Option<&'a Route>,
}

/// A time limit of a whole request; without a place when nobody wrote it.
#[derive(Clone, Copy)]
pub(super) struct Whole {
    pub(super) limit: Duration,
    pub(super) place: Option<Span>,
}

impl Whole {
    pub(super) fn is_unlimited(self) -> bool {
        self.limit.is_zero()
    }
}

pub(super) fn all<'a>(mesh: &'a Mesh, tables: &Tables) -> Vec<Tries<'a>> {
    let mut found = Vec::new();
    for service in &mesh.services {
        found.extend(of_service(mesh, service, Caller::default()));
    }
    for node in &mesh.nodes {
        for call in &node.calls {
            let caller = Caller { retry: call.retry.as_deref(), timeout: said(&call.timeout) };
            if caller.retry.is_none() && caller.timeout.is_none() {
                continue;
            }
            if let Callee::Service(name) = &call.service.value {
                found.extend(find(mesh, tables, name).into_iter().flat_map(|it| of_service(mesh, it, caller)));
            }
        }
    }
    for gateway in &mesh.gateways {
        found.extend(of_gateway(mesh, tables, gateway));
    }
    found
}

/// How long a request to a service may take, unless its caller says otherwise.
pub(super) fn whole_of(mesh: &Mesh, service: &Service) -> Whole {
    let written = said(&service.timeout).or(said(&mesh.defaults.timeout));
    written.unwrap_or(Whole { limit: DEFAULT_TIMEOUT, place: None })
}

pub(super) fn said(timeout: &Option<Spanned<Duration>>) -> Option<Whole> {
    timeout.as_ref().map(|timeout| Whole { limit: timeout.value, place: Some(timeout.span) })
}

/// What a caller says in place of the service.
#[derive(Clone, Copy, Default)]
struct Caller<'a> {
    retry: Option<&'a Retry>,
    timeout: Option<Whole>,
}

fn of_service<'a>(mesh: &'a Mesh, service: &'a Service, caller: Caller<'a>) -> Vec<Tries<'a>> {
    let retry = caller.retry.or(service.retry.as_deref()).or(mesh.defaults.retry.as_ref());
    let whole = caller.timeout.unwrap_or_else(|| whole_of(mesh, service));
    // A route that answers itself tries nothing.
    let routes = service.routes.iter().filter(|route| !route.targets().is_empty());
    let of_routes = routes.filter_map(|route| {
        let whole = said(&route.timeout).unwrap_or(whole);
        Some(Tries { retry: route.retry.as_ref().or(retry)?, whole, route: Some(route) })
    });
    let own = retry.map(|retry| Tries { retry, whole, route: None });
    own.into_iter().chain(of_routes).collect()
}

/// What a gateway leads to: services by their own name, with their routes, and the one target of its hosts and of their
/// routes.
fn of_gateway<'a>(mesh: &'a Mesh, tables: &Tables, gateway: &'a Gateway) -> Vec<Tries<'a>> {
    let own = Caller { retry: gateway.retry.as_ref(), timeout: said(&gateway.timeout) };
    let mut found = Vec::new();
    if Call::all(&gateway.calls).is_some() {
        found.extend(mesh.services.iter().flat_map(|service| of_service(mesh, service, own)));
    }
    for call in &gateway.calls {
        let Callee::Service(name) = &call.service.value else { continue };
        let Some(service) = find(mesh, tables, name) else { continue };
        let (retry, timeout) = (call.retry.as_deref().or(own.retry), said(&call.timeout).or(own.timeout));
        found.extend(of_service(mesh, service, Caller { retry, timeout }));
    }
    for host in &gateway.hosts {
        let routes = host.routes.iter().map(|route| (route.targets(), Some(route)));
        for (targets, route) in routes.chain([(host.targets.as_slice(), None)]) {
            // A split inherits neither retries nor a limit that is shorter than one of its targets'.
            let [target] = targets else { continue };
            let Some(service) = find(mesh, tables, &target.service.value) else { continue };
            let retry = route.and_then(|route| route.retry.as_ref()).or(own.retry).or(service.retry.as_deref());
            let whole = route.and_then(|route| said(&route.timeout)).or(own.timeout);
            let whole = whole.unwrap_or_else(|| whole_of(mesh, service));
            let retry = retry.or(mesh.defaults.retry.as_ref());
            found.extend(retry.map(|retry| Tries { retry, whole, route }));
        }
    }
    found
}

fn find<'a>(mesh: &'a Mesh, tables: &Tables, name: &spec::Name) -> Option<&'a Service> {
    tables.find_service(name).and_then(|id| mesh.services.get(id.index()))
}

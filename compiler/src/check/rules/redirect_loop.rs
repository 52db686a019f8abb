//! A redirect must not lead to where it came from.
//!
//! Certain cases only: the new address meets the same route, and no other route stands in between.

use spec::mesh::{Gateway, PathMatch, PathRewrite, Protocol, Redirect, Route, RouteAction, Scheme};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::order;
use super::path_overlap::{Path, path};

/// Where a table of routes is met.
struct Met<'a> {
    /// Exact; nothing else is certain.
    host: Option<&'a str>,
    port: Option<&'a str>,
    /// Whether requests may come with TLS, here or at a proxy before.
    encrypted: bool,
}

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for service in &mesh.services {
        let met = Met { host: Some(service.name.value.as_str()), port: None, encrypted: false };
        table(&service.routes, &met, diagnostics);
    }
    for gateway in &mesh.gateways {
        for host in &gateway.hosts {
            let (name, port) = match host.pattern.value.rsplit_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (host.pattern.value.as_str(), None),
            };
            let met = Met { host: Some(name).filter(|name| !name.contains('*')), port, encrypted: encrypted(gateway) };
            table(&host.routes, &met, diagnostics);
        }
    }
}

fn encrypted(gateway: &Gateway) -> bool {
    let requests = |protocol: Option<Protocol>| protocol != Some(Protocol::Tcp);
    let listeners = gateway.listen.iter().filter(|it| requests(it.protocol.as_ref().map(|protocol| protocol.value)));
    let here = listeners.filter(|listener| listener.tls.is_some()).count() > 0;
    here || gateway.trusted_hops.as_ref().is_some_and(|hops| hops.value > 0)
}

fn table(routes: &[Route], met: &Met<'_>, diagnostics: &mut Diagnostics) {
    let sorted = order::as_tried(routes);
    for (index, route) in sorted.iter().enumerate() {
        let RouteAction::Redirect(redirect) = &route.action.value else { continue };
        let earlier = sorted.get(..index).unwrap_or_default();
        if same_origin(redirect, route, met) && same_path(redirect, route, earlier) && asked_again(redirect, route) {
            let span = redirect.place.0.unwrap_or(route.action.span);
            let found = Diagnostic::of(codes::REDIRECT_LOOP, span, "this redirect leads to where it came from")
                .label("callers give up after some twenty rounds");
            let by_scheme = redirect.scheme.as_ref().is_some_and(|scheme| scheme.value == Scheme::Https);
            diagnostics.push(match by_scheme {
                true => found.help("add `scheme=\"http\"` to the route: what came with TLS need not be sent there"),
                false => found.help("change the host or the path, or match less"),
            });
        }
    }
}

/// Whether scheme, host and port stay, at least for some requests.
fn same_origin(redirect: &Redirect, route: &Route, met: &Met<'_>) -> bool {
    let scheme = redirect.scheme.as_ref().is_none_or(|new| match &route.matches.scheme {
        Some(old) => old.value == new.value,
        // Another scheme is at another port: a route of one port is not met again.
        None => {
            let any_port = met.port.is_none() && route.matches.port.is_none();
            (new.value == Scheme::Https) == met.encrypted && any_port
        }
    });
    let host = redirect.host.as_ref().is_none_or(|new| met.host.is_some_and(|old| new.value.eq_ignore_ascii_case(old)));
    let port = redirect.port.as_ref().is_none_or(|new| {
        let matched = route.matches.port.as_ref().map(|port| port.value.to_string());
        matched.as_deref().or(met.port) == Some(&new.value.to_string())
    });
    scheme && host && port
}

fn same_path(redirect: &Redirect, route: &Route, earlier: &[&Route]) -> bool {
    let Some(new) = &redirect.path else { return true };
    let matched = route.matches.path.as_ref().map(|path| &path.value);
    let next = match &new.value {
        PathRewrite::Full(path) => path,
        PathRewrite::Prefix(prefix) => match matched {
            Some(PathMatch::Prefix(_)) => prefix,
            _ => return false,
        },
    };
    let next = Path::Exact(next.as_str().into());
    path(&route.matches).covers(&next) && !earlier.iter().any(|other| path(&other.matches).meets(&next))
}

/// Whether the next request meets the route's other conditions too.
fn asked_again(redirect: &Redirect, route: &Route) -> bool {
    let keeps_method = redirect.status.as_ref().is_some_and(|status| matches!(status.value, 307 | 308));
    let get = route.matches.methods.is_empty() || route.matches.methods.iter().any(|it| it.value.as_str() == "GET");
    let stripped = redirect.strip_query.as_ref().is_some_and(|strip| strip.value);
    (keeps_method || get) && (!stripped || route.matches.query.is_empty())
}

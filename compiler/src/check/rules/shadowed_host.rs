//! A request meets the routes of one host alone: the most specific one that takes its `Host`.
//!
//! `*` is what is meant for everything else, and is not compared. Hosts that lead to different services are different
//! sites, and each has the routes it needs.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Gateway, GatewayHost, Route};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::path_overlap::covers;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for gateway in &mesh.gateways {
        let hosts = by_pattern(gateway);
        for narrow in &gateway.hosts {
            let Some(wide) = wider(&narrow.pattern.value.to_ascii_lowercase()).find_map(|pattern| hosts.get(&pattern))
            else {
                continue;
            };
            if let Some(route) = lacking(narrow, wide).filter(|_| are_one_site(narrow, wide)) {
                diagnostics.push(shadowed(narrow, wide, route));
            }
        }
    }
}

fn by_pattern(gateway: &Gateway) -> BTreeMap<String, &GatewayHost> {
    gateway.hosts.iter().map(|host| (host.pattern.value.to_ascii_lowercase(), host)).collect()
}

/// Patterns that take every request of this one, the most specific first.
fn wider(pattern: &str) -> impl Iterator<Item = String> {
    let (host, port) = match pattern.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), Some(port.to_owned())),
        None => (pattern.to_owned(), None),
    };
    let name = host.strip_prefix("*.").unwrap_or(&host).to_owned();
    let labels: Vec<&str> = name.split('.').collect();
    let leading = (1..labels.len()).filter_map(|skip| labels.get(skip..)).map(|rest| format!("*.{}", rest.join(".")));
    let exact = !host.contains('*');
    let trailing = (1..labels.len()).rev().filter(|_| exact).filter_map(|take| labels.get(..take));
    let trailing = trailing.map(|rest| format!("{}.*", rest.join(".")));
    let hosts: Vec<String> = std::iter::once(host.clone()).chain(leading).chain(trailing).collect();
    let with_port = port.iter().flat_map(|port| hosts.iter().map(move |host| format!("{host}:{port}")));
    let all: Vec<String> = with_port.chain(hosts.iter().cloned()).filter(|wider| wider != pattern).collect();
    all.into_iter()
}

/// A route of the wider host of which the narrower one takes no part.
fn lacking<'a>(narrow: &GatewayHost, wide: &'a GatewayHost) -> Option<&'a Route> {
    let taken = |route: &Route| {
        narrow.routes.iter().any(|own| covers(&own.matches, &route.matches) || covers(&route.matches, &own.matches))
    };
    wide.routes.iter().find(|route| !taken(route))
}

/// Whether one service at least takes requests of both.
fn are_one_site(narrow: &GatewayHost, wide: &GatewayHost) -> bool {
    let own: BTreeSet<String> = services(narrow).collect();
    services(wide).any(|service| own.contains(&service))
}

fn services(host: &GatewayHost) -> impl Iterator<Item = String> {
    let of_routes = host.routes.iter().flat_map(Route::targets);
    of_routes.chain(&host.targets).map(|target| target.service.value.key())
}

fn shadowed(narrow: &GatewayHost, wide: &GatewayHost, route: &Route) -> Diagnostic {
    let (narrow_name, wide_name) = (&narrow.pattern.value, &wide.pattern.value);
    let message = format!("requests for `{narrow_name}` never meet the routes of `{wide_name}`");
    Diagnostic::of(codes::SHADOWED_HOST, narrow.pattern.span, message)
        .label("the host is chosen before the path")
        .related(route.span(), format!("`{narrow_name}` has no such route"))
        .help("repeat the route in the more specific host, if it shall hold there too")
}

//! Tasks of one colour of one service as endpoints, each at its own port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use spec::mesh::{Address, Endpoint, Protocol};
use spec::{Diagnostic, Diagnostics, Name, Spanned, codes};

use super::additions::Additions;
use super::member::{self, Member, Role};
use super::port::{Proxies, Selector, reach};
use super::route::Route;
use crate::import::ecs::assemble::dial_alike;
use crate::import::ecs::places;
use crate::lower::INGRESS_PORT;

/// A port of a colour: a service of the mesh, `COLOR.SERVICE.NAMESPACE`.
#[derive(Debug)]
pub(super) struct Colour {
    pub(super) name: Spanned<Name>,
    /// `SERVICE.NAMESPACE`.
    pub(super) of_service: Spanned<Name>,
    pub(super) namespace: Spanned<Name>,
    pub(super) protocol: Option<Spanned<Protocol>>,
    /// The family of its tasks, or of the first of them.
    pub(super) family: String,
    /// Empty while none of its tasks may get requests.
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) routes: Vec<Route>,
    /// What stands behind a sidecar of ours: its node, and where that one finds the application.
    pub(super) served: Vec<(Name, Spanned<Address>)>,
}

/// In the order of their names: namespace, service, colour.
pub(super) fn colours(members: &[Member<'_>], additions: &Additions<'_>, diagnostics: &mut Diagnostics) -> Vec<Colour> {
    let mut groups: BTreeMap<[String; 3], Vec<(&Member<'_>, &member::Colour)>> = BTreeMap::new();
    for member in members {
        let Role::Service(colour) = &member.role else { continue };
        let key = [member.namespace.value.key(), colour.service.value.key(), colour.color.value.key()];
        groups.entry(key).or_default().push((member, colour));
    }
    groups.into_values().flat_map(|group| ports(&group, additions, diagnostics)).collect()
}

/// The services of one colour: one for each port that its routes name.
fn ports(
    group: &[(&Member<'_>, &member::Colour)],
    additions: &Additions<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Colour> {
    let Some((first, said)) = group.first() else { return Vec::new() };
    let routes = routes(group, diagnostics);
    let mut selectors: Vec<&Selector> = Vec::new();
    for route in routes.iter().map(|route| &route.port) {
        if !selectors.contains(&route) {
            selectors.push(route);
        }
    }
    let protocol = protocol(group);
    let (namespace, service, color) = (&first.namespace, &said.service, &said.color);
    let span = color.span;
    let mut colours = Vec::new();
    for (index, selector) in selectors.into_iter().enumerate() {
        let part = selector.word().filter(|_| index > 0).map(|word| format!("{word}.")).unwrap_or_default();
        let text = format!("{part}{}.{}.{}", color.value, service.value, namespace.value);
        let whole = format!("{}.{}", service.value, namespace.value);
        let (Some(name), Some(of_service)) = (Name::new(&text), Name::new(&whole)) else {
            let message = "colour, service and namespace together cannot be the name of a service";
            diagnostics.push(Diagnostic::error(codes::INVALID_NAME, span, message));
            continue;
        };
        let own: Vec<Route> = routes.iter().filter(|route| route.port == *selector).cloned().collect();
        let mut served = Vec::new();
        let endpoints = endpoints(group, &own, selector, additions, &mut served, diagnostics);
        colours.push(Colour {
            name: Spanned::new(name, span),
            of_service: Spanned::new(of_service, service.span),
            namespace: namespace.clone(),
            protocol,
            family: first.it.definition.family.clone(),
            endpoints,
            routes: own,
            served,
        });
    }
    colours
}

/// What the newest revision of each family says that has a task which may get requests, else the newest that there is.
fn routes(group: &[(&Member<'_>, &member::Colour)], diagnostics: &mut Diagnostics) -> Vec<Route> {
    let mut newest: BTreeMap<&str, ((bool, u32), &member::Colour)> = BTreeMap::new();
    for (member, colour) in group {
        let definition = member.it.definition;
        let rank = (member.it.is_routable, definition.revision);
        let (best, of) = newest.entry(definition.family.as_str()).or_insert((rank, colour));
        if rank > *best {
            (*best, *of) = (rank, colour);
        } else if rank == *best && !same(&of.routes, &colour.routes) {
            let message = "tasks of one task definition say different routes: those of the first one hold";
            diagnostics.push(
                Diagnostic::warning(codes::IMPORTED_DIFFERENTLY, member.it.span, message)
                    .help("tag the task definition in place of single tasks"),
            );
        }
    }
    newest.into_values().flat_map(|(_, colour)| colour.routes.clone()).collect()
}

/// As of routes: that of the newest revision of a family; families whose tasks get no requests are asked where no other is.
fn protocol(group: &[(&Member<'_>, &member::Colour)]) -> Option<Spanned<Protocol>> {
    let mut newest: BTreeMap<&str, &Member<'_>> = BTreeMap::new();
    let rank = |member: &Member<'_>| (member.it.is_routable, member.it.definition.revision);
    for (member, _) in group {
        let known = newest.entry(member.it.definition.family.as_str()).or_insert(member);
        if rank(member) > rank(known) {
            *known = member;
        }
    }
    let anybody = newest.values().any(|member| member.it.is_routable);
    newest.into_values().filter(|member| member.it.is_routable || !anybody).find_map(|member| member.protocol)
}

fn same(one: &[Route], other: &[Route]) -> bool {
    let equal = |(one, other): (&Route, &Route)| {
        let access = (one.public, &one.access, &one.port) == (other.public, &other.access, &other.port);
        access && one.matches == other.matches && one.weight == other.weight
    };
    one.len() == other.len() && one.iter().zip(other).all(equal)
}

/// Each task at the port that its own words name for these routes: another revision may listen elsewhere.
fn endpoints(
    group: &[(&Member<'_>, &member::Colour)],
    routes: &[Route],
    selector: &Selector,
    additions: &Additions<'_>,
    served: &mut Vec<(Name, Spanned<Address>)>,
    diagnostics: &mut Diagnostics,
) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    let mut known = BTreeSet::new();
    for (member, colour) in group {
        let Some(running) = member.it.routable() else { continue };
        let is_one = |own: &&Route| routes.iter().any(|route| route.matches == own.matches);
        let own = colour.routes.iter().find(is_one).map_or(selector, |own| &own.port);
        let Some(address) = reach(running, own, &Proxies::of(&member.it), diagnostics) else { continue };
        if !known.insert(address.clone()) {
            continue;
        }
        let span = member.it.span;
        let zone = running.task.availability_zone.as_deref().and_then(places::place);
        let zone = zone.map(|zone| Spanned::new(zone, span));
        let mut endpoint = Endpoint { zone, ..Endpoint::at(Spanned::new(address.clone(), span)) };
        let ingress = running.ingress.and_then(|port| Some((port, additions.home(&member.it, false)?)));
        if let Some((port, node)) = ingress {
            endpoint.ingress_port = (port != INGRESS_PORT).then_some(Spanned::new(port, span));
            endpoint.node = Some(Spanned::new(node.clone(), span));
            let is_apart = member.it.here || member.it.is_bridged();
            let host = if is_apart { address.host } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
            served.push((node, Spanned::new(Address { host, ..address }, span)));
        }
        endpoints.push(endpoint);
    }
    dial_alike(&mut endpoints);
    endpoints
}

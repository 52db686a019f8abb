//! A service does not wait longer for others than its own callers wait for it.
//!
//! `calls "*"` says what may be called, not what is, so it makes no chain.

use spec::mesh::{Callee, HeaderRouting, Node, Route};
use spec::units::format_duration;
use spec::{Diagnostic, Diagnostics, Mesh, Name, codes};

use super::super::tables::Tables;
use super::tries::{Whole, said, whole_of};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    if !mesh.nodes.iter().any(|node| !node.serves.is_empty() && !node.calls.is_empty()) {
        return;
    }
    let patience = patience(mesh, tables);
    for node in &mesh.nodes {
        let Some((served, patience)) = longest(mesh, tables, &patience, node) else { continue };
        for call in &node.calls {
            let Callee::Service(name) = &call.service.value else { continue };
            let Some(called) = tables.find_service(name).and_then(|id| mesh.services.get(id.index())) else { continue };
            let waits = said(&call.timeout).unwrap_or_else(|| whole_of(mesh, called));
            if !waits.is_unlimited() && waits.limit <= patience.limit {
                continue;
            }
            let long = match waits.is_unlimited() {
                true => "without end".to_owned(),
                false => format!("up to {}", format_duration(waits.limit)),
            };
            let patient = format_duration(patience.limit);
            let message = format!("`{served}` waits {long} for `{name}`, and its callers {patient} for `{served}`");
            let mut diagnostic = Diagnostic::of(codes::TIMEOUT_CHAIN, call.service.span, message)
                .label("what it still waits for, nobody wants any more");
            if let Some(place) = waits.place {
                diagnostic = diagnostic.related(place, format!("so long a request to `{name}` may take"));
            }
            if let Some(place) = patience.place {
                diagnostic = diagnostic.related(place, format!("so long a request to `{served}` may take"));
            }
            diagnostics.push(diagnostic.help(format!("give this call a `timeout` of less than {patient}")));
        }
    }
}

/// Of the services behind a node, the one whose callers wait longest: any of them may be why the node calls another.
fn longest<'a>(mesh: &'a Mesh, tables: &Tables, patience: &[Whole], node: &Node) -> Option<(&'a str, Whole)> {
    let services = node.serves.iter().filter_map(|serve| {
        let index = tables.find_service(&serve.service.value)?.index();
        Some((mesh.services.get(index)?.name.value.as_str(), *patience.get(index)?))
    });
    let longest = services.reduce(|one, other| if patient(one.1, other.1) { one } else { other })?;
    Some(longest).filter(|(_, whole)| !whole.is_unlimited())
}

/// How long the most patient caller of each service waits for it.
fn patience(mesh: &Mesh, tables: &Tables) -> Vec<Whole> {
    let mut own: Vec<Whole> = mesh.services.iter().map(|service| whole_of(mesh, service)).collect();
    let wait = |list: &mut Vec<Whole>, name: &Name, whole: Option<Whole>| {
        let known = tables.find_service(name).and_then(|id| list.get_mut(id.index()));
        if let (Some(known), Some(whole)) = (known, whole) {
            *known = if patient(*known, whole) { *known } else { whole };
        }
    };
    for service in &mesh.services {
        service.routes.iter().for_each(|route| wait(&mut own, &service.name.value, said(&route.timeout)));
    }
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls).map(|call| (call, None));
    let by_gateway = mesh.gateways.iter().flat_map(|it| it.calls.iter().map(|call| (call, said(&it.timeout))));
    for (call, otherwise) in calls.chain(by_gateway) {
        let Callee::Service(name) = &call.service.value else { continue };
        wait(&mut own, name, said(&call.timeout).or(otherwise));
    }
    for gateway in &mesh.gateways {
        let routes = gateway.hosts.iter().flat_map(|host| &host.routes);
        let routes = routes.map(|route| (route.targets(), said(&route.timeout).or(said(&gateway.timeout))));
        let hosts = gateway.hosts.iter().map(|host| (host.targets.as_slice(), said(&gateway.timeout)));
        for (targets, whole) in routes.chain(hosts) {
            targets.iter().for_each(|target| wait(&mut own, &target.service.value, whole));
        }
    }
    // Who asks for a service waits for those to which its routes lead.
    let mut all = own.clone();
    for (service, whole) in mesh.services.iter().zip(own) {
        let targets = service.routes.iter().flat_map(Route::targets).map(|target| &target.service);
        let by_rule = service.header_routing.iter().flat_map(HeaderRouting::targets);
        targets.chain(by_rule).for_each(|name| wait(&mut all, &name.value, Some(whole)));
    }
    all
}

/// Whether the first one is at least as long.
fn patient(one: Whole, other: Whole) -> bool {
    one.is_unlimited() || (!other.is_unlimited() && one.limit >= other.limit)
}

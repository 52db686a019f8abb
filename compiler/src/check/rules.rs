//! Rules about meaning. One file each; a new rule is a new file and a line here.

mod duplicate_host;
mod empty_block;
mod forbidden_address;
mod no_endpoints;
mod port_conflict;
mod reserved_header;
mod reserved_name;
mod timeout_order;
mod unreachable_route;
mod zero_weights;

use spec::mesh::{Route, Target};
use spec::{Diagnostics, Mesh};

use super::tables::Tables;

type Rule = fn(&Mesh, &Tables, &mut Diagnostics);

const RULES: &[Rule] = &[
    duplicate_host::check,
    empty_block::check,
    forbidden_address::check,
    no_endpoints::check,
    port_conflict::check,
    reserved_header::check,
    reserved_name::check,
    timeout_order::check,
    unreachable_route::check,
    zero_weights::check,
];

pub(super) fn run(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for rule in RULES {
        rule(mesh, tables, diagnostics);
    }
}

/// Every list of routes that Envoy tries in order.
fn route_tables(mesh: &Mesh) -> impl Iterator<Item = &[Route]> {
    let services = mesh.services.iter().map(|service| service.routes.as_slice());
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).map(|host| host.routes.as_slice());
    services.chain(hosts)
}

/// Every list of targets that share requests.
fn splits(mesh: &Mesh) -> impl Iterator<Item = &[Target]> {
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).map(|host| host.targets.as_slice());
    let listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen);
    routes(mesh).map(Route::targets).chain(hosts).chain(listeners.map(|listener| listener.targets.as_slice()))
}

/// Every target of every split.
fn targets(mesh: &Mesh) -> impl Iterator<Item = &Target> {
    splits(mesh).flatten()
}

fn routes(mesh: &Mesh) -> impl Iterator<Item = &Route> {
    route_tables(mesh).flatten()
}

//! Endpoints near the caller can be preferred only where zones are known, of both.
//!
//! ECS and Cloud Map tell the zones of what they find; DNS does not. What `defaults` say is meant for services whose
//! endpoints leave a choice, and is not held against others.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Call, Callee, Dns, DnsMode, Endpoint, Locality, LocalityMode, Node, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let (mut reported, callers) = (BTreeSet::new(), LazyCell::new(|| Callers::of(mesh)));
    for service in &mesh.services {
        let balancing = service.load_balancing.as_deref().or(mesh.defaults.load_balancing.as_ref());
        let Some(locality) = balancing.and_then(|balancing| balancing.locality.as_ref()) else { continue };
        let by_defaults = service.load_balancing.is_none();
        if locality.mode.value == LocalityMode::Off || (by_defaults && !leaves_a_choice(service)) {
            continue;
        }
        let found = endpoints(service, locality).or_else(|| callers.without_zone(service, locality));
        // What `defaults` say holds for many services, and is told once.
        if let Some(found) = found.filter(|_| reported.insert(locality.mode.span)) {
            diagnostics.push(found);
        }
    }
}

/// DNS, ECS and Cloud Map tell as many endpoints as there are.
fn leaves_a_choice(service: &Service) -> bool {
    let mode = |dns: &Dns| dns.mode.as_ref().map_or(DnsMode::Strict, |mode| mode.value);
    let several = service.dns.as_ref().is_some_and(|dns| mode(dns) == DnsMode::Strict);
    several || service.ecs.is_some() || service.cloud_map.is_some() || service.endpoints.len() > 1
}

fn endpoints(service: &Service, locality: &Locality) -> Option<Diagnostic> {
    let told_by_aws = service.ecs.is_some() || service.cloud_map.is_some();
    let somewhere = !service.endpoints.is_empty() || service.dns.is_some();
    let regions = locality.mode.value == LocalityMode::Failover;
    let placed = |endpoint: &Endpoint| endpoint.zone.is_some() || (regions && endpoint.region.is_some());
    if told_by_aws || !somewhere || service.endpoints.iter().any(placed) {
        return None;
    }
    let help = match service.dns {
        Some(_) => "DNS tells no zones: delete `locality`, or find endpoints by `ecs` or `cloud-map`",
        None => "add `zone=\"…\"` to the endpoints, or delete `locality`",
    };
    Some(unknown(locality.mode.span, format!("no endpoint of `{}` says its zone", service.name.value), service, help))
}

fn unknown(span: Span, message: String, service: &Service, help: &str) -> Diagnostic {
    Diagnostic::of(codes::LOCALITY_UNKNOWN, span, message)
        .label("requests go everywhere alike")
        .related(service.name.span, "the service")
        .help(help)
}

/// The nodes that call by name, by the service's lower-case name; and those that call every service.
struct Callers<'a> {
    by_name: BTreeMap<String, Vec<&'a Node>>,
    of_all: Vec<&'a Node>,
}

impl<'a> Callers<'a> {
    fn of(mesh: &'a Mesh) -> Self {
        let mut callers = Self { by_name: BTreeMap::new(), of_all: Vec::new() };
        for node in &mesh.nodes {
            for Call { service, .. } in &node.calls {
                match &service.value {
                    Callee::All => callers.of_all.push(node),
                    Callee::Service(name) => callers.by_name.entry(name.key()).or_default().push(node),
                }
            }
        }
        callers
    }

    /// Told when no caller knows where it is: some may run in one zone, and others anywhere.
    fn without_zone(&self, service: &Service, locality: &Locality) -> Option<Diagnostic> {
        let named = self.by_name.get(&service.name.value.key()).map_or(&[][..], Vec::as_slice);
        let regions = locality.mode.value == LocalityMode::Failover;
        let placed = |node: &&&Node| node.zone.is_some() || (regions && node.region.is_some());
        let mut nodes = named.iter().chain(&self.of_all);
        let first = nodes.clone().next()?;
        // Shares by weight do not depend on where the caller is.
        if locality.mode.value == LocalityMode::Weighted || nodes.any(|node| placed(&node)) {
            return None;
        }
        let message = format!("no node that calls `{}` says its zone", service.name.value);
        let help = "add `zone \"…\"` to the node, or delete `locality`";
        let found = unknown(locality.mode.span, message, service, help);
        Some(found.related(first.name.span, "a caller"))
    }
}

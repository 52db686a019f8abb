//! An application without a sidecar: what only a sidecar could do for it is refused, what it does less of is told.

mod callee;
mod caller;
mod routes;

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Callee, Node, Protocol, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Name, Span, codes};

use super::super::tables::Tables;
use super::protocols;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    // By service: the first node without a sidecar whose requests go there.
    let mut reached: BTreeMap<usize, &Node> = BTreeMap::new();
    let mut called: BTreeSet<usize> = BTreeSet::new();
    let mut findings = Findings::default();
    for node in mesh.nodes.iter().filter(|node| node.is_proxyless()) {
        caller::check(mesh, tables, node, &mut findings);
        for index in calls(mesh, tables, node) {
            let Some(service) = mesh.services.get(index) else { continue };
            reached.entry(index).or_insert(node);
            if called.insert(index) {
                routes::check(mesh, tables, service, node, &mut findings);
            }
            let targets = service.routes.iter().flat_map(|route| route.targets());
            for target in targets.filter_map(|target| tables.find_service(&target.service.value)) {
                reached.entry(target.index()).or_insert(node);
            }
        }
    }
    for (index, node) in reached {
        let Some(service) = mesh.services.get(index) else { continue };
        callee::check(mesh, service, node, &mut findings);
    }
    findings.by_place.into_values().for_each(|diagnostic| diagnostics.push(diagnostic));
}

/// The services that a node calls; `*` is every one that its application can speak to.
fn calls(mesh: &Mesh, tables: &Tables, node: &Node) -> BTreeSet<usize> {
    let mut calls = BTreeSet::new();
    for call in &node.calls {
        match &call.service.value {
            Callee::Service(name) => calls.extend(tables.find_service(name).map(|id| id.index())),
            Callee::All => {
                let speaks = |service: &Service| speaks_http2(protocols::of(service));
                let all = mesh.services.iter().enumerate().filter(|(_, service)| speaks(service));
                calls.extend(all.map(|(index, _)| index));
            }
        }
    }
    calls
}

fn speaks_http2(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Http2 | Protocol::Grpc)
}

/// One for each place: what `defaults` says holds for many services.
#[derive(Default)]
struct Findings {
    by_place: BTreeMap<(Span, String), Diagnostic>,
}

impl Findings {
    /// What would not happen, though requests depend on it.
    fn needs_sidecar(&mut self, span: Span, what: &str, node: &Node, help: &str) {
        let name = &node.name.value;
        let message = format!("{what} needs a sidecar, and node `{name}` has none");
        self.add(Diagnostic::error(codes::NEEDS_SIDECAR, span, message), span, what, node, help);
    }

    /// What would not happen, and requests pass all the same.
    fn less(&mut self, span: Span, what: &str, node: &Node) {
        let name = &node.name.value;
        let message = format!("{what} does not hold for node `{name}`, which has no sidecar");
        let help = "write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar";
        self.add(Diagnostic::of(codes::WITHOUT_SIDECAR, span, message), span, what, node, help);
    }

    fn add(&mut self, diagnostic: Diagnostic, span: Span, what: &str, node: &Node, help: &str) {
        let place = node.proxyless.as_ref().map_or(node.name.span, |said| said.span);
        let diagnostic =
            diagnostic.label("gRPC does not do this").related(place, "its application is its own proxy").help(help);
        self.by_place.entry((span, what.to_owned())).or_insert(diagnostic);
    }
}

/// Whether a service runs behind sidecars, which know it by its own name alone.
fn is_behind_sidecars(tables: &Tables, mesh: &Mesh, service: &Name) -> bool {
    !tables.serving(mesh, service).is_empty()
}

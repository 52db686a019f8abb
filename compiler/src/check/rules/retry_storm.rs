//! Retries along a chain of calls multiply: three tries at each of four services are 81 requests for one.
//!
//! A chain leads from who asks first, through nodes that serve one service and call the next. Where calls run in a
//! circle, the circle is cut. `calls "*"` says what may be called, not what is, so it makes no chain.

use std::collections::BTreeSet;

use spec::mesh::{Call, Callee, Gateway, Node, Retry, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

/// Three tries at each of three services.
const MANY: u64 = 27;
/// Places of a chain that are shown.
const SHOWN: usize = 6;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    if !retries(mesh) {
        return;
    }
    let graph = Graph::of(mesh, tables);
    let worst = graph.worst();
    let mut reported = BTreeSet::new();
    for start in graph.starts() {
        let Some(found) = at(&worst, start).filter(|worst| worst.requests > MANY) else { continue };
        if found.last.is_none_or(|last| reported.contains(&last)) {
            continue;
        }
        let chain = graph.chain(start, &worst);
        // One call that is tried often is no chain.
        let [.., _, last] = chain.as_slice() else { continue };
        reported.insert(last.place);
        let requests = chain.iter().fold(1u64, |all, hop| all.saturating_mul(hop.tries));
        let message = format!("one request may become {requests} requests to `{}`", last.to);
        let mut diagnostic = Diagnostic::of(codes::RETRY_STORM, last.place, message)
            .label(format!("each request to `{}` is tried {} times", last.to, last.tries));
        for hop in chain.iter().rev().skip(1).take(SHOWN) {
            diagnostic = diagnostic.related(hop.place, format!("times {} tries of `{}`", hop.tries, hop.to));
        }
        diagnostics.push(diagnostic.help("retry at one place of the chain, best at the caller next to what fails"));
    }
}

/// Whether anything is tried again because of a caller, a service or `defaults`.
fn retries(mesh: &Mesh) -> bool {
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    mesh.defaults.retry.is_some()
        || mesh.services.iter().any(|service| service.retry.is_some())
        || mesh.gateways.iter().any(|gateway| gateway.retry.is_some())
        || calls.chain(mesh.gateways.iter().flat_map(|it| &it.calls)).any(|call| call.retry.is_some())
}

/// Services by name, then nodes, gateways, and the endpoints of services, to which routes lead: who stands behind whom.
struct Graph<'a> {
    edges: Vec<Vec<Edge<'a>>>,
    entered: Vec<bool>,
}

/// A step from a service to endpoints, from there to a node that serves them, or from a caller to the service it calls.
#[derive(Clone, Copy)]
struct Edge<'a> {
    to: usize,
    hop: Option<Hop<'a>>,
}

/// A call that is tried more than once.
#[derive(Clone, Copy)]
struct Hop<'a> {
    to: &'a str,
    tries: u64,
    place: Span,
}

/// The most requests that one request to a vertex may become, the edge that leads there, and the last call on that way.
#[derive(Clone, Copy)]
struct Worst {
    requests: u64,
    edge: Option<usize>,
    last: Option<Span>,
}

impl<'a> Graph<'a> {
    fn of(mesh: &'a Mesh, tables: &Tables) -> Self {
        let (services, nodes) = (mesh.services.len(), mesh.nodes.len());
        let endpoints = services + nodes + mesh.gateways.len();
        let mut edges: Vec<Vec<Edge<'a>>> = vec![Vec::new(); endpoints + services];
        let calls = |calls: &'a [Call], retries: Option<&'a Retry>| -> Vec<Edge<'a>> {
            calls.iter().filter_map(|call| of_call(mesh, tables, call, retries)).collect()
        };
        for (index, service) in mesh.services.iter().enumerate() {
            let targets = service.routes.iter().flat_map(|route| route.targets());
            let others = targets.filter_map(|target| tables.find_service(&target.service.value)).map(|id| id.index());
            let reached: BTreeSet<usize> = others.chain([index]).collect();
            if let Some(out) = edges.get_mut(index) {
                out.extend(reached.into_iter().map(|id| Edge { to: endpoints + id, hop: None }));
            }
        }
        for (index, Node { serves, calls: called, .. }) in mesh.nodes.iter().enumerate() {
            let node = services + index;
            for serve in serves {
                let service = tables.find_service(&serve.service.value);
                if let Some(out) = service.and_then(|id| edges.get_mut(endpoints + id.index())) {
                    out.push(Edge { to: node, hop: None });
                }
            }
            if let Some(out) = edges.get_mut(node) {
                *out = calls(called, None);
            }
        }
        for (index, Gateway { calls: called, retry, hosts, .. }) in mesh.gateways.iter().enumerate() {
            let routed =
                hosts.iter().flat_map(|host| host.routes.iter().flat_map(|it| it.targets()).chain(&host.targets));
            let routed = routed.filter_map(|target| {
                let service = find(mesh, tables, &target.service.value)?;
                Some(edge(mesh, service.0, service.1, retry.as_ref()))
            });
            if let Some(out) = edges.get_mut(services + nodes + index) {
                *out = calls(called, retry.as_ref()).into_iter().chain(routed).collect();
            }
        }
        let mut entered = vec![false; edges.len()];
        for edge in edges.iter().flatten() {
            if let Some(entered) = entered.get_mut(edge.to) {
                *entered = true;
            }
        }
        Self { edges, entered }
    }

    /// Who asks first; where everything is asked by somebody, anybody.
    fn starts(&self) -> impl Iterator<Item = usize> {
        let first = self.entered.iter().enumerate().filter(|(_, entered)| !**entered).map(|(vertex, _)| vertex);
        first.chain(self.entered.iter().enumerate().filter(|(_, entered)| **entered).map(|(vertex, _)| vertex))
    }

    /// For each vertex; without recursion, since chains may be as long as there are services.
    fn worst(&self) -> Vec<Option<Worst>> {
        let mut done: Vec<Option<Worst>> = vec![None; self.edges.len()];
        let mut begun = vec![false; self.edges.len()];
        for start in self.starts() {
            let mut stack = vec![(start, 0usize)];
            while let Some((vertex, next)) = stack.pop() {
                let (Some(done_here), Some(begun_here)) = (done.get(vertex), begun.get_mut(vertex)) else { continue };
                if done_here.is_some() {
                    continue;
                }
                *begun_here = true;
                let edges = self.edges.get(vertex).map_or(&[][..], Vec::as_slice);
                match edges.get(next) {
                    Some(edge) => {
                        stack.push((vertex, next + 1));
                        // What was begun is done, or closes a circle.
                        if begun.get(edge.to).is_some_and(|begun| !begun) {
                            stack.push((edge.to, 0));
                        }
                    }
                    None => {
                        let worst = worst_of(edges, &done);
                        if let Some(done) = done.get_mut(vertex) {
                            *done = Some(worst);
                        }
                    }
                }
            }
        }
        done
    }

    /// The calls with retries along the worst chain.
    fn chain(&self, start: usize, worst: &[Option<Worst>]) -> Vec<Hop<'a>> {
        let (mut hops, mut vertex) = (Vec::new(), start);
        // An edge leads to what was done before, so this ends.
        while let Some(edge) = at(worst, vertex).and_then(|worst| worst.edge) {
            let Some(edge) = self.edges.get(vertex).and_then(|edges| edges.get(edge)) else { break };
            hops.extend(edge.hop);
            vertex = edge.to;
        }
        hops
    }
}

fn at(worst: &[Option<Worst>], vertex: usize) -> Option<&Worst> {
    worst.get(vertex)?.as_ref()
}

/// A vertex that is not done yet closes a circle.
fn worst_of(edges: &[Edge<'_>], done: &[Option<Worst>]) -> Worst {
    let mut worst = Worst { requests: 1, edge: None, last: None };
    for (index, edge) in edges.iter().enumerate() {
        let Some(behind) = at(done, edge.to) else { continue };
        let requests = behind.requests.saturating_mul(edge.hop.map_or(1, |hop| hop.tries));
        if requests > worst.requests {
            let last = behind.last.or(edge.hop.map(|hop| hop.place));
            worst = Worst { requests, edge: Some(index), last };
        }
    }
    worst
}

fn of_call<'a>(mesh: &'a Mesh, tables: &Tables, call: &'a Call, caller: Option<&'a Retry>) -> Option<Edge<'a>> {
    let Callee::Service(name) = &call.service.value else { return None };
    let (index, service) = find(mesh, tables, name)?;
    Some(edge(mesh, index, service, call.retry.as_deref().or(caller)))
}

fn edge<'a>(mesh: &'a Mesh, to: usize, service: &'a Service, caller: Option<&'a Retry>) -> Edge<'a> {
    let retry = caller.or(service.retry.as_deref()).or(mesh.defaults.retry.as_ref());
    let hop = retry.map(|retry| Hop {
        to: service.name.value.as_str(),
        tries: u64::from(retry.attempts.value).saturating_add(1),
        place: retry.attempts.span,
    });
    Edge { to, hop }
}

fn find<'a>(mesh: &'a Mesh, tables: &Tables, name: &spec::Name) -> Option<(usize, &'a Service)> {
    let index = tables.find_service(name)?.index();
    Some((index, mesh.services.get(index)?))
}

//! Two listeners of one sidecar or gateway cannot have one port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use spec::mesh::{Call, Callee, Gateway, Node, Stats};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::protocols;
use crate::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Something that listens; without a place when every Envoy has it.
struct Listener {
    what: String,
    host: IpAddr,
    span: Option<Span>,
}

#[derive(Default)]
struct Listeners {
    /// By port.
    listeners: BTreeMap<u16, Vec<Listener>>,
    /// The ports at which applications are among them.
    applications: BTreeSet<u16>,
}

/// Both places of a finding: what `defaults` say is reported once.
type Reported = BTreeSet<(Option<Span>, Option<Span>)>;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut reported = Reported::new();
    for node in &mesh.nodes {
        of_node(mesh, tables, node).report(&mut reported, diagnostics);
        one_for_all(mesh, node, diagnostics);
    }
    for gateway in &mesh.gateways {
        of_gateway(mesh, gateway).report(&mut reported, diagnostics);
    }
}

fn of_node(mesh: &Mesh, tables: &Tables, node: &Node) -> Listeners {
    let mut listeners = Listeners::default();
    let bind = node.bind.as_ref().map(|bind| bind.value);
    listeners.fixed(ADMIN_PORT, LOOPBACK, "Envoy's administration");
    listeners.fixed(PROMETHEUS_PORT, EVERYWHERE, "the metrics listener");
    listeners.fixed(EGRESS_PORT, bind.unwrap_or(LOOPBACK), "the listener for requests that go out");
    if !node.serves.is_empty() {
        listeners.fixed(INGRESS_PORT, bind.unwrap_or(EVERYWHERE), "the listener for requests that come in");
    }
    if let Some(proxy) = &node.transparent_proxy {
        let said = [(&proxy.inbound_port, 15000, "inbound"), (&proxy.outbound_port, 15001, "outbound")];
        for (port, default, direction) in said {
            let (port, span) = port.as_ref().map_or((default, proxy.place.0), |port| (port.value, Some(port.span)));
            listeners.add(port, EVERYWHERE, format!("the transparent proxy's {direction} port"), span);
        }
    }
    listeners.prometheus(node.stats.as_ref().or(mesh.defaults.stats.as_ref()));
    for (service, port, host, span) in applications(mesh, tables, node) {
        listeners.application(port, host, format!("the application of `{service}`"), span);
    }
    for call in &node.calls {
        let Some(port) = &call.local_port else { continue };
        let host = call.local_address.as_ref().map_or(LOOPBACK, |address| address.value);
        listeners.add(port.value, host, "another `local-port`".to_owned(), Some(port.span));
    }
    listeners
}

/// A port leads to one service.
fn one_for_all(mesh: &Mesh, node: &Node, diagnostics: &mut Diagnostics) {
    let listed = Call::listed(&node.calls).count();
    for call in node.calls.iter().filter(|call| call.service.value == Callee::All) {
        if let Some(port) = &call.local_port
            && mesh.services.len() > listed + 1
        {
            let message = format!("port {} cannot stand for every service", port.value);
            diagnostics.push(
                Diagnostic::error(codes::LOCAL_PORT_CONFLICT, port.span, message)
                    .label("a port of its own leads to one service")
                    .help("name the service: `calls \"cart.svc\" local-port=9001`"),
            );
        }
    }
}

fn of_gateway(mesh: &Mesh, gateway: &Gateway) -> Listeners {
    let mut listeners = Listeners::default();
    listeners.prometheus(gateway.stats.as_ref().or(mesh.defaults.stats.as_ref()));
    let host = gateway.bind.as_ref().map_or(EVERYWHERE, |bind| bind.value);
    for listener in &gateway.listen {
        listeners.add(listener.port.value, host, "another `listen`".to_owned(), Some(listener.port.span));
    }
    listeners
}

/// The ports beside the sidecar on which its services' applications listen, as far as the mesh says.
fn applications<'a>(
    mesh: &'a Mesh,
    tables: &Tables,
    node: &'a Node,
) -> impl Iterator<Item = (&'a spec::Name, u16, IpAddr, Span)> {
    node.serves
        .iter()
        .filter_map(|serve| Some((serve, protocols::service(mesh, tables, &serve.service.value)?)))
        .flat_map(|(serve, service)| {
            let own = |name: &spec::Name| name.key() == node.name.value.key();
            let beside = move |endpoint: &&spec::mesh::Endpoint| match serve.upstreams.is_empty() {
                true => endpoint.node.as_ref().is_none_or(|name| own(&name.value)),
                false => endpoint.address.value.host.to_canonical().is_loopback(),
            };
            let said = if serve.upstreams.is_empty() { &service.endpoints } else { &serve.upstreams };
            said.iter().filter(beside).map(|endpoint| {
                let host = if serve.upstreams.is_empty() { LOOPBACK } else { endpoint.address.value.host };
                (&service.name.value, endpoint.address.value.port, host, endpoint.address.span)
            })
        })
}

impl Listeners {
    fn fixed(&mut self, port: u16, host: IpAddr, what: &str) {
        self.add(port, host, what.to_owned(), None);
    }

    fn add(&mut self, port: u16, host: IpAddr, what: String, span: Option<Span>) {
        self.listeners.entry(port).or_default().push(Listener { what, host: host.to_canonical(), span });
    }

    /// One application may be several services, and a service have several endpoints there.
    fn application(&mut self, port: u16, host: IpAddr, what: String, span: Span) {
        let there = self.listeners.entry(port).or_default();
        if self.applications.insert(port) {
            there.push(Listener { what, host: host.to_canonical(), span: Some(span) });
        }
    }

    /// On its usual port it is the listener that every Envoy has.
    fn prometheus(&mut self, stats: Option<&Stats>) {
        let Some(prometheus) = stats.and_then(|stats| stats.prometheus.as_ref()) else { return };
        if prometheus.port.value != PROMETHEUS_PORT {
            let host = prometheus.bind.as_ref().map_or(EVERYWHERE, |bind| bind.value);
            self.add(prometheus.port.value, host, "the port for Prometheus".to_owned(), Some(prometheus.port.span));
        }
    }

    /// Compares each with those before it.
    fn report(&self, reported: &mut Reported, diagnostics: &mut Diagnostics) {
        for (port, there) in &self.listeners {
            for (index, later) in there.iter().enumerate() {
                let Some(span) = later.span else { continue };
                let before = there.iter().take(index).find(|before| meet(before.host, later.host));
                let Some(before) = before else { continue };
                if !reported.insert((Some(span), before.span)) {
                    continue;
                }
                let message = format!("port {port} is taken by {}", before.what);
                let diagnostic = Diagnostic::error(codes::LOCAL_PORT_CONFLICT, span, message)
                    .label("only one of the two could listen here")
                    .help("choose another port");
                diagnostics.push(match before.span {
                    Some(place) => diagnostic.related(place, "the other one"),
                    None => diagnostic,
                });
            }
        }
    }
}

fn meet(one: IpAddr, other: IpAddr) -> bool {
    one == other || one.is_unspecified() || other.is_unspecified()
}

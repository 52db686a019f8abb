//! Who listens where: the application where the mesh expects it, and nobody where the sidecar does.

use std::collections::{BTreeMap, BTreeSet};

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::json::Json;
use super::super::patch::Network;
use super::{Task, name, place};
use crate::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT};

const CODE: spec::Code = codes::TASK_PORTS;
/// Where the sidecar answers health checks.
const HEALTH_PORT: u16 = 9902;

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    expected(task, diagnostics);
    published(task, diagnostics);
    // Behind a bridge every container has ports of its own.
    if matches!(task.network, Network::Awsvpc | Network::Host) {
        taken(task, diagnostics);
    }
}

/// Ports on which the sidecar expects the application.
fn expected(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let missing: Vec<u16> = task
        .wanted
        .application
        .iter()
        .copied()
        .filter(|port| !task.applications.iter().any(|it| mapped(it).iter().any(|range| range.has(*port))))
        .collect();
    // A volume of ports that nobody maps is one finding.
    let Some((container, first)) = task.applications.first().zip(missing.first()) else { return };
    let container = task.applications.iter().find(|it| !mapped(it).is_empty()).unwrap_or(container);
    let ports: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let message = format!(
        "node `{}` expects its application at port {}, which no container has",
        task.wanted.name,
        ports.join(", ")
    );
    diagnostics.push(
        Diagnostic::of(CODE, place(container, "portMappings"), message)
            .help(format!("add `{{\"containerPort\": {first}}}` to the container that listens there"))
            .help("or correct the port in the mesh: that of the endpoint, of `ecs`, or of `upstream`"),
    );
}

/// Ports at which callers reach the sidecar.
fn published(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let Some(sidecar) = task.sidecar else { return };
    let Some((_metrics, dialled)) = task.wanted.inbound.split_last() else { return };
    for port in dialled.iter().filter(|port| !mapped(sidecar).iter().any(|range| range.has(**port))) {
        let message = format!("callers dial port {port} of the sidecar, which it does not map");
        let at = place(sidecar, "portMappings");
        let diagnostic = match task.network {
            Network::Bridge => Diagnostic::of(CODE, at, message),
            _ => Diagnostic::warning(CODE, at, message),
        };
        diagnostics.push(diagnostic.help(format!("add `{{\"containerPort\": {port}}}`")));
    }
    if task.network != Network::Bridge || task.wanted.is_gateway {
        return;
    }
    for mapping in sidecar.list_of("portMappings").iter().filter(|it| it.number_of("hostPort").is_some_and(|it| it > 0))
    {
        let message = "with a fixed port of the host an instance can run one such task";
        let at = mapping.span_of("hostPort");
        diagnostics
            .push(Diagnostic::warning(CODE, at, message).help("write `\"hostPort\": 0`: ECS chooses, and tells"));
    }
}

/// Ports of the sidecar that an application has, and ports that two applications have.
fn taken(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let mut own: BTreeMap<u16, &str> = task.wanted.inbound.iter().map(|port| (*port, "callers and metrics")).collect();
    own.extend([(ADMIN_PORT, "Envoy's administration"), (HEALTH_PORT, "its health")]);
    if !task.wanted.is_gateway {
        own.insert(EGRESS_PORT, "what the application calls");
    }
    if own.contains_key(&INGRESS_PORT) {
        own.insert(INGRESS_PORT, "callers");
    }
    if let Some(interception) = &task.wanted.interception {
        own.extend([
            (interception.inbound, "connections that are taken"),
            (interception.outbound, "connections that are taken"),
        ]);
    }
    own.extend(task.wanted.local_on_loopback.iter().map(|port| (*port, "a `local-port`")));
    let mut others: BTreeMap<u16, &Json> = BTreeMap::new();
    for container in &task.applications {
        for range in mapped(container).iter().filter(|range| range.is_tcp) {
            if let Some((port, what)) = own.iter().find(|(port, _)| range.has(**port)) {
                let message = format!(
                    "container `{}` has port {port}, where the sidecar listens for {what}",
                    quote(name(container))
                );
                let diagnostic = Diagnostic::of(CODE, range.mapping.span_of("containerPort"), message);
                diagnostics.push(diagnostic.help("let the container listen at another port"));
            }
            if range.first == range.last
                && let Some(first) = others.insert(range.first, range.mapping)
            {
                let message = format!("two containers have port {}, and share one network", range.first);
                let diagnostic = Diagnostic::of(CODE, range.mapping.span_of("containerPort"), message);
                diagnostics.push(diagnostic.related(first.span_of("containerPort"), "the first one"));
            }
        }
    }
}

struct Ports<'j> {
    first: u16,
    last: u16,
    is_tcp: bool,
    mapping: &'j Json,
}

impl Ports<'_> {
    fn has(&self, port: u16) -> bool {
        self.is_tcp && (self.first..=self.last).contains(&port)
    }
}

fn mapped(container: &Json) -> Vec<Ports<'_>> {
    let mut seen = BTreeSet::new();
    let ports = container.list_of("portMappings").iter().filter_map(|mapping| {
        let (first, last) = match mapping.number_of("containerPort") {
            Some(port) => (port, port),
            None => {
                let (first, last) = mapping.text_of("containerPortRange")?.split_once('-')?;
                (first.trim().parse().ok()?, last.trim().parse().ok()?)
            }
        };
        let is_tcp = mapping.text_of("protocol").is_none_or(|it| it.eq_ignore_ascii_case("tcp"));
        Some(Ports { first: u16::try_from(first).ok()?, last: u16::try_from(last).ok()?, is_tcp, mapping })
    });
    // The same port at several addresses of the host is one.
    ports.filter(|it| seen.insert((it.first, it.last, it.is_tcp))).collect()
}

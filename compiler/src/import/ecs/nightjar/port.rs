//! At which address and port a task takes requests: `PORT`, `CONTAINER:PORT` or `BOUND-ADDRESS:PORT`, each task its own.

use std::collections::BTreeSet;
use std::net::IpAddr;

use spec::mesh::Address;
use spec::{Diagnostic, Diagnostics, Span, codes};

use super::present::Present;
use crate::import::ecs::world::RunningTask;
use crate::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT};
use crate::observation::NetworkBinding;

/// Which of a task's ports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selector {
    /// The only one that is not a proxy's.
    Any,
    Port(u16),
    Container(String, u16),
    Bound(IpAddr, u16),
}

impl Selector {
    pub(super) fn read(text: &str) -> Option<Self> {
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
        let Some((of, number)) = text.rsplit_once(':') else { return port(text).map(Self::Port) };
        let (of, number) = (of.trim(), port(number.trim())?);
        let bare = of.strip_prefix('[').and_then(|of| of.strip_suffix(']')).unwrap_or(of);
        match bare.parse() {
            Ok(address) => Some(Self::Bound(address, number)),
            Err(_) if of.is_empty() => None,
            Err(_) => Some(Self::Container(of.to_owned(), number)),
        }
    }

    /// As a part of a name.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Port(port) => Some(port.to_string()),
            Self::Container(of, port) => Some(format!("{of}-{port}")),
            Self::Bound(address, port) => Some(format!("{}-{port}", address.to_string().replace(':', "-"))),
        }
    }
}

/// Where the task is reached. `None`, with the reason, where it is not.
pub(super) fn reach(
    running: &RunningTask<'_>,
    selector: &Selector,
    proxies: &Proxies<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Address> {
    let at =
        |container: &str, port: u16| Some(address(running, container, port, None, running.reached(container, port)?));
    let found = match selector {
        Selector::Container(container, port) => at(container, *port),
        Selector::Bound(bound, port) => bound_to(running, *bound, *port).or_else(|| {
            let containers = running.definition.containers.iter();
            containers.map(|it| it.name.as_str()).find_map(|container| at(container, *port))
        }),
        Selector::Port(port) => {
            let all = || running.definition.containers.iter().map(|container| container.name.as_str());
            let maps = |container: &&str| running.ports.contains_key(&((*container).to_owned(), *port));
            let own = |container: &&str| !proxies.containers.contains(*container);
            let first = all().find(maps).or_else(|| all().find(own)).or_else(|| all().next());
            first.and_then(|container| at(container, *port))
        }
        Selector::Any => return any(running, proxies, diagnostics),
    };
    if found.is_none() {
        let message = "no container of this task is reached at the port of its route";
        diagnostics.push(
            Diagnostic::warning(codes::NOT_MAPPED, running.span, message)
                .help("map that port in the task definition, or name another one in `NJ_ROUTE_PORT`"),
        );
    }
    found
}

/// Which containers, and which ports, are a proxy's and not the application's.
#[derive(Debug)]
pub(super) struct Proxies<'o> {
    containers: BTreeSet<&'o str>,
    ports: BTreeSet<u16>,
}

impl<'o> Proxies<'o> {
    /// The container that is told where to listen, and everything that an Envoy listens on.
    pub(super) fn of(it: &Present<'o>) -> Self {
        const TOLD: [&str; 4] = ["NJ_LISTEN_PORT", "NJ_ADMIN_PORT", "EGRESS_LISTEN_PORT", "INGRESS_LISTEN_PORT"];
        let variables = || it.definition.containers.iter().flat_map(|container| &container.environment);
        let is_told = |name: &str| TOLD.contains(&name);
        let told = variables().filter(|(name, _)| is_told(name)).filter_map(|(_, port)| port.trim().parse().ok());
        let containers = it.definition.containers.iter();
        Self {
            containers: containers
                .filter(|container| container.environment.keys().any(|name| is_told(name)))
                .map(|container| container.name.as_str())
                .collect(),
            ports: [ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT].into_iter().chain(told).collect(),
        }
    }
}

impl Proxies<'_> {
    pub(super) fn has(&self, container: &str, port: u16) -> bool {
        self.containers.contains(container) || self.ports.contains(&port)
    }
}

/// The only port that is mapped; of several, the first, with a warning.
fn any(running: &RunningTask<'_>, proxies: &Proxies<'_>, diagnostics: &mut Diagnostics) -> Option<Address> {
    let mapped: Vec<(&str, u16)> = running
        .definition
        .containers
        .iter()
        .flat_map(|container| container.ports.iter().map(|port| (container.name.as_str(), port.container_port)))
        .filter(|(container, port)| running.ports.contains_key(&((*container).to_owned(), *port)))
        .collect();
    let is_own = |(container, port): &&(&str, u16)| !proxies.has(container, *port);
    let own: Vec<_> = mapped.iter().filter(is_own).collect();
    let not_known = |port: &&(&str, u16)| !proxies.ports.contains(&port.1);
    let candidates = if own.is_empty() { mapped.iter().filter(not_known).collect() } else { own };
    match candidates.as_slice() {
        [] => {
            let message = "no container of this task maps a port: nothing is known of where it takes requests";
            diagnostics.push(
                Diagnostic::warning(codes::NOT_MAPPED, running.definition_span, message)
                    .help("add `portMappings` to the container, or say `NJ_ROUTE_PORT`"),
            );
            None
        }
        [(container, port)] => Some(address(running, container, *port, None, running.reached(container, *port)?)),
        [(container, port), ..] => {
            diagnostics.push(several(running.definition_span, *port));
            Some(address(running, container, *port, None, running.reached(container, *port)?))
        }
    }
}

fn several(span: Span, port: u16) -> Diagnostic {
    let message = format!("the containers map several ports: requests go to the first, {port}");
    Diagnostic::warning(codes::IMPORTED_DIFFERENTLY, span, message).help("say which one in `NJ_ROUTE_PORT`")
}

/// The port of a container that the host binds to this address alone.
fn bound_to(running: &RunningTask<'_>, bound: IpAddr, port: u16) -> Option<Address> {
    let containers = running.task.containers.iter();
    containers
        .flat_map(|container| container.network_bindings.iter().map(|binding| (container.name.as_str(), binding)))
        .find(|(_, binding)| binding.container_port == port && binding.bind_ip.parse() == Ok(bound))
        .map(|(container, binding)| address(running, container, port, Some(binding), binding.host_port))
}

/// A host's port that is bound to one address is reached there; `0.0.0.0` and `::` mean all of the host's.
fn address(
    running: &RunningTask<'_>,
    container: &str,
    port: u16,
    binding: Option<&NetworkBinding>,
    reached: u16,
) -> Address {
    let bound = || {
        let containers = running.task.containers.iter().filter(|seen| seen.name == container);
        let mut bindings = containers.flat_map(|seen| &seen.network_bindings);
        bindings.find(|it| it.container_port == port && it.host_port == reached)
    };
    let said = binding.or_else(bound).and_then(|binding| binding.bind_ip.parse::<IpAddr>().ok());
    let said = said.filter(|said| !running.has_own_ports() && !said.is_unspecified() && !said.is_loopback());
    Address { host: said.unwrap_or(running.address), port: reached }
}

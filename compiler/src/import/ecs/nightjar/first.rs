//! nightjar's first version: a task says in variables which paths lead to which ECS services, and to its own containers.

mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use spec::mesh::{Address, Call, Callee, Endpoint, Node, RouteMatch};
use spec::{Diagnostic, Diagnostics, Name, Span, Spanned, codes};

use super::additions::Additions;
use super::port::Proxies;
use super::present::Present;
use super::route::at_and_below;
use super::table::{self, Share};
use super::{Input, may_claim, names};
use crate::import::ecs::assemble::by_family;
use crate::import::ecs::world::RunningTask;
use words::{Egress, Ingress, Said};

pub(super) fn add(
    input: &Input<'_>,
    present: &[Present<'_>],
    additions: &mut Additions<'_>,
    diagnostics: &mut Diagnostics,
) {
    let mut by_definition: BTreeMap<(&str, u32), Vec<(&Present<'_>, Said)>> = BTreeMap::new();
    for it in present {
        if let Some(said) = words::read(it, diagnostics) {
            let key = (it.definition.family.as_str(), it.definition.revision);
            by_definition.entry(key).or_default().push((it, said));
        }
    }
    let mut targets = Targets { input, present, done: BTreeMap::new() };
    for tasks in by_definition.into_values() {
        // Of several containers at one host, each proxy has those of its own host.
        let by_host = |(it, said): &(&Present<'_>, Said)| it.here || (it.is_bridged() && !said.ingress.is_empty());
        let alone = tasks.iter().any(by_host)
            || tasks.windows(2).any(|pair| matches!(pair, [(_, one), (_, other)] if one != other));
        let mut done = BTreeSet::new();
        for (it, said) in &tasks {
            let (Some(name), Some(node)) = (it.node(alone), additions.home(it, alone)) else { continue };
            additions.asks(it, &node, it.node(false).as_ref() == Some(&node));
            if done.insert(name.key()) {
                let calls = calls(it, said, &name, &mut targets, additions, diagnostics);
                let bind = it.bind().map(|bind| Spanned::new(bind, it.span));
                additions.node(Node { bind, calls, ..Node::named(Spanned::new(node, it.definition_span)) });
            }
        }
    }
}

/// A port for what goes out, and one for what comes in: services that lead on by path, whatever the `Host`.
fn calls(
    it: &Present<'_>,
    said: &Said,
    name: &Name,
    targets: &mut Targets<'_>,
    additions: &mut Additions<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Call> {
    let base = name.as_str().replace('/', "-");
    let mut calls = Vec::new();
    let mut call = |service: Spanned<Name>, port: Option<Spanned<u16>>, address: Option<IpAddr>| {
        let local_address = address.filter(|_| port.is_some()).map(|address| Spanned::new(address, it.span));
        calls.push(Call { local_port: port, local_address, ..Call::of(service.map(Callee::Service)) });
    };
    if !said.egress.is_empty() {
        let mut ways = Vec::new();
        for egress in &said.egress {
            let Some((to, is_there)) = targets.find(egress, additions, diagnostics) else { continue };
            ways.push(Way { path: &egress.path, to, is_there });
        }
        if let Some(service) = lead(&ways, &format!("{base}.egress"), it.definition_span, additions, diagnostics) {
            report_missing(&said.egress_port, "EGRESS_LISTEN_PORT", &service, it.definition_span, diagnostics);
            call(service, said.egress_port, it.inside());
        }
    }
    if !said.ingress.is_empty() {
        let mut ways = Vec::new();
        for ingress in &said.ingress {
            let Some((to, is_there)) = beside(it, ingress, &base, targets, additions, diagnostics) else { continue };
            ways.push(Way { path: &ingress.path, to, is_there });
        }
        if let Some(service) = lead(&ways, &format!("{base}.ingress"), it.definition_span, additions, diagnostics) {
            report_missing(&said.ingress_port, "INGRESS_LISTEN_PORT", &service, it.definition_span, diagnostics);
            call(service, said.ingress_port, Some(it.bind().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))));
        }
    }
    calls
}

/// A path, and who takes its requests.
struct Way<'s> {
    path: &'s Spanned<String>,
    to: Name,
    is_there: bool,
}

/// The service that leads on by path. Of two that have one path the first has it, as under nightjar.
fn lead(
    ways: &[Way<'_>],
    name: &str,
    span: Span,
    additions: &mut Additions<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Name>> {
    let mut taken: BTreeMap<&str, &Name> = BTreeMap::new();
    let mut matches: Vec<(&Way<'_>, Vec<RouteMatch>)> = Vec::new();
    for way in ways {
        let of = at_and_below(&way.path.value, way.path.span);
        match taken.get(way.path.value.as_str()) {
            None => drop(taken.insert(&way.path.value, &way.to)),
            Some(first) if **first == way.to => continue,
            Some(_) => {
                let message = "two services have one path: the first has it, as under nightjar";
                diagnostics.push(Diagnostic::warning(codes::IMPORTED_DIFFERENTLY, way.path.span, message));
                continue;
            }
        }
        matches.push((way, of));
    }
    let shares: Vec<Share<'_>> = matches
        .iter()
        .map(|(way, matches)| Share { matches, to: &way.to, weight: 1, is_there: way.is_there, span: way.path.span })
        .collect();
    let name = Spanned::new(Name::new(name)?, span);
    let table = table::table(&shares);
    if let Some(span) = table.moved.first() {
        let message = "these paths are tried in another order: narrower ones first";
        let note = Diagnostic::note(codes::IMPORTED_DIFFERENTLY, *span, message);
        diagnostics.push(note.help("under nightjar a path that comes after a wider one is never reached"));
    }
    let routes = if table.routes.is_empty() { table::nothing(span) } else { table.routes };
    additions.route(&name, routes, diagnostics);
    Some(name)
}

fn report_missing(
    port: &Option<Spanned<u16>>,
    key: &str,
    service: &Spanned<Name>,
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    if port.is_none() {
        let message = format!("`{key}` is not said: nothing listens for these paths alone");
        let warning = Diagnostic::warning(codes::NOT_MAPPED, span, message);
        diagnostics.push(warning.help(format!("say it, or send `Host: {}` to port 4000", service.value)));
    }
}

/// ECS services that somebody calls, each put into the mesh once.
struct Targets<'t> {
    input: &'t Input<'t>,
    present: &'t [Present<'t>],
    /// Those that were found before, and whether anybody is there.
    done: BTreeMap<String, bool>,
}

impl Targets<'_> {
    /// The service, `[CONTAINER-PORT.]SERVICE.CLUSTER`, and whether anybody is there.
    fn find(
        &mut self,
        egress: &Egress,
        additions: &mut Additions<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<(Name, bool)> {
        let part = match (&egress.container, egress.port) {
            (Some(container), Some(port)) => format!("{container}-{port}."),
            (Some(container), None) => format!("{container}."),
            (None, Some(port)) => format!("{port}."),
            (None, None) => String::new(),
        };
        let Some(name) = Name::new(&format!("{part}{}.{}", egress.service, egress.cluster))
            .filter(|name| !name.as_str().contains('/'))
        else {
            let message = "service and cluster cannot be the name of a service";
            diagnostics.push(Diagnostic::error(codes::INVALID_NAME, egress.path.span, message));
            return None;
        };
        if names::is_reserved(&name) {
            let message = "service and cluster make a name that stands for the routes or gateways of a namespace";
            diagnostics.push(Diagnostic::error(codes::RESERVED_NAME, egress.path.span, message));
            return None;
        }
        if let Some(is_there) = self.done.get(&name.key()) {
            return Some((name, *is_there));
        }
        if self.input.said.contains(&name.key()) {
            return Some((name, true));
        }
        let named = Spanned::new(name.clone(), egress.path.span);
        let is_of = |it: &&Present<'_>| it.cluster == egress.cluster && it.task.service() == Some(&egress.service);
        let mut endpoints: Vec<Endpoint> = Vec::new();
        let mut warned = false;
        for it in self.present.iter().filter(is_of) {
            let Some(running) = it.routable() else { continue };
            if !may_claim(self.input, &name, it, additions.findings()) {
                continue;
            }
            let found = candidates(it, running, egress.container.as_deref(), egress.port);
            if found.len() > 1 && !warned {
                warned = true;
                diagnostics.push(several(egress.path.span, found.first().copied()));
            }
            match found.first().and_then(|(container, port)| running.reached(container, *port)) {
                Some(port) => {
                    endpoints.push(Endpoint::at(Spanned::new(Address { host: running.address, port }, it.span)));
                }
                None => {
                    let message =
                        "no container of this task is reached as `SERVICE_CONTAINER_X` and `SERVICE_PORT_X` say";
                    diagnostics.push(Diagnostic::warning(codes::NOT_MAPPED, it.span, message));
                }
            }
        }
        let is_there = !endpoints.is_empty();
        additions.found(&named, egress.meant(), endpoints);
        self.done.insert(name.key(), is_there);
        Some((name, is_there))
    }
}

fn several(span: Span, first: Option<(&str, u16)>) -> Diagnostic {
    let which = first.map_or(String::new(), |(container, port)| format!(", port {port} of `{container}`"));
    let message = format!("several ports are possible: requests go to the first{which}");
    Diagnostic::warning(codes::IMPORTED_DIFFERENTLY, span, message)
        .help("say `SERVICE_CONTAINER_X` and `SERVICE_PORT_X`, or `CONTAINER_PORT_X`")
}

/// The ports of a task that may be meant, in the order of its definition; a proxy's only where its container is named.
fn candidates<'o>(
    it: &Present<'o>,
    running: &RunningTask<'_>,
    container: Option<&str>,
    port: Option<u16>,
) -> Vec<(&'o str, u16)> {
    let proxies = Proxies::of(it);
    let of = it.definition.containers.iter().filter(|known| container.is_none_or(|said| said == known.name));
    let mut found: Vec<(&str, u16)> = Vec::new();
    for known in of {
        let mapped = known.ports.iter().map(|mapping| mapping.container_port);
        // Where mappings do not matter, what is said is enough.
        let said = port.filter(|_| container.is_some() && running.has_own_ports());
        for candidate in mapped.chain(said).filter(|candidate| port.is_none_or(|port| port == *candidate)) {
            let is_proxy = container.is_none() && proxies.has(&known.name, candidate);
            let is_reached = running.reached(&known.name, candidate).is_some();
            if !is_proxy && is_reached && !found.contains(&(known.name.as_str(), candidate)) {
                found.push((known.name.as_str(), candidate));
            }
        }
    }
    found
}

/// A container of the same task; of a bridge, of all tasks of its ECS service on the same host.
fn beside(
    it: &Present<'_>,
    ingress: &Ingress,
    base: &str,
    targets: &Targets<'_>,
    additions: &mut Additions<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(Name, bool)> {
    let span = ingress.path.span;
    let of = it.definition.containers.iter().find(|container| container.name == ingress.container);
    let mapped: Vec<u16> = of.iter().flat_map(|of| &of.ports).map(|mapping| mapping.container_port).collect();
    let Some(port) = ingress.port.or(mapped.first().copied()).filter(|_| of.is_some()) else {
        let message = match of {
            None => "no container of the task has the name that `CONTAINER_NAME_X` says",
            Some(_) => "the container maps no port: say `CONTAINER_PORT_X`",
        };
        diagnostics.push(Diagnostic::warning(codes::NOT_MAPPED, span, format!("{message}; its path answers 503")));
        let name = Spanned::new(Name::new(&format!("nobody.{base}.local"))?, span);
        additions.found(&name, by_family(&it.definition.family, span), Vec::new());
        return Some((name.value, false));
    };
    if ingress.port.is_none() && mapped.len() > 1 {
        diagnostics.push(several(span, Some((ingress.container.as_str(), port))));
    }
    let name = Name::new(&format!("{}-{port}.{base}.local", ingress.container))?;
    let addresses: Vec<Address> = match it.is_bridged() {
        true => {
            let same = |other: &&Present<'_>| {
                other.task.container_instance == it.task.container_instance
                    && (other.task.arn == it.task.arn
                        || (it.task.service().is_some() && other.task.group == it.task.group))
            };
            let running = targets.present.iter().filter(same).filter_map(|other| other.routable());
            let reached = running.filter_map(|running| {
                Some(Address { host: running.address, port: running.reached(&ingress.container, port)? })
            });
            reached.collect()
        }
        false => vec![Address { host: it.bind().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port }],
    };
    let endpoints: Vec<Endpoint> =
        addresses.into_iter().map(|address| Endpoint::at(Spanned::new(address, it.span))).collect();
    let is_there = !endpoints.is_empty();
    let name = Spanned::new(name, span);
    additions.found(&name, by_family(&it.definition.family, span), endpoints);
    Some((name.value, is_there))
}

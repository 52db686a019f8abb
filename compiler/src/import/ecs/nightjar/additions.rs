//! Puts services, nodes and gateways into the mesh, beside what is there: what the mesh says itself holds.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Call, Callee, EcsDiscovery, Endpoint, Gateway, Mesh, Node, Route, Serve, Service};
use spec::{Diagnostic, Diagnostics, Name, Span, Spanned, codes};

use super::Input;
use super::colours::Colour;
use super::member::{Member, Role};
use super::present::Present;
use super::table::{self, Share, Table};
use super::{names, route};
use crate::import::ecs::assemble::{Draft, Finding, by_family};
use crate::import::ecs::homes::denied;

pub(super) struct Additions<'a> {
    input: &'a Input<'a>,
    mesh: &'a mut Mesh,
    aliases: &'a mut BTreeMap<String, String>,
    findings: &'a mut BTreeSet<Finding>,
    services: BTreeMap<String, usize>,
    /// The nodes that the mesh had before.
    said_nodes: BTreeMap<String, Name>,
    /// Nodes that tasks had for other reasons.
    replaced: BTreeSet<String>,
    /// Services whose routes come from here, and where it says so.
    routed: BTreeMap<String, Span>,
    /// Namespaces that others reach through their gateways.
    through_gateways: BTreeSet<String>,
    /// Namespaces, and callers' namespaces, for which there is a table of its own.
    own_tables: BTreeSet<(String, String)>,
}

impl<'a> Additions<'a> {
    pub(super) fn new(input: &'a Input<'a>, draft: &'a mut Draft) -> Self {
        let Draft { mesh, aliases, findings, .. } = draft;
        let services = mesh.services.iter().enumerate().map(|(index, it)| (it.name.value.key(), index)).collect();
        let (routed, through_gateways, own_tables) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let said_nodes = input.spec.nodes.iter().map(|node| (node.name.value.key(), node.name.value.clone())).collect();
        let replaced = BTreeSet::new();
        Self { input, mesh, aliases, findings, services, said_nodes, replaced, routed, through_gateways, own_tables }
    }

    pub(super) fn findings(&mut self) -> &mut BTreeSet<Finding> {
        self.findings
    }

    /// Whether what somebody wrote leads there.
    fn is_called(&self, name: &Name) -> bool {
        let key = name.key();
        let (nodes, gateways) = (self.mesh.nodes.iter(), self.mesh.gateways.iter());
        let hosts = self.input.spec.gateways.iter().flat_map(|gateway| &gateway.hosts);
        let services = self.input.spec.services.iter().flat_map(|service| &service.routes);
        let routes = hosts.clone().flat_map(|host| &host.routes).chain(services);
        let mut targets = routes.flat_map(Route::targets).chain(hosts.flat_map(|host| &host.targets));
        let mut calls = nodes.map(|node| &node.calls).chain(gateways.map(|gateway| &gateway.calls));
        calls.any(|calls| Call::all(calls).is_some() || Call::listed(calls).any(|called| called.value.key() == key))
            || targets.any(|target| target.service.value.key() == key)
    }

    /// The node that a task has for other reasons, or that the mesh has for it: the one that it names, its family's or its
    /// ECS service's.
    fn known_node(&self, it: &Present<'_>) -> Option<Name> {
        let spec = self.input.spec;
        let is_gateway = |name: &Name| spec.gateways.iter().any(|gateway| gateway.name.value.key() == name.key());
        let known = self.aliases.get(&it.asks_as()).and_then(|known| Name::new(known));
        if let Some(known) = known.filter(|known| !is_gateway(known)) {
            return Some(known);
        }
        // Nobody belongs to a node that speaks for services of others.
        let lets_in = |name: &Name| {
            let mut nodes = spec.nodes.iter().filter(|node| node.name.value.key() == name.key());
            nodes.all(|node| denied(spec, node, it.seen).is_none())
        };
        let names = said_names(it).into_iter().flatten();
        names.filter_map(|name| self.said_nodes.get(&name.to_ascii_lowercase())).find(|name| lets_in(name)).cloned()
    }

    /// Services with the endpoints of each colour, of which there may be none just now. What the mesh says of them besides
    /// holds.
    pub(super) fn colours(&mut self, colours: &[Colour], diagnostics: &mut Diagnostics) {
        let routes = self.mesh.services.iter().flat_map(|service| &service.routes);
        let targets = routes.flat_map(Route::targets).map(|target| target.service.value.key());
        let targets: BTreeSet<String> = targets.collect();
        let leads_there = |colour: &&Colour| !colour.endpoints.is_empty() || targets.contains(&colour.name.value.key());
        for colour in colours.iter().filter(leads_there) {
            if let Some(first) = self.routed.get(&colour.name.value.key()) {
                diagnostics.push(two_of_one_name(&colour.name, *first));
            }
            let ecs = by_family(&colour.family, colour.name.span);
            let Some(service) = self.found(&colour.name, ecs, colour.endpoints.clone()) else { continue };
            service.protocol = service.protocol.or(colour.protocol);
        }
    }

    /// A service whose endpoints come and go.
    pub(super) fn found(
        &mut self,
        name: &Spanned<Name>,
        ecs: EcsDiscovery,
        endpoints: Vec<Endpoint>,
    ) -> Option<&mut Service> {
        let service = self.service(name)?;
        let is_open = service.dns.is_none() && service.ecs.is_none() && service.cloud_map.is_none();
        if is_open && service.endpoints.is_empty() {
            service.ecs = Some(Box::new(ecs));
        }
        for endpoint in endpoints {
            if !service.endpoints.iter().any(|known| known.address == endpoint.address) {
                service.endpoints.push(endpoint);
            }
        }
        Some(service)
    }

    /// The node of a task.
    pub(super) fn home(&self, it: &Present<'_>, alone: bool) -> Option<Name> {
        let known = self.known_node(it).filter(|_| !it.is_served_alone());
        known.or_else(|| it.node(alone || it.here || it.is_served_alone()))
    }

    /// What stands behind sidecars is served by their nodes; those that theirs replace go.
    pub(super) fn served(&mut self, colours: &[Colour]) {
        for colour in colours {
            for (node, upstream) in &colour.served {
                let key = node.key();
                let Some(node) = self.mesh.nodes.iter_mut().find(|known| known.name.value.key() == key) else {
                    continue;
                };
                let service = colour.name.value.key();
                let known = node.serves.iter().position(|serve| serve.service.value.key() == service);
                let index = known.unwrap_or_else(|| {
                    let service = colour.name.clone();
                    node.serves.push(Serve { service, upstreams: Vec::new(), fault: None, annotations: Vec::new() });
                    node.serves.len() - 1
                });
                let Some(serve) = node.serves.get_mut(index) else { continue };
                if !serve.upstreams.iter().any(|known| known.address == *upstream) {
                    serve.upstreams.push(Endpoint::at(upstream.clone()));
                }
            }
        }
        let Self { mesh, replaced, .. } = self;
        let is_idle = |node: &Node| node.serves.is_empty() && node.calls.is_empty();
        mesh.nodes.retain(|node| !(replaced.contains(node.name.value.as_str()) && is_idle(node)));
    }

    /// Services that lead on by path: one for each service that the mesh calls by name, its namespace, and whoever may call that.
    pub(super) fn namespaces(&mut self, members: &[Member<'_>], colours: &[Colour], diagnostics: &mut Diagnostics) {
        for (_, of_service) in grouped(colours, |colour| &colour.of_service) {
            let Some(name) = of_service.first().map(|colour| colour.of_service.clone()) else { continue };
            if !self.is_called(&name.value) {
                continue;
            }
            self.route(&name, table_of(&of_service, |_| true).routes, diagnostics);
        }
        let by_namespace: BTreeMap<String, Vec<&Colour>> =
            grouped(colours, |colour| &colour.namespace).into_iter().collect();
        for (key, of_namespace) in &by_namespace {
            let Some(name) = of_namespace.first().map(|colour| &colour.namespace) else { continue };
            let Table { routes, moved } = table_of(of_namespace, |_| true);
            if let Some(span) = moved.first() {
                let message =
                    format!("the routes of namespace `{key}` are tried in another order: narrower ones first");
                diagnostics.push(
                    Diagnostic::note(codes::IMPORTED_DIFFERENTLY, *span, message)
                        .help("under nightjar a route that comes after a wider one is never reached"),
                );
            }
            self.route(&names::inside(name), routes, diagnostics);
        }
        // A task that only calls has a listener all the same.
        for member in members.iter().filter(|member| matches!(member.role, Role::Service(_))) {
            let name = names::inside(&member.namespace);
            if !self.services.contains_key(&name.value.key()) {
                self.route(&name, table::nothing(name.span), diagnostics);
            }
        }
        self.gateways_as_services(members, diagnostics);
        self.openings(members, &by_namespace, diagnostics);
    }

    /// What others get of a namespace: a table for all of them, and one for each that a route names.
    fn openings(
        &mut self,
        members: &[Member<'_>],
        by_namespace: &BTreeMap<String, Vec<&Colour>>,
        diagnostics: &mut Diagnostics,
    ) {
        let mut done = BTreeSet::new();
        for (namespace, caller) in others(members) {
            let key = namespace.value.key();
            if caller.is_some() && self.through_gateways.contains(&key) {
                continue;
            }
            let colours = by_namespace.get(&key).map(Vec::as_slice).unwrap_or_default();
            let mut accesses = colours.iter().flat_map(|colour| &colour.routes).flat_map(|route| &route.access);
            let caller = caller.filter(|caller| accesses.any(|(of, _)| *of == caller.key()));
            let name = match &caller {
                Some(caller) => names::public_for(&namespace, caller),
                None => names::public(&namespace),
            };
            let Some(name) = name.filter(|name| done.insert(name.value.key())) else { continue };
            let mut routes = table_of(colours, |route| route.open_to(caller.as_ref())).routes;
            if routes.is_empty() {
                routes = table::nothing(namespace.span);
            }
            self.own_tables.extend(caller.map(|caller| (key, caller.key())));
            self.route(&name, routes, diagnostics);
        }
    }

    /// Gateways that others prefer are a service too.
    fn gateways_as_services(&mut self, members: &[Member<'_>], diagnostics: &mut Diagnostics) {
        for member in members {
            let Role::Gateway(front) = &member.role else { continue };
            let preferred = |other: &Member<'_>| {
                let Role::Gateway(front) = &other.role else { return false };
                front.preferred && other.it.is_routable && other.namespace.value.key() == member.namespace.value.key()
            };
            let is_called = |other: &Member<'_>| {
                let Role::Service(colour) = &other.role else { return false };
                colour.others.iter().any(|(namespace, _)| namespace.value.key() == member.namespace.value.key())
            };
            let wanted = members.iter().any(preferred) && members.iter().any(is_called);
            let name = names::through_gateways(&member.namespace).filter(|_| wanted);
            let (Some(name), Some(running)) = (name, member.it.routable()) else { continue };
            let proxies = super::port::Proxies::of(&member.it);
            let Some(address) = super::port::reach(running, &front.port, &proxies, diagnostics) else { continue };
            self.through_gateways.insert(member.namespace.value.key());
            let ecs = by_family(&member.it.definition.family, name.span);
            let endpoint = Endpoint::at(Spanned::new(address, member.it.span));
            let Some(service) = self.found(&name, ecs, vec![endpoint]) else { continue };
            service.protocol = service.protocol.or(member.protocol);
        }
    }

    /// What a task of one namespace calls for another one.
    pub(super) fn other(&self, namespace: &Spanned<Name>, caller: &Name) -> Option<Spanned<Name>> {
        let key = namespace.value.key();
        if self.through_gateways.contains(&key) {
            return names::through_gateways(namespace);
        }
        match self.own_tables.contains(&(key, caller.key())) {
            true => names::public_for(namespace, caller),
            false => names::public(namespace),
        }
    }

    /// A service that leads on, unless the mesh says itself where its requests go.
    pub(super) fn route(&mut self, name: &Spanned<Name>, routes: Vec<Route>, diagnostics: &mut Diagnostics) {
        let key = name.value.key();
        if let Some(first) = self.routed.get(&key) {
            return diagnostics.push(two_of_one_name(name, *first));
        }
        if self.input.said.contains(&key) {
            return;
        }
        let Some(service) = self.service(name) else { return };
        if service.routes.is_empty() && service.endpoints.is_empty() {
            service.routes = routes;
            self.routed.insert(key, name.span);
        } else if !self.input.spec.services.iter().any(|said| said.name.value.key() == key) {
            let reason = "labels say that tasks are it, nightjar's words that it leads on to others: the labels hold; name its \
                          owner in `ecs`";
            let (who, reason) = (name.value.to_string(), reason.to_owned());
            self.findings.insert(Finding { code: codes::CONTESTED_SERVICE, who, reason, span: name.span });
        }
    }

    /// The one that is there, else a new one.
    pub(super) fn service(&mut self, name: &Spanned<Name>) -> Option<&mut Service> {
        let index = *self.services.entry(name.value.key()).or_insert(self.mesh.services.len());
        if index == self.mesh.services.len() {
            self.mesh.services.push(Service::named(name.clone()));
        }
        self.mesh.services.get_mut(index)
    }

    /// What a task calls is added to its node, unless the node says itself how it calls that.
    pub(super) fn node(&mut self, node: Node) {
        let key = node.name.value.key();
        match self.mesh.nodes.iter_mut().find(|known| known.name.value.key() == key) {
            Some(known) => {
                for call in node.calls {
                    let Callee::Service(name) = &call.service.value else { continue };
                    if !Call::listed(&known.calls).any(|called| called.value.key() == name.key()) {
                        known.calls.push(call);
                    }
                }
            }
            None => self.mesh.nodes.push(node),
        }
    }

    /// Unless the mesh has one of that name.
    pub(super) fn gateway(&mut self, gateway: Gateway) {
        let key = gateway.name.value.key();
        if !self.mesh.gateways.iter().any(|known| known.name.value.key() == key) {
            self.mesh.gateways.push(gateway);
        }
    }

    /// The gateway that the mesh has for a task.
    pub(super) fn known_gateway(&self, it: &Present<'_>) -> Option<Name> {
        let gateways = || self.input.spec.gateways.iter().map(|gateway| &gateway.name.value);
        said_names(it)
            .into_iter()
            .flatten()
            .find_map(|name| gateways().find(|known| known.key() == name.to_ascii_lowercase()).cloned())
    }

    /// The names under which the task's Envoy may ask. What its definition, and its family, are called leads to the newest.
    pub(super) fn asks(&mut self, it: &Present<'_>, proxy: &Name, is_shared: bool) {
        let before = self.aliases.insert(it.asks_as(), proxy.as_str().to_owned());
        let before = before.filter(|before| before != proxy.as_str());
        self.replaced.extend(before.filter(|before| !self.said_nodes.contains_key(&before.to_ascii_lowercase())));
        if !is_shared {
            return;
        }
        let family = &it.definition.family;
        for alias in [format!("{family}/{}", it.definition.revision), family.clone()] {
            self.aliases.insert(alias, proxy.as_str().to_owned());
        }
    }

    /// Whoever asks by the name of a proxy is that one, whatever families are called.
    pub(super) fn finish(self) {
        let nodes = self.mesh.nodes.iter().map(|node| &node.name.value);
        let proxies = nodes.chain(self.mesh.gateways.iter().map(|gateway| &gateway.name.value));
        let proxies: BTreeSet<String> = proxies.map(Name::key).collect();
        self.aliases.retain(|alias, _| !proxies.contains(&alias.to_ascii_lowercase()));
    }
}

/// Either may be to blame.
fn two_of_one_name(name: &Spanned<Name>, first: Span) -> Diagnostic {
    let message = format!("two things are called `{}`: services, namespaces and colours must differ", name.value);
    Diagnostic::error(codes::DUPLICATE_NAME, name.span, message).related(first, "the other one")
}

/// What a task says that its proxy is called, its family, and its ECS service.
fn said_names<'o>(it: &Present<'o>) -> [Option<&'o str>; 3] {
    let labels = it.definition.containers.iter().map(|container| &container.labels);
    let tags = [&it.task.tags, &it.definition.tags];
    let said = tags.into_iter().chain(labels).find_map(|words| words.get("meshwright.node"));
    [said.map(String::as_str), Some(it.definition.family.as_str()), it.task.service()]
}

fn table_of(colours: &[&Colour], open: impl Fn(&route::Route) -> bool) -> Table {
    let routes = colours.iter().flat_map(|colour| colour.routes.iter().map(move |route| (*colour, route)));
    let shares: Vec<Share<'_>> = routes
        .filter(|(_, route)| open(route))
        .map(|(colour, route)| Share {
            matches: &route.matches,
            to: &colour.name.value,
            weight: route.weight,
            is_there: !colour.endpoints.is_empty(),
            span: route.span,
        })
        .collect();
    table::table(&shares)
}

/// In the order of the names.
fn grouped<'c>(colours: &'c [Colour], by: impl Fn(&'c Colour) -> &'c Spanned<Name>) -> Vec<(String, Vec<&'c Colour>)> {
    let mut groups: BTreeMap<String, Vec<&Colour>> = BTreeMap::new();
    for colour in colours {
        groups.entry(by(colour).value.key()).or_default().push(colour);
    }
    groups.into_iter().collect()
}

/// A namespace, and one that calls it; none for its gateways.
type Opening = (Spanned<Name>, Option<Name>);

/// In the order of their names.
fn others(members: &[Member<'_>]) -> Vec<Opening> {
    let mut others: BTreeMap<(String, Option<String>), Opening> = BTreeMap::new();
    for member in members {
        let own = &member.namespace;
        match &member.role {
            Role::Gateway(_) => {
                others.entry((own.value.key(), None)).or_insert((own.clone(), None));
            }
            Role::Service(colour) => {
                for (namespace, _) in &colour.others {
                    let key = (namespace.value.key(), Some(own.value.key()));
                    others.entry(key).or_insert((namespace.clone(), Some(own.value.clone())));
                }
            }
        }
    }
    others.into_values().collect()
}

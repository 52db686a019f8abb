//! The nodes of tasks: those of the mesh with what their tasks serve, and one for each revision that has none.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use spec::mesh::{Address, Call, Callee, Endpoint, Mesh, Node, Serve};
use spec::{Name, Span, Spanned};

use super::Options;
use super::homes::Home;
use super::places;
use super::words::Calls;
use super::world::RunningTask;
use crate::observation::NetworkMode;

pub(crate) struct Nodes<'m> {
    mesh: &'m Mesh,
    /// The names of its nodes, in lower case.
    written: BTreeSet<String>,
    /// Nodes of the mesh whose revisions serve at different ports: each revision has a node of its own.
    split: BTreeSet<usize>,
    /// By lower-case name.
    building: BTreeMap<String, Building<'m>>,
    aliases: BTreeMap<String, String>,
    /// The newest revision of each family, and its node.
    newest: BTreeMap<String, (u32, String)>,
}

struct Building<'m> {
    node: Node,
    /// Its place in the mesh, for one that is written there.
    place: Option<usize>,
    /// The ARN of whom it stands for.
    owner: &'m str,
    /// Services whose upstreams nobody wrote.
    upstreams: BTreeSet<String>,
    calls: Vec<Calls>,
}

/// What a task serves: services by key, with the ports of their containers.
pub(crate) type Layout = BTreeSet<(String, u16)>;

impl<'m> Nodes<'m> {
    /// `parts` is what each task serves.
    pub(crate) fn of<'t>(mesh: &'m Mesh, parts: impl Iterator<Item = (Home, &'t RunningTask<'t>, Layout)>) -> Self {
        let mut layouts: BTreeMap<(usize, String), BTreeMap<&str, BTreeSet<u16>>> = BTreeMap::new();
        for (home, task, layout) in parts {
            let Home::Mesh(index) = home else { continue };
            for (service, port) in layout {
                let by_definition = layouts.entry((index, service)).or_default();
                by_definition.entry(task.definition.arn.as_str()).or_default().insert(port);
            }
        }
        let differ = |ports: &BTreeMap<&str, BTreeSet<u16>>| {
            let mut ports = ports.values();
            let first = ports.next();
            ports.any(|other| Some(other) != first)
        };
        let split = layouts.iter().filter(|(_, ports)| differ(ports)).map(|((index, _), _)| *index).collect();
        let (building, aliases, newest) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let written = mesh.nodes.iter().map(|node| node.name.value.key()).collect();
        Self { mesh, written, split, building, aliases, newest }
    }

    /// The node of a task; `None` where it has no sidecar.
    pub(crate) fn enter(
        &mut self,
        home: Home,
        task: &RunningTask<'m>,
        base: &str,
        is_alone: bool,
        options: &Options,
    ) -> Result<Option<Name>, String> {
        let written = match home {
            Home::None => return Ok(None),
            Home::Own => None,
            Home::Mesh(index) => self.mesh.nodes.get(index).map(|node| (index, node)),
        };
        let is_split = written.is_some_and(|(index, _)| self.split.contains(&index));
        let base = written.map_or(base, |(_, node)| node.name.value.as_str());
        let revision = task.definition.revision;
        let (name, owner) = match (is_alone, written) {
            (true, _) => (format!("{base}/{revision}/{}", task.task.id()), task.task.arn.as_str()),
            (false, Some((_, node))) if !is_split => (node.name.value.as_str().to_owned(), ""),
            (false, _) => (format!("{base}/{revision}"), task.definition.arn.as_str()),
        };
        let Some(name) = Name::new(&name) else {
            return Err("its family or its id cannot be part of the name of a node".to_owned());
        };
        let place = written.filter(|_| !is_alone && !is_split).map(|(index, _)| index);
        if place.is_none() && self.written.contains(&name.key()) {
            return Err("its node would have the name of one of the mesh".to_owned());
        }
        let span = task.definition_span;
        let building = self.building.entry(name.key()).or_insert_with(|| {
            let mut node = match written {
                Some((_, node)) => node.clone(),
                None => Node::named(Spanned::new(name.clone(), span)),
            };
            let mut upstreams = BTreeSet::new();
            if place.is_none() {
                node.name = Spanned::new(name.clone(), span);
                // What it serves is told by its tasks.
                upstreams.extend(node.serves.iter().map(|serve| serve.service.value.key()));
                node.serves.iter_mut().for_each(|serve| serve.upstreams.clear());
            } else {
                let untold = node.serves.iter().filter(|serve| serve.upstreams.is_empty());
                upstreams.extend(untold.map(|serve| serve.service.value.key()));
            }
            Building { node, place, owner, upstreams, calls: Vec::new() }
        });
        if building.owner != owner {
            return Err("its node would have the name of another one".to_owned());
        }
        if is_alone {
            let zone = task.task.availability_zone.as_deref().and_then(places::place);
            building.node.zone = building.node.zone.take().or(zone.map(|zone| Spanned::new(zone, task.span)));
            if options.tasks_here {
                building.node.bind = Some(Spanned::new(task.address, task.span));
            }
        }
        self.name(task, &name, is_alone);
        Ok(Some(name))
    }

    /// Other names under which its Envoy may ask.
    fn name(&mut self, task: &RunningTask<'_>, name: &Name, is_alone: bool) {
        let definition = task.definition;
        self.aliases.insert(format!("{}/{}", task.cluster, task.task.id()), name.to_string());
        if !is_alone {
            let revision = format!("{}/{}", definition.family, definition.revision);
            self.aliases.insert(revision, name.to_string());
            let newest = self.newest.entry(definition.family.clone()).or_insert_with(|| (0, name.to_string()));
            if definition.revision >= newest.0 {
                *newest = (definition.revision, name.to_string());
            }
        }
    }

    /// Adds a service to a node, at the port where its sidecar finds the application.
    pub(crate) fn serve(&mut self, node: &Name, service: &Spanned<Name>, upstream: Address, span: Span) {
        let Some(building) = self.building.get_mut(&node.key()) else { return };
        let key = service.value.key();
        let serves = &mut building.node.serves;
        let known = serves.iter().position(|serve| serve.service.value.key() == key);
        let index = known.unwrap_or_else(|| {
            let service = Spanned::new(service.value.clone(), span);
            serves.push(Serve { service, upstreams: Vec::new(), fault: None, annotations: Vec::new() });
            building.upstreams.insert(key.clone());
            serves.len() - 1
        });
        let Some(serve) = serves.get_mut(index).filter(|_| building.upstreams.contains(&key)) else { return };
        if !serve.upstreams.iter().any(|known| known.address.value == upstream) {
            serve.upstreams.push(Endpoint::at(Spanned::new(upstream, span)));
            serve.upstreams.sort_by(|one, other| one.address.value.cmp(&other.address.value));
        }
    }

    /// A node that serves a service, if there is one: of those with an application behind it, else of the mesh's.
    pub(crate) fn serving(&self, service: &str) -> Option<&Name> {
        let serves = |node: &Node| node.serves.iter().find(|serve| serve.service.value.key() == service).cloned();
        let has = |it: &&Building<'_>| {
            serves(&it.node).is_some_and(|serve| it.place.is_some() || !serve.upstreams.is_empty())
        };
        let built = self.building.values().find(has).map(|it| &it.node);
        let node = built.or_else(|| self.mesh.nodes.iter().find(|node| serves(node).is_some()));
        node.map(|node| &node.name.value)
    }

    pub(crate) fn call(&mut self, node: &Name, calls: Calls) {
        if let Some(building) = self.building.get_mut(&node.key()) {
            building.calls.push(calls);
        }
    }

    /// Writes the nodes into the mesh, whose services are known by now; the aliases are what it returns.
    pub(crate) fn write(mut self, mesh: &mut Mesh) -> BTreeMap<String, String> {
        for (family, (_, node)) in std::mem::take(&mut self.newest) {
            self.aliases.insert(family, node);
        }
        let services: BTreeSet<String> = mesh.services.iter().map(|service| service.name.value.key()).collect();
        for building in self.building.into_values() {
            let Building { mut node, place, calls, .. } = building;
            if place.is_none() {
                // What a node serves without a task that does would have no application behind it.
                node.serves.retain(|serve| !serve.upstreams.is_empty());
            }
            if node.calls.is_empty() {
                node.calls = written(calls, &services);
            }
            match place.and_then(|place| mesh.nodes.get_mut(place)) {
                Some(place) => *place = node,
                None => mesh.nodes.push(node),
            }
        }
        let proxies = mesh.nodes.iter().map(|node| &node.name).chain(mesh.gateways.iter().map(|gateway| &gateway.name));
        let proxies: BTreeSet<String> = proxies.map(|name| name.value.key()).collect();
        self.aliases.retain(|alias, _| !proxies.contains(&alias.to_ascii_lowercase()));
        self.aliases
    }
}

/// A service that is not there, or not yet, cannot be called: it is as if nobody had said it.
fn written(calls: Vec<Calls>, services: &BTreeSet<String>) -> Vec<Call> {
    let all = calls.iter().find_map(|calls| match calls {
        Calls::All(span) => Some(*span),
        Calls::Listed(_) => None,
    });
    if let Some(span) = all {
        return vec![Call::of(Spanned::new(Callee::All, span))];
    }
    let mut listed = BTreeMap::new();
    for calls in calls {
        let Calls::Listed(names) = calls else { continue };
        for name in names {
            listed.entry(name.value.key()).or_insert(name);
        }
    }
    listed.retain(|key, _| services.contains(key));
    listed.into_values().map(|name| Call::of(name.map(Callee::Service))).collect()
}

/// Where a sidecar finds the application beside it: on loopback, except where containers do not share it.
pub(crate) fn upstream(task: &RunningTask<'_>, port: u16, at: u16, options: &Options) -> Address {
    let is_apart = options.tasks_here || task.definition.network_mode == NetworkMode::Bridge;
    match is_apart {
        true => Address { host: task.address, port: at },
        false => Address { host: IpAddr::V4(Ipv4Addr::LOCALHOST), port },
    }
}

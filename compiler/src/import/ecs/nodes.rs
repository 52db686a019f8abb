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
    /// The names of its nodes and gateways, in lower case.
    written: BTreeSet<String>,
    /// Nodes of the mesh whose revisions serve at different ports: each revision has a node of its own.
    split: BTreeSet<usize>,
    /// Of those, whose node is the latest that gets requests.
    latest: BTreeMap<usize, (bool, bool, u32, String)>,
    /// Task definitions, by ARN, of which the mesh has a node.
    at_home: BTreeSet<&'m str>,
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
    /// It is one of the mesh, or made like one.
    is_said: bool,
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
    pub(crate) fn of<'t>(mesh: &'m Mesh, parts: impl Iterator<Item = (Home, &'t RunningTask<'m>, Layout)>) -> Self
    where
        'm: 't,
    {
        let mut at_home = BTreeSet::new();
        let mut layouts: BTreeMap<(usize, String), BTreeMap<&str, BTreeSet<u16>>> = BTreeMap::new();
        for (home, task, layout) in parts {
            let Home::Mesh(index) = home else { continue };
            at_home.insert(task.definition.arn.as_str());
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
        let (building, aliases, newest, latest) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let written = proxies(mesh);
        Self { mesh, written, split, latest, at_home, building, aliases, newest }
    }

    /// The node of a task; `None` where it has no sidecar. Those that the mesh does not have are called by the family, so
    /// that nobody has the node of another family, whatever he says.
    pub(crate) fn enter(
        &mut self,
        home: Home,
        task: &RunningTask<'m>,
        is_alone: bool,
        is_routable: bool,
        options: &Options,
    ) -> Result<Option<Name>, String> {
        let written = match home {
            Home::None => return Ok(None),
            Home::Gateway(index) => {
                if let Some(name) = self.mesh.gateways.get(index).map(|gateway| &gateway.name.value) {
                    self.name(task, name, Some(name));
                }
                return Ok(None);
            }
            Home::Own => None,
            Home::Mesh(index) => self.mesh.nodes.get(index).map(|node| (index, node)),
        };
        let (definition, span) = (task.definition, task.definition_span);
        let split = written.map(|(index, _)| index).filter(|index| self.split.contains(index));
        let of_task = || {
            let name = Name::new(&format!("{}/{}/{}", definition.family, definition.revision, task.task.id()))?;
            Some((name, task.task.arn.as_str(), None))
        };
        let of_revision = || {
            let name = Name::new(&format!("{}/{}", definition.family, definition.revision))?;
            Some((name, definition.arn.as_str(), None))
        };
        let shared = match written {
            _ if is_alone => None,
            Some((index, node)) if split.is_none() => Some((node.name.value.clone(), "", Some(index))),
            // Others of its definition are tasks of a node of the mesh, and ask by the definition's name.
            None if self.at_home.contains(definition.arn.as_str()) => None,
            _ => of_revision(),
        };
        let is_free = |(name, owner, place): &(Name, &str, Option<usize>)| {
            (place.is_some() || !self.written.contains(&name.key()))
                && self.building.get(&name.key()).is_none_or(|building| building.owner == *owner)
        };
        let shared = shared.filter(is_free);
        let is_alone = shared.is_none();
        let Some((name, owner, place)) = shared.or_else(|| of_task().filter(is_free)) else {
            return Err("no name is left for a node of its own: it has none, and is dialled itself".to_owned());
        };
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
            Building { node, place, is_said: written.is_some(), owner, upstreams, calls: Vec::new() }
        });
        if is_alone {
            let zone = task.task.availability_zone.as_deref().and_then(places::place);
            building.node.zone = building.node.zone.take().or(zone.map(|zone| Spanned::new(zone, task.span)));
            if options.tasks_here {
                building.node.bind = Some(Spanned::new(task.address, task.span));
            }
        }
        if let Some((index, node)) = written.filter(|_| split.is_some() && !is_alone) {
            let is_namesake = node.name.value.key() == definition.family.to_ascii_lowercase();
            let latest = self.latest.entry(index).or_default();
            *latest = (is_routable, is_namesake, definition.revision, name.key()).max(std::mem::take(latest));
        }
        // Before ECS tells of a task, its sidecar has what its node calls, if not what it serves.
        let of_revision = if is_alone { written.map(|(_, node)| &node.name.value) } else { Some(&name) };
        self.name(task, &name, of_revision);
        Ok(Some(name))
    }

    /// Other names under which its Envoy may ask: for itself, and before it is known.
    fn name(&mut self, task: &RunningTask<'_>, name: &Name, of_revision: Option<&Name>) {
        let definition = task.definition;
        self.aliases.insert(format!("{}/{}", task.cluster, task.task.id()), name.to_string());
        if let Some(name) = of_revision {
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
        for (index, (.., latest)) in &self.latest {
            let latest = self.building.get(latest).map(|building| &building.node);
            if let (Some(node), Some(latest)) = (mesh.nodes.get_mut(*index), latest) {
                keep_application(node, latest);
            }
        }
        for building in self.building.into_values() {
            let Building { mut node, place, is_said, calls, .. } = building;
            if place.is_none() {
                // What a node serves without a task that does would have no application behind it.
                node.serves.retain(|serve| !serve.upstreams.is_empty());
            }
            // What nodes of the mesh call is not for tasks to say: all of the node would.
            if !is_said {
                node.calls = written(calls, &services);
            }
            match place.and_then(|place| mesh.nodes.get_mut(place)) {
                Some(place) => *place = node,
                None => mesh.nodes.push(node),
            }
        }
        let proxies = proxies(mesh);
        self.aliases.retain(|alias, _| !proxies.contains(&alias.to_ascii_lowercase()));
        self.aliases
    }
}

/// The names of its nodes and gateways, in lower case.
fn proxies(mesh: &Mesh) -> BTreeSet<String> {
    let gateways = mesh.gateways.iter().map(|gateway| &gateway.name);
    mesh.nodes.iter().map(|node| &node.name).chain(gateways).map(|name| name.value.key()).collect()
}

/// Sidecars that ask by the name of a node whose revisions have nodes of their own go on, with the application that the latest
/// one has.
fn keep_application(node: &mut Node, latest: &Node) {
    for serve in node.serves.iter_mut().filter(|serve| serve.upstreams.is_empty()) {
        let mut same = latest.serves.iter().filter(|it| it.service.value.key() == serve.service.value.key());
        serve.upstreams = same.next().map_or(Vec::new(), |same| same.upstreams.clone());
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

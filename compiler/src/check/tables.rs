//! Names and what they stand for. A name stands for one thing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use indexmap::IndexMap;
use spec::mesh::{Mesh, Node, Serve};
use spec::{Diagnostic, Diagnostics, Name, Spanned, codes};

use crate::checked::{self, Id};
use crate::suggest::did_you_mean;

/// In the order of the names. Each rule looks up every name of the mesh: a tree is too slow for that.
type Table<T> = IndexMap<String, Id<T>, BuildHasherDefault<DefaultHasher>>;

/// Services and proxies by their lower-case names.
pub(super) struct Tables {
    services: Table<checked::Service>,
    nodes: Table<checked::Node>,
    /// By the lower-case name of the service: the nodes that serve it, in order, and their place among the node's.
    serving: BTreeMap<String, Vec<(Id<checked::Node>, usize)>>,
    /// Names that were looked up and stand for nothing, by key; the place of the first.
    absent: RefCell<BTreeMap<String, Spanned<Name>>>,
}

pub(super) fn collect(mesh: &Mesh, diagnostics: &mut Diagnostics) -> Tables {
    let services = unique("service", mesh.services.iter().map(|service| &service.name), diagnostics);
    let nodes = unique("node", mesh.nodes.iter().map(|node| &node.name), diagnostics);
    // Nodes and gateways share one output folder and one namespace of Envoy node ids.
    let proxies = mesh.nodes.iter().map(|node| &node.name).chain(mesh.gateways.iter().map(|gateway| &gateway.name));
    let mut seen: BTreeMap<String, &Spanned<Name>> = BTreeMap::new();
    for (index, name) in proxies.enumerate() {
        if let Some(first) = seen.get(&name.value.key()) {
            if index >= mesh.nodes.len() {
                diagnostics.push(duplicate("node or gateway", name, first));
            }
        } else {
            seen.insert(name.value.key(), name);
        }
    }
    for (key, name) in &seen {
        // A folder below this one's `envoy.yaml`: the names that begin so are neighbours in the map.
        let below = format!("{key}/envoy.yaml");
        let inside = seen.range(below.clone()..).next().filter(|(other, _)| {
            other.strip_prefix(&below).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if let Some((_, other)) = inside {
            diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_NAME, other.span, format!("`{}` is taken as a path", other.value))
                    .label("names are folders of the output")
                    .related(name.span, "the configuration of this one is written there")
                    .help("give one of them another name"),
            );
        }
    }
    let mut serving: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (index, node) in mesh.nodes.iter().enumerate() {
        for (place, serve) in node.serves.iter().enumerate() {
            serving.entry(serve.service.value.key()).or_default().push((Id::new(index), place));
        }
    }
    Tables { services, nodes, serving, absent: RefCell::default() }
}

impl Tables {
    /// The service of this name; else a diagnostic.
    pub(super) fn service(&self, name: Spanned<&Name>, diagnostics: &mut Diagnostics) -> Option<Id<checked::Service>> {
        let found = self.find_service(name.value);
        if found.is_none() {
            let message = format!("no service is called `{}`", name.value);
            let unknown = Diagnostic::error(codes::UNKNOWN_SERVICE, name.span, message);
            let known = self.services.keys().map(String::as_str);
            let unknown = did_you_mean(unknown, name.value.as_str(), known, diagnostics);
            diagnostics.push(unknown);
            let absent = || Spanned::new(name.value.clone(), name.span);
            self.absent.borrow_mut().entry(name.value.key()).or_insert_with(absent);
        }
        found
    }

    /// Services that were asked for and are not there, in the order of their names.
    pub(super) fn absent(self) -> Vec<Spanned<Name>> {
        self.absent.into_inner().into_values().collect()
    }

    /// The node of this name; else a diagnostic.
    pub(super) fn node(&self, name: &Spanned<Name>, diagnostics: &mut Diagnostics) -> Option<Id<checked::Node>> {
        let found = self.nodes.get(&*name.value.folded()).copied();
        if found.is_none() {
            let message = format!("no node is called `{}`", name.value);
            let unknown = Diagnostic::error(codes::UNKNOWN_NODE, name.span, message);
            let known = self.nodes.keys().map(String::as_str);
            let unknown = did_you_mean(unknown, name.value.as_str(), known, diagnostics);
            diagnostics.push(unknown);
        }
        found
    }

    /// The nodes that serve a service, and what they say of it.
    pub(super) fn serving<'a>(&self, mesh: &'a Mesh, service: &Name) -> Vec<(Id<checked::Node>, &'a Node, &'a Serve)> {
        let places = self.serving.get(&*service.folded()).map_or(&[][..], Vec::as_slice);
        let find = |(id, place): &(Id<checked::Node>, usize)| {
            let node = mesh.nodes.get(id.index())?;
            Some((*id, node, node.serves.get(*place)?))
        };
        places.iter().filter_map(find).collect()
    }

    /// As [`Tables::service`], for rules: silent.
    pub(super) fn find_service(&self, name: &Name) -> Option<Id<checked::Service>> {
        self.find_key(&name.folded())
    }

    /// Every service, in the order of the names.
    pub(super) fn by_name(&self) -> impl Iterator<Item = Id<checked::Service>> {
        self.services.values().copied()
    }

    /// The place of a name in the order of the names.
    pub(super) fn rank(&self, name: &Name) -> Option<usize> {
        self.services.get_index_of(&*name.folded())
    }

    /// The service of this name in lower case.
    pub(super) fn find_key(&self, key: &str) -> Option<Id<checked::Service>> {
        self.services.get(key).copied()
    }
}

fn unique<'a, T>(
    kind: &str,
    names: impl Iterator<Item = &'a Spanned<Name>>,
    diagnostics: &mut Diagnostics,
) -> Table<T> {
    let names: Vec<_> = names.collect();
    let mut table = Table::default();
    for (index, name) in names.iter().enumerate() {
        let first = *table.entry(name.value.key()).or_insert(Id::new(index));
        if let Some(first) = names.get(first.index()).filter(|_| first.index() != index) {
            diagnostics.push(duplicate(kind, name, first));
        }
    }
    table.sort_unstable_keys();
    table
}

fn duplicate(kind: &str, name: &Spanned<Name>, first: &Spanned<Name>) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_NAME, name.span, format!("the name `{}` is taken", name.value))
        .label(format!("a second {kind} of this name"))
        .related(first.span, "the first one is here")
        .help("give one of them another name; names that differ in case only are the same")
}

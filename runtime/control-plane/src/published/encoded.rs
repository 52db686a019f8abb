//! A state as bytes: every resource once, and for each proxy which of them it is told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compiler::snapshot::{ResourceKind, Snapshot};
use prost::Message;

use super::{Names, Published, Sharing, Views};
use crate::view::{Inside, Served, View};

/// The form of states on disk. Another one is not read.
pub const SCHEMA: u32 = 1;

/// A state as it is written: the same state, the same bytes.
#[derive(Clone, PartialEq, Message)]
pub struct State {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<Resource>,
    /// What the mesh says.
    #[prost(message, repeated, tag = "2")]
    proxies: Vec<Proxy>,
    /// What left it a moment ago.
    #[prost(message, repeated, tag = "3")]
    gone: Vec<Proxy>,
    /// Wasm modules, each once.
    #[prost(bytes = "bytes", repeated, tag = "4")]
    modules: Vec<Bytes>,
    /// As [`Names`] has them.
    #[prost(btree_map = "string, string", tag = "5")]
    aliases: BTreeMap<String, String>,
    #[prost(string, repeated, tag = "6")]
    discovered: Vec<String>,
    /// As [`Published`] has it; empty if it is not known.
    #[prost(bytes = "vec", tag = "7")]
    edited: Vec<u8>,
}

/// The encoded bytes of a resource may hold password hashes and keys: nothing here is printed.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Resource {
    /// As `ResourceKind::short_name` says it.
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    version: String,
    /// Without its module.
    #[prost(bytes = "bytes", tag = "4")]
    value: Bytes,
    #[prost(message, optional, tag = "5")]
    module: Option<Place>,
}

/// Where a module belongs in a resource.
#[derive(Clone, PartialEq, Message)]
struct Place {
    #[prost(uint64, tag = "1")]
    at: u64,
    /// A place in `State::modules`.
    #[prost(uint32, tag = "2")]
    module: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Proxy {
    #[prost(string, tag = "1")]
    name: String,
    /// Places in `State::resources`, by type and name.
    #[prost(uint32, repeated, tag = "2")]
    resources: Vec<u32>,
}

impl State {
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut state = Self::default();
        let mut places: HashMap<usize, u32> = HashMap::new();
        for proxy in snapshot.proxies() {
            let mut resources = Vec::new();
            for resource in snapshot.resources(proxy) {
                let place = *places
                    .entry(Arc::as_ptr(resource).addr())
                    .or_insert_with(|| state.resource(resource.kind, &Served::of(resource)));
                resources.push(place);
            }
            state.proxies.push(Proxy { name: proxy.to_owned(), resources });
        }
        state
    }

    /// The same under other names.
    #[must_use]
    pub fn named(self, names: Names) -> Self {
        Self { aliases: names.aliases, discovered: names.discovered.into_iter().collect(), ..self }
    }

    /// Besides proxies' own.
    pub fn names(&self) -> Names {
        Names { aliases: self.aliases.clone(), discovered: self.discovered.iter().cloned().collect() }
    }

    /// Everything that is served, and why.
    pub fn of_published(published: &Published) -> Self {
        let mut state = Self::default();
        let mut places = HashMap::new();
        for (name, view) in published.mesh() {
            let resources = state.add(view, &mut places);
            state.proxies.push(Proxy { name: name.clone(), resources });
        }
        for (name, view) in published.tombstones().views() {
            let resources = state.add(&view, &mut places);
            state.gone.push(Proxy { name, resources });
        }
        state.edited = published.edited.map_or_else(Vec::new, Vec::from);
        state.named(published.names().clone())
    }

    fn add(&mut self, view: &View, places: &mut HashMap<usize, u32>) -> Vec<u32> {
        let mut resources = Vec::new();
        for kind in ResourceKind::ALL {
            for served in view.of(kind).iter() {
                let place = *places.entry(Arc::as_ptr(served).addr()).or_insert_with(|| self.resource(kind, served));
                resources.push(place);
            }
        }
        resources
    }

    /// Adds a resource. Returns its place.
    fn resource(&mut self, kind: ResourceKind, served: &Served) -> u32 {
        let module = served.module.as_ref().map(|inside| {
            let same = |known: &Bytes| known.as_ptr() == inside.bytes.as_ptr() || *known == inside.bytes;
            let place = self.modules.iter().position(same).unwrap_or_else(|| {
                self.modules.push(inside.bytes.clone());
                self.modules.len() - 1
            });
            Place { at: inside.at as u64, module: u32::try_from(place).unwrap_or(u32::MAX) }
        });
        self.resources.push(Resource {
            kind: kind.short_name().to_owned(),
            name: served.name.to_string(),
            version: served.version.to_string(),
            value: served.bytes.clone(),
            module,
        });
        last_place(&self.resources)
    }

    /// What belongs into a resource; `None` as well for a place that is none.
    fn module(&self, resource: &Resource) -> Option<Inside> {
        let place = resource.module.as_ref()?;
        let at = usize::try_from(place.at).ok().filter(|at| *at <= resource.value.len())?;
        let module = self.modules.get(usize::try_from(place.module).ok()?)?;
        Some(Inside { at, bytes: module.clone() })
    }

    /// The views of the mesh; what `before` has already is taken from it.
    pub fn views(&self, before: &Published) -> Views {
        self.cut(&self.proxies, &mut Sharing::with(before))
    }

    /// As it was published. Tombstones begin their grace anew: nobody knows what time has passed.
    pub fn restored(&self, now: Duration, grace: Duration) -> Published {
        let mut sharing = Sharing::default();
        let mesh = self.cut(&self.proxies, &mut sharing);
        let gone = self.cut(&self.gone, &mut sharing);
        let restored = Published::restored(mesh, gone, now, grace).named(self.names());
        Published { edited: self.edited.as_slice().try_into().ok(), ..restored }
    }

    fn cut(&self, proxies: &[Proxy], sharing: &mut Sharing) -> Views {
        let served: Vec<Option<(ResourceKind, Arc<Served>)>> = self
            .resources
            .iter()
            .map(|it| {
                let kind = ResourceKind::ALL.into_iter().find(|kind| kind.short_name() == it.kind)?;
                Some((kind, sharing.served(kind, &it.name, &it.version, &it.value, self.module(it))))
            })
            .collect();
        let mut views = Views::new();
        for proxy in proxies {
            let mut types: BTreeMap<ResourceKind, BTreeMap<Arc<str>, Arc<Served>>> = BTreeMap::new();
            for place in &proxy.resources {
                let at = usize::try_from(*place).ok().and_then(|place| served.get(place)?.as_ref());
                if let Some((kind, served)) = at {
                    types.entry(*kind).or_default().insert(Arc::clone(&served.name), Arc::clone(served));
                }
            }
            let lists: Vec<_> = types
                .into_iter()
                .map(|(kind, members)| {
                    let members: Vec<Arc<Served>> = members.into_values().collect();
                    (kind, sharing.list(kind, &members))
                })
                .collect();
            views.insert(proxy.name.clone(), sharing.view(&lists));
        }
        views
    }
}

/// Four billion resources do not fit into memory.
fn last_place(resources: &[Resource]) -> u32 {
    u32::try_from(resources.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {} {} ({} bytes)", self.kind, self.name, self.version, self.value.len())
    }
}

//! What a control plane serves: every resource encoded once, whoever it is for, under a version that is its content.

mod inside;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ::envoy::config::bootstrap::v3::Bootstrap;
use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::core::v3::TypedExtensionConfig;
use ::envoy::config::endpoint::v3::ClusterLoadAssignment;
use ::envoy::config::listener::v3::Listener;
use ::envoy::config::route::v3::RouteConfiguration;
use ::envoy::extensions::transport_sockets::tls::v3::Secret;
use ::envoy::service::discovery::v3::DiscoveryResponse;
use prost::{Message, Name};
use prost_types::Any;
use sha2::{Digest, Sha256};

pub use inside::Inside;

use crate::WasmModule;
use crate::checked::{CheckedMesh, Id, Proxy, Service};
use crate::emit::delivered::{self, Delivery, Modules, delivered};
use crate::emit::discovered::{Discovered, discovered};
use crate::lower::{self, NodeConfig, Shared, lower_with};

/// The resources of every proxy of a mesh. Same mesh, same bytes, same versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    resources: Vec<Arc<Resource>>,
    /// By the proxy's name: its resources, as places in `resources`, by type and name.
    proxies: BTreeMap<String, Vec<usize>>,
    /// By name: the endpoints in `resources`, one for each kind of caller that is told others.
    endpoints: BTreeMap<String, Vec<usize>>,
}

/// A resource as it goes over the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    pub kind: ResourceKind,
    pub name: String,
    /// Of the bytes: equal content, equal version.
    pub version: String,
    /// The encoded message, without `module`.
    pub bytes: Vec<u8>,
    /// What belongs into it.
    pub module: Option<Inside>,
}

/// What xDS calls a type. The order is that in which an Envoy must hear of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    Cluster,
    Endpoints,
    Secret,
    Listener,
    /// HTTP filters of listeners, each of its own: a change of one leaves the listener and its connections alone.
    Extension,
    Routes,
}

impl Snapshot {
    /// Lowers and encodes a whole mesh. Envoys read modules from the folder of `module`.
    pub fn of(mesh: &CheckedMesh, module: &WasmModule) -> Self {
        Self::delivering(mesh, module, &Delivery::Files)
    }

    /// As [`Snapshot::of`], with the modules delivered in this way.
    pub fn delivering(mesh: &CheckedMesh, module: &WasmModule, delivery: &Delivery) -> Self {
        let shared = Shared::default();
        let mut encoder = Encoder { modules: delivered::modules(mesh, module, delivery), ..Encoder::default() };
        let mut proxies = BTreeMap::new();
        let mut order: Vec<Proxy> = mesh.subscribers().collect();
        // The order of the source means nothing to whoever asks.
        order.sort_by_cached_key(|proxy| mesh.proxy_name(*proxy).key());
        for proxy in order {
            let config = lower_with(mesh, proxy, module, &shared);
            proxies.insert(mesh.proxy_name(proxy).to_string(), encoder.config(&config));
        }
        let mut endpoints: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, resource) in encoder.resources.iter().enumerate() {
            if resource.kind == ResourceKind::Endpoints {
                endpoints.entry(resource.name.clone()).or_default().push(place);
            }
        }
        Self { resources: encoder.resources, proxies, endpoints }
    }

    /// The names of the proxies.
    pub fn proxies(&self) -> impl Iterator<Item = &str> {
        self.proxies.keys().map(String::as_str)
    }

    /// What one proxy is told, by type and name.
    pub fn resources(&self, proxy: &str) -> impl Iterator<Item = &Arc<Resource>> {
        let places = self.proxies.get(proxy).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.resources.get(*place))
    }

    /// Every resource once.
    pub fn all(&self) -> &[Arc<Resource>] {
        &self.resources
    }

    /// The whole of a type as the first `DiscoveryResponse` of a stream says it; empty if there is nothing of it.
    pub fn response(&self, proxy: &str, kind: ResourceKind) -> Vec<u8> {
        let resources: Vec<Any> = self
            .resources(proxy)
            .filter(|resource| resource.kind == kind)
            .map(|resource| Any { type_url: kind.type_url(), value: resource.whole() })
            .collect();
        if resources.is_empty() {
            return Vec::new();
        }
        let version_info = self.version(proxy, kind);
        DiscoveryResponse { version_info, resources, type_url: kind.type_url(), ..Default::default() }.encode_to_vec()
    }

    /// The version of all that one proxy is told of a type.
    pub fn version(&self, proxy: &str, kind: ResourceKind) -> String {
        let mut hasher = Sha256::new();
        for resource in self.resources(proxy).filter(|resource| resource.kind == kind) {
            for part in [&resource.name, &resource.version] {
                hasher.update(part.as_bytes());
                hasher.update([0]);
            }
        }
        hexadecimal(&hasher.finalize())
    }

    /// Takes over the endpoints of one service from a mesh that differs in nothing else. Returns how many resources
    /// changed.
    pub fn refresh_endpoints(&mut self, mesh: &CheckedMesh, service: Id<Service>) -> usize {
        let shared = Shared::default();
        if lower::endpoints_depend_on_caller(mesh, service) {
            return self.refresh_by_caller(mesh, service, &shared);
        }
        // Whoever has no sidecar is told in other words.
        let one_of_each = mesh.proxies().next().into_iter().chain(mesh.proxyless().next());
        let mut changed = 0;
        for assignment in one_of_each.flat_map(|caller| lower::endpoints_of(mesh, service, caller, &shared)) {
            let fresh = endpoints(&assignment);
            for place in self.endpoints.get(&fresh.name).into_iter().flatten() {
                if let Some(known) = self.resources.get_mut(*place)
                    && known.version != fresh.version
                {
                    *known = Arc::new(fresh.clone());
                    changed += 1;
                }
            }
        }
        changed
    }

    /// Callers that had the same endpoints may now have different ones.
    fn refresh_by_caller(&mut self, mesh: &CheckedMesh, service: Id<Service>, shared: &Shared) -> usize {
        let mut fresh: BTreeMap<usize, BTreeMap<String, (Resource, Vec<String>)>> = BTreeMap::new();
        for proxy in mesh.subscribers() {
            let name = mesh.proxy_name(proxy).to_string();
            for assignment in lower::endpoints_of(mesh, service, proxy, shared) {
                let Some(place) = self.place(&name, ResourceKind::Endpoints, &assignment.cluster_name) else {
                    continue;
                };
                let resource = endpoints(&assignment);
                let variants = fresh.entry(place).or_default();
                let variant = variants.entry(resource.version.clone()).or_insert_with(|| (resource, Vec::new()));
                variant.1.push(name.clone());
            }
        }
        let mut changed = 0;
        for (place, variants) in fresh {
            for (index, (resource, proxies)) in variants.into_values().enumerate() {
                let next = self.resources.len();
                match self.resources.get_mut(place).filter(|_| index == 0) {
                    Some(known) if known.version == resource.version => continue,
                    Some(known) => *known = Arc::new(resource),
                    None => {
                        self.endpoints.entry(resource.name.clone()).or_default().push(next);
                        self.resources.push(Arc::new(resource));
                        for name in &proxies {
                            let list = self.proxies.get_mut(name).map_or(&mut [][..], Vec::as_mut_slice);
                            for old in list.iter_mut().filter(|old| **old == place) {
                                *old = next;
                            }
                        }
                    }
                }
                changed += 1;
            }
        }
        changed
    }

    fn place(&self, proxy: &str, kind: ResourceKind, name: &str) -> Option<usize> {
        let known = |place: &&usize| self.resources.get(**place).is_some_and(|it| it.kind == kind && it.name == name);
        self.proxies.get(proxy)?.iter().find(known).copied()
    }
}

impl ResourceKind {
    /// In the order in which an Envoy must hear of them.
    pub const ALL: [Self; 6] =
        [Self::Cluster, Self::Endpoints, Self::Secret, Self::Listener, Self::Extension, Self::Routes];

    /// As Envoy abbreviates the service that gives it.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::Cluster => "cds",
            Self::Endpoints => "eds",
            Self::Secret => "sds",
            Self::Listener => "lds",
            Self::Extension => "ecds",
            Self::Routes => "rds",
        }
    }

    /// What a `DiscoveryRequest` calls it.
    pub fn type_url(self) -> String {
        match self {
            Self::Cluster => Cluster::type_url(),
            Self::Endpoints => ClusterLoadAssignment::type_url(),
            Self::Secret => Secret::type_url(),
            Self::Listener => Listener::type_url(),
            Self::Extension => TypedExtensionConfig::type_url(),
            Self::Routes => RouteConfiguration::type_url(),
        }
    }
}

/// Encodes what several proxies share once.
#[derive(Default)]
struct Encoder {
    resources: Vec<Arc<Resource>>,
    /// By where the message is: shared messages are the same one, and `Shared` keeps them where they are.
    known: BTreeMap<usize, usize>,
    /// By content: messages that were made twice and are equal.
    equal: BTreeMap<(ResourceKind, String, String), usize>,
    /// What is put inside.
    modules: Modules,
}

impl Encoder {
    fn config(&mut self, config: &NodeConfig) -> Vec<usize> {
        let mut places = Vec::new();
        let primary = primary(&config.bootstrap);
        self.add(ResourceKind::Cluster, &config.clusters, |it| &it.name, &mut places);
        self.add(ResourceKind::Cluster, &primary, |it| &it.name, &mut places);
        self.add(ResourceKind::Endpoints, &config.endpoints, |it| &it.cluster_name, &mut places);
        self.add(ResourceKind::Secret, &config.secrets, |it| &it.name, &mut places);
        let Discovered { listeners, extensions } = delivered(discovered(&config.listeners), &self.modules);
        self.add(ResourceKind::Listener, &listeners, |it| &it.name, &mut places);
        self.add(ResourceKind::Extension, &extensions, |it| &it.name, &mut places);
        self.add(ResourceKind::Routes, &config.routes, |it| &it.name, &mut places);
        places
    }

    fn add<M: Name>(
        &mut self,
        kind: ResourceKind,
        messages: &[Arc<M>],
        name: impl Fn(&M) -> &String,
        places: &mut Vec<usize>,
    ) {
        for message in messages {
            let address = Arc::as_ptr(message).addr();
            let shared = Arc::strong_count(message) > 1;
            if let Some(place) = self.known.get(&address).filter(|_| shared) {
                places.push(*place);
                continue;
            }
            let resource = encode(kind, name(message), &**message, &self.modules);
            let next = self.resources.len();
            let key = (kind, resource.name.clone(), resource.version.clone());
            let place = *self.equal.entry(key).or_insert(next);
            if place == next {
                self.resources.push(Arc::new(resource));
            }
            if shared {
                self.known.insert(address, place);
            }
            places.push(place);
        }
    }
}

/// Clusters that an Envoy knows from its bootstrap, unless the mesh says of them only later. Those it knows it keeps.
fn primary(bootstrap: &Bootstrap) -> Vec<Arc<Cluster>> {
    let local = bootstrap.cluster_manager.as_ref().map_or("", |manager| manager.local_cluster_name.as_str());
    let clusters = bootstrap.static_resources.iter().flat_map(|resources| &resources.clusters);
    clusters.filter(|cluster| cluster.name != local).cloned().map(Arc::new).collect()
}

fn encode<M: Name>(kind: ResourceKind, name: &str, message: &M, modules: &Modules) -> Resource {
    let (bytes, module) = inside::take_out(message.encode_to_vec(), modules);
    let version = inside::version(&bytes, module.as_ref());
    Resource { kind, name: name.to_owned(), version, bytes, module }
}

fn endpoints(assignment: &ClusterLoadAssignment) -> Resource {
    encode(ResourceKind::Endpoints, &assignment.cluster_name, assignment, &Modules::new())
}

impl Resource {
    /// The encoded message with everything that belongs into it.
    pub fn whole(&self) -> Vec<u8> {
        inside::parts(&self.bytes, self.module.as_ref()).concat()
    }
}

/// The first 16 bytes: enough for two contents never to meet.
fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes may hold password hashes and keys.
impl fmt::Debug for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, version, bytes, module: _ } = self;
        formatter
            .debug_struct("Resource")
            .field("kind", kind)
            .field("name", name)
            .field("version", version)
            .field("bytes", &bytes.len())
            .finish()
    }
}

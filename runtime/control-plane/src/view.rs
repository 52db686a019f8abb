//! What one proxy is told: for every type its resources by name, each encoded once, whoever it is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use compiler::snapshot::{Resource, ResourceKind};
use envoy::config::cluster::v3::Cluster;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

/// Everything one proxy is told. Views of proxies that are told the same share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    types: BTreeMap<ResourceKind, Arc<Resources>>,
}

/// The resources of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    by_name: BTreeMap<Arc<str>, Arc<Served>>,
    /// Of names and versions: equal content, equal version, on any replica.
    version: String,
}

/// A resource as streams send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    pub name: Arc<str>,
    /// A digest of the encoded message.
    pub version: Arc<str>,
    /// The encoded message.
    pub bytes: Bytes,
    /// Of a cluster: the name under which it asks for its endpoints. Such endpoints must be sent again whenever the
    /// cluster changes, or Envoy waits for them until it gives up (15 s).
    pub endpoints: Option<Arc<str>>,
}

impl View {
    pub fn new(resources: impl IntoIterator<Item = (ResourceKind, Arc<Served>)>) -> Self {
        let mut types: BTreeMap<ResourceKind, Vec<Arc<Served>>> = BTreeMap::new();
        for (kind, served) in resources {
            types.entry(kind).or_default().push(served);
        }
        Self { types: types.into_iter().map(|(kind, served)| (kind, Arc::new(Resources::new(served)))).collect() }
    }

    /// Empty where there is nothing of the type.
    pub fn of(&self, kind: ResourceKind) -> Arc<Resources> {
        self.types.get(&kind).cloned().unwrap_or_default()
    }

    /// The same with the resources of one type replaced.
    #[must_use]
    pub fn with(mut self, kind: ResourceKind, resources: Arc<Resources>) -> Self {
        self.types.insert(kind, resources);
        self
    }
}

impl Resources {
    pub fn new(resources: impl IntoIterator<Item = Arc<Served>>) -> Self {
        let by_name: BTreeMap<Arc<str>, Arc<Served>> =
            resources.into_iter().map(|served| (Arc::clone(&served.name), served)).collect();
        if by_name.is_empty() {
            return Self::default();
        }
        let mut hasher = Sha256::new();
        for served in by_name.values() {
            for part in [&served.name, &served.version] {
                hasher.update(part.as_bytes());
                hasher.update([0]);
            }
        }
        let version = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { by_name, version }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Served>> {
        self.by_name.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.by_name.values()
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Everything that `first` or `second` has; of the same name, the second's. Returns `second` itself where that has
    /// all the names of `first`.
    pub fn union(first: &Arc<Self>, second: &Arc<Self>) -> Arc<Self> {
        if Arc::ptr_eq(first, second) || first.by_name.keys().all(|name| second.by_name.contains_key(name)) {
            return Arc::clone(second);
        }
        let both: BTreeMap<_, _> = first.by_name.iter().chain(&second.by_name).collect();
        Arc::new(Self::new(both.into_values().cloned()))
    }
}

impl Served {
    pub fn of(resource: &Resource) -> Self {
        Self::new(resource.kind, &resource.name, &resource.version, Bytes::from(resource.bytes.clone()))
    }

    pub fn new(kind: ResourceKind, name: &str, version: &str, bytes: Bytes) -> Self {
        let endpoints = (kind == ResourceKind::Cluster).then(|| endpoints_of(&bytes)).flatten();
        Self { name: name.into(), version: version.into(), bytes, endpoints }
    }
}

/// The name under which an EDS cluster asks for its endpoints.
fn endpoints_of(cluster: &Bytes) -> Option<Arc<str>> {
    let cluster = Cluster::decode(cluster.clone()).ok()?;
    let eds = cluster.eds_cluster_config?;
    let name = if eds.service_name.is_empty() { cluster.name } else { eds.service_name };
    Some(name.into())
}

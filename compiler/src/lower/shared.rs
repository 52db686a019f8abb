//! What several proxies of a mesh have in common is made once.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::endpoint::v3::ClusterLoadAssignment;

use crate::checked::{CheckedMesh, Id, Service};

/// Resources that were made for one proxy and hold for others. For one mesh only.
#[derive(Debug, Default)]
pub struct Shared {
    clusters: RefCell<BTreeMap<Key, Arc<Cluster>>>,
    endpoints: RefCell<BTreeMap<Key, Arc<ClusterLoadAssignment>>>,
    in_failover: OnceCell<BTreeSet<Id<Service>>>,
    callers: OnceCell<Cluster>,
    counts_by_keys: OnceCell<bool>,
    overlaid: OnceCell<Vec<Id<Service>>>,
}

/// Everything beside the mesh on which a shared resource depends.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub name: String,
    /// Region and zone of the caller, where its endpoints are ordered by them.
    pub place: Option<(Option<String>, Option<String>)>,
    /// How the caller encrypts, as bytes; empty: not at all.
    pub transport_socket: Vec<u8>,
}

impl Shared {
    pub(super) fn cluster(&self, key: Key, make: impl FnOnce() -> Cluster) -> Arc<Cluster> {
        memo(&self.clusters, key, make)
    }

    pub(super) fn endpoints(
        &self,
        key: Key,
        make: impl FnOnce() -> ClusterLoadAssignment,
    ) -> Arc<ClusterLoadAssignment> {
        memo(&self.endpoints, key, make)
    }

    /// Whether requests for one of several services may end at this one: it has a failover, or is one.
    pub(super) fn takes_part_in_failover(&self, mesh: &CheckedMesh, id: Id<Service>) -> bool {
        self.in_failover.get_or_init(|| in_failover(mesh)).contains(&id)
    }

    /// Whether some rate limit of the mesh counts by keys.
    pub(super) fn counts_by_keys(&self, find: impl FnOnce() -> bool) -> bool {
        *self.counts_by_keys.get_or_init(find)
    }

    /// The services that have overlays.
    pub(super) fn overlaid(&self, mesh: &CheckedMesh) -> &[Id<Service>] {
        self.overlaid.get_or_init(|| {
            mesh.services().filter(|(_, service)| !service.overlays.is_empty()).map(|(id, _)| id).collect()
        })
    }

    pub(super) fn callers(&self, make: impl FnOnce() -> Cluster) -> &Cluster {
        self.callers.get_or_init(make)
    }
}

fn in_failover(mesh: &CheckedMesh) -> BTreeSet<Id<Service>> {
    let having = mesh.services().filter(|(_, service)| !service.failover.is_empty());
    having.flat_map(|(id, service)| service.failover.iter().map(|to| to.service).chain([id])).collect()
}

fn memo<T>(cache: &RefCell<BTreeMap<Key, Arc<T>>>, key: Key, make: impl FnOnce() -> T) -> Arc<T> {
    if let Some(known) = cache.borrow().get(&key) {
        return Arc::clone(known);
    }
    let made = Arc::new(make());
    cache.borrow_mut().insert(key, Arc::clone(&made));
    made
}

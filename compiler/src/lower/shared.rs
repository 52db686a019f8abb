//! What several proxies of a mesh have in common is made once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::endpoint::v3::ClusterLoadAssignment;

/// Resources that were made for one proxy and hold for others. For one mesh only.
#[derive(Debug, Default)]
pub struct Shared {
    clusters: RefCell<BTreeMap<String, Arc<Cluster>>>,
    endpoints: RefCell<BTreeMap<String, Arc<ClusterLoadAssignment>>>,
}

impl Shared {
    /// The cluster of this key; the key says everything on which the cluster depends beside the mesh.
    pub(super) fn cluster(&self, key: &str, make: impl FnOnce() -> Cluster) -> Arc<Cluster> {
        memo(&self.clusters, key, make)
    }

    /// As [`Shared::cluster`].
    pub(super) fn endpoints(
        &self,
        key: &str,
        make: impl FnOnce() -> ClusterLoadAssignment,
    ) -> Arc<ClusterLoadAssignment> {
        memo(&self.endpoints, key, make)
    }
}

fn memo<T>(cache: &RefCell<BTreeMap<String, Arc<T>>>, key: &str, make: impl FnOnce() -> T) -> Arc<T> {
    if let Some(known) = cache.borrow().get(key) {
        return Arc::clone(known);
    }
    let made = Arc::new(make());
    cache.borrow_mut().insert(key.to_owned(), Arc::clone(&made));
    made
}

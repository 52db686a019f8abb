//! What is being served: a snapshot, cut into a view for each proxy.

use std::collections::BTreeMap;
use std::sync::Arc;

use compiler::snapshot::{ResourceKind, Snapshot};

use crate::view::{Served, View};

/// A state of the mesh that may be served. Streams follow it through a `tokio::sync::watch` channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// A digest of everything that is served: the same on every replica with the same inputs.
    pub digest: String,
    views: BTreeMap<String, Arc<View>>,
}

impl Published {
    /// Without anything of an earlier state.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut known: BTreeMap<*const (), Arc<Served>> = BTreeMap::new();
        let mut views = BTreeMap::new();
        for proxy in snapshot.proxies() {
            let resources: Vec<(ResourceKind, Arc<Served>)> = snapshot
                .resources(proxy)
                .map(|resource| {
                    let key = Arc::as_ptr(resource).cast::<()>();
                    (resource.kind, Arc::clone(known.entry(key).or_insert_with(|| Arc::new(Served::of(resource)))))
                })
                .collect();
            views.insert(proxy.to_owned(), Arc::new(View::new(resources)));
        }
        Self::with_views(views)
    }

    pub fn with_views(views: BTreeMap<String, Arc<View>>) -> Self {
        // The reconciler's: a digest over views, in order.
        Self { digest: String::new(), views }
    }

    /// By the proxy's name.
    pub fn view(&self, proxy: &str) -> Option<&Arc<View>> {
        self.views.get(proxy)
    }

    pub fn views(&self) -> impl Iterator<Item = (&str, &Arc<View>)> {
        self.views.iter().map(|(name, view)| (name.as_str(), view))
    }
}

//! What leaves the mesh is served for a while longer: a proxy that has not heard of the change yet, or hears of it from
//! another replica, still sends requests there.
//!
//! Of a proxy that stays: its clusters, their endpoints and secrets. Of a proxy that leaves: everything it was told, for
//! others must stop sending it requests before its listeners close.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;

use crate::published::{Published, Sharing, Views};
use crate::view::{Served, View};

/// By proxy, type and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tombstones(BTreeMap<String, BTreeMap<(ResourceKind, Arc<str>), Tombstone>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tombstone {
    /// As it was served last.
    served: Arc<Served>,
    until: Duration,
}

const OUTLIVE_THEIR_USE: [ResourceKind; 3] = [ResourceKind::Cluster, ResourceKind::Endpoints, ResourceKind::Secret];

/// What of `before` is missing in `mesh`. What comes back has no tombstone.
pub(crate) fn after(before: &Published, mesh: &Views, now: Duration, grace: Duration) -> Tombstones {
    let mut tombstones = before.tombstones().standing(now);
    for (proxy, left) in &mut tombstones.0 {
        if let Some(view) = mesh.get(proxy) {
            left.retain(|(kind, name), _| OUTLIVE_THEIR_USE.contains(kind) && view.of(*kind).get(name).is_none());
        }
    }
    let until = now.saturating_add(grace);
    for (proxy, old) in before.mesh() {
        let new = mesh.get(proxy);
        if grace.is_zero() || new.is_some_and(|new| Arc::ptr_eq(old, new)) {
            continue;
        }
        let kinds = if new.is_some() { &OUTLIVE_THEIR_USE[..] } else { &ResourceKind::ALL[..] };
        let missing = |kind: &ResourceKind, name: &str| new.is_none_or(|new| new.of(*kind).get(name).is_none());
        for kind in kinds {
            for served in old.of(*kind).iter().filter(|served| missing(kind, &served.name)) {
                let tombstone = Tombstone { served: Arc::clone(served), until };
                let left = tombstones.0.entry(proxy.clone()).or_default();
                left.insert((*kind, Arc::clone(&served.name)), tombstone);
            }
        }
    }
    tombstones.0.retain(|_, left| !left.is_empty());
    tombstones
}

/// All that is in `gone` and not in the mesh.
pub(crate) fn restored(mesh: &Views, gone: Views, until: Duration) -> Tombstones {
    let mut tombstones = Tombstones::default();
    for (proxy, view) in gone {
        let back = |kind, name: &str| mesh.get(&proxy).is_some_and(|view| view.of(kind).get(name).is_some());
        let mut left = BTreeMap::new();
        for kind in ResourceKind::ALL {
            for served in view.of(kind).iter().filter(|served| !back(kind, &served.name)) {
                let tombstone = Tombstone { served: Arc::clone(served), until };
                left.insert((kind, Arc::clone(&served.name)), tombstone);
            }
        }
        if !left.is_empty() {
            tombstones.0.insert(proxy, left);
        }
    }
    tombstones
}

impl Tombstones {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Resources, each counted for every proxy that it stays for.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// When the first of them goes.
    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        self.0.values().flat_map(BTreeMap::values).map(|tombstone| tombstone.until).min()
    }

    /// Without those whose time has come.
    pub(crate) fn standing(&self, now: Duration) -> Self {
        let mut standing = self.clone();
        for left in standing.0.values_mut() {
            left.retain(|_, tombstone| tombstone.until > now);
        }
        standing.0.retain(|_, left| !left.is_empty());
        standing
    }

    /// What only tombstones hold, by proxy.
    pub(crate) fn views(&self) -> impl Iterator<Item = (String, View)> {
        self.0.iter().map(|(proxy, left)| {
            let resources = left.iter().map(|((kind, _), tombstone)| (*kind, Arc::clone(&tombstone.served)));
            (proxy.clone(), View::new(resources))
        })
    }

    /// The mesh with the tombstones.
    pub(crate) fn over(&self, mesh: &Views, sharing: &mut Sharing) -> Views {
        let mut views = mesh.clone();
        for (proxy, left) in &self.0 {
            let view = mesh.get(proxy).cloned().unwrap_or_default();
            let mut lists = Vec::new();
            for kind in ResourceKind::ALL {
                let list = view.of(kind);
                let mut members: BTreeMap<&str, Arc<Served>> = BTreeMap::new();
                for tombstone in left.iter().filter(|((of, _), _)| *of == kind).map(|(_, tombstone)| tombstone) {
                    members.insert(&tombstone.served.name, Arc::clone(&tombstone.served));
                }
                let list = if members.is_empty() {
                    list
                } else {
                    members.extend(list.iter().map(|served| (&*served.name, Arc::clone(served))));
                    let members: Vec<Arc<Served>> = members.into_values().collect();
                    sharing.list(kind, &members)
                };
                if !list.is_empty() {
                    lists.push((kind, list));
                }
            }
            views.insert(proxy.clone(), sharing.view(&lists));
        }
        views
    }
}

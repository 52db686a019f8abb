//! What is being served: a state of the mesh, cut into a view for each proxy, and what left it a moment ago.

mod changes;
mod encoded;
mod share;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::{ResourceKind, Snapshot};
use sha2::{Digest as _, Sha256};

use crate::tombstones::{self, Tombstones};
use crate::view::View;

pub(crate) use changes::counted;
pub use changes::{Changes, changes};
pub use encoded::{SCHEMA, State};
pub(crate) use share::Sharing;

/// A view for each proxy, by its name.
pub type Views = BTreeMap<String, Arc<View>>;

/// A state of the mesh that may be served. Streams follow it through a `tokio::sync::watch` channel.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// A digest of what the mesh says: the same on every replica with the same inputs. What left the mesh and is served
    /// for a while longer is no part of it.
    pub digest: String,
    /// As the mesh says it.
    mesh: Views,
    tombstones: Tombstones,
    /// Both: what is served. Where a proxy has no tombstones, the mesh's own view.
    views: Views,
}

impl Published {
    /// Without anything of an earlier state.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self::with_views(State::of(snapshot).views(&Self::default()))
    }

    /// As [`Published::of`], of views that somebody made.
    pub fn with_views(views: Views) -> Self {
        Self { digest: digest(&views), mesh: views.clone(), tombstones: Tombstones::default(), views }
    }

    /// What a file held: its tombstones stand for another `grace`.
    pub(crate) fn restored(mesh: Views, gone: Views, now: Duration, grace: Duration) -> Self {
        let tombstones = tombstones::restored(&mesh, gone, now.saturating_add(grace));
        Self::joined(mesh, tombstones, &Self::default())
    }

    /// The state that comes after this one. What leaves it stays until `now + grace`.
    #[must_use]
    pub fn followed_by(&self, mesh: Views, now: Duration, grace: Duration) -> Self {
        let tombstones = tombstones::after(self, &mesh, now, grace);
        Self::joined(mesh, tombstones, self)
    }

    /// The same without the tombstones whose time has come; `None` if there are none such.
    pub fn expired(&self, now: Duration) -> Option<Self> {
        let next = self.tombstones.next_expiry()?;
        (next <= now).then(|| Self::joined(self.mesh.clone(), self.tombstones.standing(now), self))
    }

    /// When the first tombstone goes.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.tombstones.next_expiry()
    }

    /// By the proxy's name.
    pub fn view(&self, proxy: &str) -> Option<&Arc<View>> {
        self.views.get(proxy)
    }

    pub fn views(&self) -> impl Iterator<Item = (&str, &Arc<View>)> {
        self.views.iter().map(|(name, view)| (name.as_str(), view))
    }

    /// What the mesh says, without tombstones.
    pub fn mesh(&self) -> &Views {
        &self.mesh
    }

    pub fn tombstones(&self) -> &Tombstones {
        &self.tombstones
    }

    /// Different ones: what several proxies are told counts once.
    pub fn resources(&self) -> usize {
        let (mut lists, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for list in self.views.values().flat_map(|view| ResourceKind::ALL.map(|kind| view.of(kind))) {
            // An empty list is made for whoever asks, and may be where another one was.
            if !list.is_empty() && lists.insert(Arc::as_ptr(&list).addr()) {
                seen.extend(list.iter().map(|served| Arc::as_ptr(served).addr()));
            }
        }
        seen.len()
    }

    /// Nothing was ever published.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Whatever `before` has already is taken from it, so that streams compare pointers.
    fn joined(mesh: Views, tombstones: Tombstones, before: &Self) -> Self {
        let views = tombstones.over(&mesh, &mut Sharing::with(before));
        Self { digest: digest(&mesh), mesh, tombstones, views }
    }
}

impl PartialEq for Published {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && digest(&self.views) == digest(&other.views)
    }
}

impl Eq for Published {}

/// Of names and versions, in their order, and of the form in which states are kept.
pub(crate) fn digest(views: &Views) -> String {
    let mut hasher = Sha256::new();
    hasher.update(SCHEMA.to_le_bytes());
    for (name, view) in views {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        for kind in ResourceKind::ALL {
            hasher.update(view.of(kind).version().as_bytes());
            hasher.update([0]);
        }
    }
    hexadecimal(&hasher.finalize())
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! What is being served: a state of the mesh, cut into a view for each proxy, and what left it a moment ago.

mod changes;
mod encoded;
mod names;
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
pub use names::Names;
pub(crate) use names::family;
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
    names: Arc<Names>,
    /// Of the files that people edit, which led here. Nothing where that is not known.
    pub(crate) edited: Option<[u8; 32]>,
}

impl Published {
    /// Without anything of an earlier state.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self::with_views(State::of(snapshot).views(&Self::default()))
    }

    /// As [`Published::of`], of views that somebody made.
    pub fn with_views(views: Views) -> Self {
        Self { digest: digest(&views, &Names::default()), mesh: views.clone(), views, ..Self::default() }
    }

    /// What a file held: its tombstones stand for another `grace`.
    pub(crate) fn restored(mesh: Views, gone: Views, now: Duration, grace: Duration) -> Self {
        let tombstones = tombstones::restored(&mesh, gone, now.saturating_add(grace));
        Self::joined(mesh, tombstones, Names::default(), &Self::default())
    }

    /// The state that comes after this one. What leaves it stays until `now + grace`.
    #[must_use]
    pub fn followed_by(&self, mesh: Views, now: Duration, grace: Duration) -> Self {
        let tombstones = tombstones::after(self, &mesh, now, grace);
        Self::joined(mesh, tombstones, Names::default(), self)
    }

    /// The same under other names.
    #[must_use]
    pub fn named(self, names: Names) -> Self {
        let digest = digest(&self.mesh, &names);
        let names =
            names.keeping(&self.names, |proxy| self.views.contains_key(proxy) && !self.mesh.contains_key(proxy));
        Self { digest, names: Arc::new(names), ..self }
    }

    /// The same without the tombstones whose time has come; `None` if there are none such.
    pub fn expired(&self, now: Duration) -> Option<Self> {
        let next = self.tombstones.next_expiry()?;
        (next <= now).then(|| {
            let next = Self::joined(self.mesh.clone(), self.tombstones.standing(now), (*self.names).clone(), self);
            Self { edited: self.edited, ..next }
        })
    }

    /// The same, of which the files that people edit were these.
    pub(crate) fn edited_as(self, edited: Option<[u8; 32]>) -> Self {
        Self { edited, ..self }
    }

    /// When the first tombstone goes.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.tombstones.next_expiry()
    }

    /// By the proxy's name.
    pub fn view(&self, proxy: &str) -> Option<&Arc<View>> {
        self.views.get(proxy)
    }

    /// The proxy that the node with this id is, under whatever name it asks.
    pub fn proxy<'p>(&'p self, node: &'p str) -> Option<&'p str> {
        self.names.proxy(node, |name| self.views.contains_key(name))
    }

    /// Besides proxies' own.
    pub fn names(&self) -> &Names {
        &self.names
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
    fn joined(mesh: Views, tombstones: Tombstones, names: Names, before: &Self) -> Self {
        let views = tombstones.over(&mesh, &mut Sharing::with(before));
        let digest = digest(&mesh, &names);
        let left = |proxy: &str| views.contains_key(proxy) && !mesh.contains_key(proxy);
        let names = Arc::new(names.keeping(&before.names, left));
        Self { digest, mesh, tombstones, views, names, edited: None }
    }
}

impl PartialEq for Published {
    fn eq(&self, other: &Self) -> bool {
        let none = Names::default();
        self.digest == other.digest && digest(&self.views, &none) == digest(&other.views, &none)
    }
}

impl Eq for Published {}

/// Of names and versions, in their order, and of the form in which states are kept.
pub(crate) fn digest(views: &Views, names: &Names) -> String {
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
    let aliases = names.aliases.iter().flat_map(|(alias, proxy)| [alias, proxy]);
    // Others may have left the mesh, and stay for a while.
    for name in aliases.chain(names.discovered.iter().filter(|name| views.contains_key(*name))) {
        hasher.update(name.as_bytes());
        hasher.update([0]);
    }
    hexadecimal(&hasher.finalize())
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Equal content is held once: within a state, and between a state and the one before it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;

use super::Published;
use crate::view::{Inside, Resources, Served, View};

/// Everything that is there already.
#[derive(Default)]
pub(crate) struct Sharing {
    served: HashMap<(ResourceKindKey, Arc<str>, Arc<str>), Arc<Served>>,
    /// By the places of their members, which `served` and the lists themselves keep.
    lists: HashMap<(ResourceKindKey, Vec<usize>), Arc<Resources>>,
    /// A version is a digest of names and versions.
    versions: HashMap<(ResourceKindKey, String), Arc<Resources>>,
    views: HashMap<Vec<(ResourceKindKey, usize)>, Arc<View>>,
    modules: Vec<Bytes>,
}

/// A type's place in the order of types.
type ResourceKindKey = usize;

impl Sharing {
    pub(crate) fn with(before: &Published) -> Self {
        let mut sharing = Self::default();
        for view in before.mesh.values().chain(before.views.values()) {
            sharing.add(view);
        }
        sharing
    }

    fn add(&mut self, view: &Arc<View>) {
        let lists: Vec<(ResourceKind, Arc<Resources>)> = ResourceKind::ALL
            .into_iter()
            .map(|kind| (kind, view.of(kind)))
            .filter(|(_, list)| !list.is_empty())
            .collect();
        for (kind, list) in &lists {
            let key = (kind_key(*kind), list.version().to_owned());
            if self.versions.contains_key(&key) {
                continue;
            }
            self.versions.insert(key, Arc::clone(list));
            let members: Vec<usize> = list.iter().map(|served| Arc::as_ptr(served).addr()).collect();
            self.lists.insert((kind_key(*kind), members), Arc::clone(list));
            for served in list.iter() {
                let key = (kind_key(*kind), Arc::clone(&served.name), Arc::clone(&served.version));
                self.served.entry(key).or_insert_with(|| Arc::clone(served));
                if let Some(inside) = &served.module
                    && !self.modules.iter().any(|known| *known == inside.bytes)
                {
                    self.modules.push(inside.bytes.clone());
                }
            }
        }
        self.views.entry(view_key(&lists)).or_insert_with(|| Arc::clone(view));
    }

    pub(crate) fn served(
        &mut self,
        kind: ResourceKind,
        name: &str,
        version: &str,
        bytes: &[u8],
        module: Option<Inside>,
    ) -> Arc<Served> {
        let key = (kind_key(kind), Arc::from(name), Arc::from(version));
        if let Some(known) = self.served.get(&key) {
            return Arc::clone(known);
        }
        let module = module.map(|inside| Inside { bytes: self.module(&inside.bytes), ..inside });
        let mut served = Served::new(kind, name, version, Bytes::copy_from_slice(bytes));
        served.module = module;
        let served = Arc::new(served);
        self.served.insert(key, Arc::clone(&served));
        served
    }

    /// The same bytes, held once, and apart from the message that they came in.
    fn module(&mut self, bytes: &Bytes) -> Bytes {
        if let Some(known) = self.modules.iter().find(|known| *known == bytes) {
            return known.clone();
        }
        let own = Bytes::copy_from_slice(bytes);
        self.modules.push(own.clone());
        own
    }

    /// The members in the order of their names.
    pub(crate) fn list(&mut self, kind: ResourceKind, members: &[Arc<Served>]) -> Arc<Resources> {
        let places: Vec<usize> = members.iter().map(|served| Arc::as_ptr(served).addr()).collect();
        let key = (kind_key(kind), places);
        if let Some(known) = self.lists.get(&key) {
            return Arc::clone(known);
        }
        let list = Arc::new(Resources::new(members.iter().cloned()));
        let version = (kind_key(kind), list.version().to_owned());
        let list = Arc::clone(self.versions.entry(version).or_insert(list));
        self.lists.insert(key, Arc::clone(&list));
        list
    }

    pub(crate) fn view(&mut self, lists: &[(ResourceKind, Arc<Resources>)]) -> Arc<View> {
        let new = || {
            let add = |view: View, (kind, list): &(ResourceKind, Arc<Resources>)| view.with(*kind, Arc::clone(list));
            Arc::new(lists.iter().fold(View::default(), add))
        };
        Arc::clone(self.views.entry(view_key(lists)).or_insert_with(new))
    }
}

fn view_key(lists: &[(ResourceKind, Arc<Resources>)]) -> Vec<(ResourceKindKey, usize)> {
    lists.iter().map(|(kind, list)| (kind_key(*kind), Arc::as_ptr(list).addr())).collect()
}

fn kind_key(kind: ResourceKind) -> ResourceKindKey {
    kind as usize
}

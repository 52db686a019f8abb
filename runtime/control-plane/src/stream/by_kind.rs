//! One value for each type of resources.

use std::ops::{Index, IndexMut};

use compiler::snapshot::ResourceKind;

#[derive(Debug)]
pub(super) struct ByKind<T>([T; ResourceKind::ALL.len()]);

impl<T> ByKind<T> {
    pub(super) fn from_fn(of: impl FnMut(ResourceKind) -> T) -> Self {
        // `ALL` is in the order of the variants.
        Self(ResourceKind::ALL.map(of))
    }
}

impl<T> Index<ResourceKind> for ByKind<T> {
    type Output = T;

    fn index(&self, kind: ResourceKind) -> &T {
        &self.0[kind as usize]
    }
}

impl<T> IndexMut<ResourceKind> for ByKind<T> {
    fn index_mut(&mut self, kind: ResourceKind) -> &mut T {
        &mut self.0[kind as usize]
    }
}

//! What may be reached outside the mesh.

use super::Parts;
use super::scope::Scope;
use crate::envoy::route::Host;

/// The virtual hosts of what may be reached over the egress listener, and their clusters.
pub(super) fn hosts(_scope: &Scope<'_>, _parts: &mut Parts) -> Vec<Host> {
    Vec::new()
}

//! Wasm filters of the user's own.

use super::Parts;
use super::policies::{Chain, Policies};
use super::scope::Scope;

/// Filters that see requests that come in.
pub(super) fn lower(_scope: &Scope<'_>, _policies: &Policies<'_>, _chain: &mut Chain, _parts: &mut Parts) {}

/// Filters that see requests that go out.
pub(super) fn outbound(_scope: &Scope<'_>, _chain: &mut Chain, _parts: &mut Parts) {}

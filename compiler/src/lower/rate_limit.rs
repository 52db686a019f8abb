//! How many requests are accepted.

use super::policies::{Chain, Policies};
use super::scope::Scope;

/// A bucket for each limit.
pub(super) fn lower(_scope: &Scope<'_>, _policies: &Policies<'_>, _chain: &mut Chain) {}

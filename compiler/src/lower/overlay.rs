//! The user's own changes to what was lowered.

use super::NodeConfig;
use super::scope::Scope;

/// Merges every overlay that holds here, in the order: mesh, proxy, service.
pub(super) fn apply(_scope: &Scope<'_>, _config: &mut NodeConfig) {}

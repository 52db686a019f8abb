//! Connections that are taken without the application's knowledge, as ECS `proxyConfiguration` sets it up.

use super::Parts;
use super::scope::Scope;
use crate::checked::Node;

/// The listeners to which connections are redirected.
pub(super) fn lower(_scope: &Scope<'_>, node: &Node, _parts: &mut Parts) {
    if node.transparent_proxy.is_none() {}
}

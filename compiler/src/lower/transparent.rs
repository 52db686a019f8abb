//! Connections that are taken without the application's knowledge, as ECS `proxyConfiguration` sets it up.

mod inbound;
mod outbound;

use super::scope::Scope;
use super::{INTERCEPTED_INBOUND_PORT, INTERCEPTED_OUTBOUND_PORT, Parts};
use crate::checked::Node;

/// The listeners to which connections are redirected.
pub(super) fn lower(scope: &Scope<'_>, node: &Node, parts: &mut Parts) {
    let Some(proxy) = &node.transparent_proxy else { return };
    if !node.serves.is_empty() {
        let port = proxy.inbound_port.as_ref().map_or(INTERCEPTED_INBOUND_PORT, |port| port.value);
        inbound::lower(scope, node, port, parts);
    }
    let port = proxy.outbound_port.as_ref().map_or(INTERCEPTED_OUTBOUND_PORT, |port| port.value);
    outbound::lower(scope, node, port, parts);
}

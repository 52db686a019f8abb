//! What is encrypted, and whom certificates prove.

use ::envoy::config::core::v3::TransportSocket;

use super::Parts;
use super::scope::Scope;
use crate::checked::{Id, ServerTls, Service};

/// How connections are accepted.
pub(super) fn server(_scope: &Scope<'_>, _tls: &ServerTls, _parts: &mut Parts) -> Option<TransportSocket> {
    None
}

/// How this proxy connects to a service; `None`: not encrypted.
pub(super) fn client(_scope: &Scope<'_>, _service: Id<Service>, _parts: &mut Parts) -> Option<TransportSocket> {
    None
}

//! Whose requests are meant: by the identity in the caller's certificate, or by its address.

use alloc::string::String;
use alloc::vec::Vec;

use crate::client::{self, Network, Networks};
use crate::decode::config;
use crate::{Property, Request};

config! {
    /// Callers: whoever has one of the identities, if there are any, and one of the addresses, if there are any. A
    /// caller of which that is not known is none of them.
    pub struct FaultCallers {
        /// SPIFFE identities, as verified certificates have them.
        pub identities: Vec<String>,
        /// Networks of the address that is connected.
        pub networks: Vec<Network>,
    }
}

/// Prepared [`FaultCallers`].
#[derive(Debug)]
pub(super) struct Callers {
    identities: Vec<String>,
    networks: Networks,
}

impl Callers {
    pub(super) fn new(config: FaultCallers) -> Callers {
        Callers { identities: config.identities, networks: Networks::new(&config.networks) }
    }

    pub(super) fn include(&self, request: &mut dyn Request) -> bool {
        if !self.identities.is_empty() {
            let Some(uri) = request.property(Property::PeerUri) else { return false };
            if !self.identities.iter().any(|identity| identity.as_bytes() == uri) {
                return false;
            }
        }
        self.networks.is_empty() || client::address(request, 0).is_some_and(|address| self.networks.contain(address))
    }
}

//! The HTTP connection managers of a listener, which lie encoded in its filter chains.

use ::envoy::config::listener::v3::{Listener, filter};
use ::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use prost::{Message, Name};

/// Whether a connection manager was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Changed,
    Untouched,
}

/// Shows each connection manager of a listener, in order, and puts those that were changed in their place.
pub(super) fn edit(listener: &mut Listener, mut change: impl FnMut(&mut HttpConnectionManager) -> Edit) {
    let chains = listener.filter_chains.iter_mut().chain(&mut listener.default_filter_chain);
    for filter in chains.flat_map(|chain| &mut chain.filters) {
        let Some(filter::ConfigType::TypedConfig(config)) = &mut filter.config_type else { continue };
        if config.type_url != HttpConnectionManager::type_url() {
            continue;
        }
        // What we encoded can be decoded.
        let Ok(mut manager) = HttpConnectionManager::decode(config.value.as_slice()) else { continue };
        if change(&mut manager) == Edit::Changed {
            *config = ::envoy::any(&manager);
        }
    }
}

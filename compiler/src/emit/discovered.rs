//! HTTP filters taken out of their listeners, for an Envoy that has a control plane: a change of one leaves the
//! listener, its connections and its other filters alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::envoy::config::core::v3::{ExtensionConfigSource, TypedExtensionConfig, async_data_source};
use ::envoy::config::listener::v3::Listener;
use ::envoy::extensions::filters::http::buffer::v3::Buffer;
use ::envoy::extensions::filters::http::cors::v3::Cors;
use ::envoy::extensions::filters::http::dynamic_forward_proxy::v3::FilterConfig as ForwardProxy;
use ::envoy::extensions::filters::http::fault::v3::HttpFault;
use ::envoy::extensions::filters::http::jwt_authn::v3::{JwtAuthentication, jwt_provider::JwksSourceSpecifier};
use ::envoy::extensions::filters::http::router::v3::Router;
use ::envoy::extensions::filters::http::stateful_session::v3::StatefulSession;
use ::envoy::extensions::filters::http::wasm::v3::Wasm;
use ::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, HttpFilter, http_filter::ConfigType,
};
use ::envoy::extensions::wasm::v3::plugin_config::Vm;
use prost::{Message, Name};
use prost_types::Any;

use super::connection_managers::{self, Edit};
use crate::envoy::listener::from_control_plane;

/// Listeners that ask for their filters, and the filters.
pub(crate) struct Discovered {
    pub listeners: Vec<Arc<Listener>>,
    /// By name, each once.
    pub extensions: Vec<Arc<TypedExtensionConfig>>,
}

/// A resource is asked for by the filter's name, wherever in the proxy the filter stands: of filters that share a name
/// and differ in their configuration each stays where it is.
pub(crate) fn discovered(listeners: &[Arc<Listener>]) -> Discovered {
    let mut configs: BTreeMap<String, Any> = BTreeMap::new();
    let mut ambiguous: BTreeSet<String> = BTreeSet::new();
    for listener in listeners {
        // Nothing is changed yet: another listener may have the same name for something else.
        connection_managers::edit(&mut (**listener).clone(), |manager| {
            for filter in filters(manager) {
                let Some(config) = changeable(filter) else { continue };
                match configs.get(&filter.name) {
                    Some(known) if known != config => _ = ambiguous.insert(filter.name.clone()),
                    Some(_) => {}
                    None => _ = configs.insert(filter.name.clone(), config.clone()),
                }
            }
            Edit::Untouched
        });
    }
    configs.retain(|name, _| !ambiguous.contains(name));
    Discovered {
        listeners: listeners.iter().map(|listener| asking(listener, &configs)).collect(),
        extensions: configs
            .into_iter()
            .map(|(name, config)| Arc::new(TypedExtensionConfig { name, typed_config: Some(config) }))
            .collect(),
    }
}

/// The listener, asking for the filters that are served.
fn asking(listener: &Listener, served: &BTreeMap<String, Any>) -> Arc<Listener> {
    let mut listener = listener.clone();
    connection_managers::edit(&mut listener, |manager| {
        let mut edit = Edit::Untouched;
        for filter in filters(manager).filter(|filter| served.contains_key(&filter.name)) {
            let Some(config) = changeable(filter) else { continue };
            let type_urls = vec![config.type_url.clone()];
            // Without a configuration of its own the filter answers 500 until the control plane has told one, which
            // the listener waits for: what guards a service is never left out.
            filter.config_type = Some(ConfigType::ConfigDiscovery(ExtensionConfigSource {
                config_source: Some(from_control_plane()),
                type_urls,
                ..Default::default()
            }));
            edit = Edit::Changed;
        }
        edit
    });
    Arc::new(listener)
}

/// The filters of a chain, and of the chains of upgrades that have their own.
pub(super) fn filters(manager: &mut HttpConnectionManager) -> impl Iterator<Item = &mut HttpFilter> {
    manager.http_filters.iter_mut().chain(manager.upgrade_configs.iter_mut().flat_map(|upgrade| &mut upgrade.filters))
}

/// The configuration of a filter that may change without its listener.
fn changeable(filter: &HttpFilter) -> Option<&Any> {
    let Some(ConfigType::TypedConfig(config)) = &filter.config_type else { return None };
    let stays = is_constant(&config.type_url) || fetches_at_its_start(config);
    (!stays).then_some(config)
}

/// Filters that say the same in every mesh, and whose work is said by routes: they would only be waited for. The router
/// must be known when a listener is.
fn is_constant(type_url: &str) -> bool {
    let constant = [
        Router::type_url(),
        Cors::type_url(),
        Buffer::type_url(),
        HttpFault::type_url(),
        StatefulSession::type_url(),
        ForwardProxy::type_url(),
    ];
    constant.iter().any(|known| known == type_url)
}

/// What a filter fetches before it works, a listener waits for; to one that works already Envoy can add nothing that it
/// would wait for.
fn fetches_at_its_start(config: &Any) -> bool {
    if config.type_url == Wasm::type_url() {
        let vm = Wasm::decode(config.value.as_slice()).ok().and_then(|wasm| wasm.config).and_then(|config| config.vm);
        let code = vm.and_then(|Vm::VmConfig(vm)| vm.code).and_then(|code| code.specifier);
        matches!(code, Some(async_data_source::Specifier::Remote(_)))
    } else if config.type_url == JwtAuthentication::type_url() {
        let Ok(jwt) = JwtAuthentication::decode(config.value.as_slice()) else { return false };
        let mut sources = jwt.providers.values().filter_map(|provider| provider.jwks_source_specifier.as_ref());
        sources.any(|source| matches!(source, JwksSourceSpecifier::RemoteJwks(keys) if keys.async_fetch.is_some()))
    } else {
        false
    }
}

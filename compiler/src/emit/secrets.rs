//! Where an Envoy without a control plane finds the secrets that the control plane would serve.

use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::core::v3::{
    ConfigSource, TransportSocket, config_source::ConfigSourceSpecifier, transport_socket::ConfigType,
};
use ::envoy::config::listener::v3::Listener;
use ::envoy::extensions::transport_sockets::tls::v3::{
    CommonTlsContext, DownstreamTlsContext, SdsSecretConfig, UpstreamTlsContext,
    common_tls_context::ValidationContextType,
};
use prost::{Message, Name};

use crate::lower::NodeConfig;

/// Says for each secret of a configuration where it is found; `None` means in the bootstrap.
pub(super) struct Sources<'a> {
    config: &'a NodeConfig,
    source: &'a dyn Fn(&str) -> Option<ConfigSource>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(config: &'a NodeConfig, source: &'a dyn Fn(&str) -> Option<ConfigSource>) -> Self {
        Self { config, source }
    }
}

pub(super) fn place_in_listener(listener: &mut Listener, sources: &Sources<'_>) {
    let chains = listener.filter_chains.iter_mut().chain(&mut listener.default_filter_chain);
    for socket in chains.filter_map(|chain| chain.transport_socket.as_mut()) {
        place(socket, sources);
    }
}

pub(super) fn place_in_cluster(cluster: &mut Cluster, sources: &Sources<'_>) {
    let matched = cluster.transport_socket_matches.iter_mut().filter_map(|it| it.transport_socket.as_mut());
    for socket in cluster.transport_socket.iter_mut().chain(matched) {
        place(socket, sources);
    }
}

fn place(socket: &mut TransportSocket, sources: &Sources<'_>) {
    let Some(ConfigType::TypedConfig(config)) = &mut socket.config_type else { return };
    // What we encoded can be decoded.
    if config.type_url == DownstreamTlsContext::type_url() {
        let Ok(mut context) = DownstreamTlsContext::decode(config.value.as_slice()) else { return };
        replace(&mut context.common_tls_context, sources);
        *config = ::envoy::any(&context);
    } else if config.type_url == UpstreamTlsContext::type_url() {
        let Ok(mut context) = UpstreamTlsContext::decode(config.value.as_slice()) else { return };
        replace(&mut context.common_tls_context, sources);
        *config = ::envoy::any(&context);
    }
}

/// Secrets of an SDS server keep their source.
fn replace(context: &mut Option<CommonTlsContext>, sources: &Sources<'_>) {
    let Some(context) = context else { return };
    let authorities = match &mut context.validation_context_type {
        Some(ValidationContextType::CombinedValidationContext(combined)) => {
            combined.validation_context_sds_secret_config.as_mut()
        }
        Some(ValidationContextType::ValidationContextSdsSecretConfig(secret)) => Some(secret),
        _ => None,
    };
    for SdsSecretConfig { name, sds_config } in context.tls_certificate_sds_secret_configs.iter_mut().chain(authorities)
    {
        let served = matches!(
            sds_config.as_ref().and_then(|config| config.config_source_specifier.as_ref()),
            Some(ConfigSourceSpecifier::Ads(_))
        );
        if served {
            let known = sources.config.secrets.iter().any(|secret| secret.name == *name);
            // Envoy refuses to start without a secret, and crashes without a control plane that it was told to ask.
            *sds_config = known.then(|| (sources.source)(name)).flatten();
        }
    }
}

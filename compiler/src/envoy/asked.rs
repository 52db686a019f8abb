//! A service as the HTTP filter that asks another server reaches it.
//!
//! That filter asks with the `Host` of the request it asks about, by which no sidecar knows the server, and has no field
//! for another one. Of the filters that a cluster may have only Lua may write it.

use envoy::config::cluster::v3::Cluster;
use envoy::config::core::v3::{DataSource, Http1ProtocolOptions, data_source};
use envoy::extensions::filters::http::lua::v3::Lua;
use envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
use envoy::extensions::filters::network::http_connection_manager::v3::{HttpFilter, http_filter::ConfigType};
use envoy::extensions::upstreams::http::v3::{
    HttpProtocolOptions,
    http_protocol_options::{ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig},
};
use prost::Message;

const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// The same cluster under another name, whose requests carry this `Host`: letters, digits, dots, dashes.
pub(crate) fn asked(cluster: &Cluster, name: String, host: &str) -> Cluster {
    let mut asked = cluster.clone();
    if let Some(eds) = &mut asked.eds_cluster_config
        && eds.service_name.is_empty()
    {
        eds.service_name.clone_from(&cluster.name);
    }
    let said = cluster.typed_extension_protocol_options.get(OPTIONS);
    // What we encoded can be decoded.
    let said = said.and_then(|any| HttpProtocolOptions::decode(any.value.as_slice()).ok());
    let mut options = said.unwrap_or_default();
    options.upstream_protocol_options.get_or_insert_with(|| {
        UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(ProtocolConfig::HttpProtocolOptions(Http1ProtocolOptions::default())),
        })
    });
    let source = format!("function envoy_on_request(handle) handle:headers():replace(':authority', '{host}') end");
    let source = DataSource { specifier: Some(data_source::Specifier::InlineString(source)), ..Default::default() };
    let lua = Lua { default_source_code: Some(source), ..Default::default() };
    options.http_filters = vec![
        filter("envoy.filters.http.lua", &lua),
        filter("envoy.filters.http.upstream_codec", &UpstreamCodec::default()),
    ];
    asked.typed_extension_protocol_options.insert(OPTIONS.to_owned(), envoy::any(&options));
    asked.alt_stat_name = super::names::stat_name(&name);
    asked.name = name;
    asked
}

fn filter<M: prost::Name>(name: &str, config: &M) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(envoy::any(config))),
        ..Default::default()
    }
}

//! A configuration as files that Envoy watches: a bootstrap, and a file for each resource that is asked for by name.
//!
//! Envoy reads a file anew when another one is moved into its place, and keeps what it has when the new one is wrong
//! (<https://www.envoyproxy.io/docs/envoy/v1.40.0/api-docs/xds_protocol#filesystem-subscriptions>).

use std::fmt::Write as _;
use std::sync::Arc;

use ::envoy::config::bootstrap::v3::{Bootstrap, bootstrap::DynamicResources};
use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::core::v3::{ApiVersion, ConfigSource, PathConfigSource, config_source::ConfigSourceSpecifier};
use ::envoy::config::listener::v3::Listener;
use ::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use ::envoy::service::discovery::v3::DiscoveryResponse;
use ::envoy::to_yaml;
use prost::Name;

use super::connection_managers::{self, Edit};
use super::secrets::{Sources, place_in_cluster, place_in_listener};
use crate::lower::NodeConfig;

/// Name below the node's folder, and content, in the order in which they must be written: what is referred to comes
/// first. `folder` is where Envoy finds them.
pub fn xds_files(config: &NodeConfig, folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for secret in &config.secrets {
        files.push((secret_file(&secret.name), response(std::slice::from_ref(secret))));
    }
    let in_file = |name: &str| Some(file(folder, &secret_file(name)));
    let sources = Sources::new(config, &in_file);
    for endpoints in &config.endpoints {
        files.push((endpoints_file(&endpoints.cluster_name), response(std::slice::from_ref(endpoints))));
    }
    let clusters: Vec<Arc<Cluster>> = config.clusters.iter().map(|it| with_files(it, folder, &sources)).collect();
    files.push(("cds.yaml".to_owned(), response(&clusters)));
    for routes in &config.routes {
        files.push((routes_file(&routes.name), response(std::slice::from_ref(routes))));
    }
    let listeners: Vec<Arc<Listener>> =
        config.listeners.iter().map(|it| with_route_files(it, folder, &sources)).collect();
    files.push(("lds.yaml".to_owned(), response(&listeners)));
    files
}

/// A bootstrap whose listeners and clusters are files of `folder`.
pub fn bootstrap(config: &NodeConfig, folder: &str) -> Bootstrap {
    let mut bootstrap = config.bootstrap.clone();
    bootstrap.dynamic_resources = Some(DynamicResources {
        lds_config: Some(file(folder, "lds.yaml")),
        cds_config: Some(file(folder, "cds.yaml")),
        ..Default::default()
    });
    bootstrap
}

fn response<M: Name>(resources: &[Arc<M>]) -> String {
    let resources = resources.iter().map(|resource| ::envoy::any(&**resource)).collect();
    to_yaml(&DiscoveryResponse { resources, ..Default::default() })
}

fn endpoints_file(cluster: &str) -> String {
    format!("eds/{}.yaml", file_name(cluster))
}

fn routes_file(routes: &str) -> String {
    format!("rds/{}.yaml", file_name(routes))
}

/// Envoy reads the certificates that a secret names anew when they change only if the secret came from a file, too.
fn secret_file(secret: &str) -> String {
    format!("sds/{}.yaml", file_name(secret))
}

/// A resource's name as the name of a file, no two alike: what is not a letter, digit, dot, dash or underscore becomes
/// `%` and its bytes in hexadecimal.
fn file_name(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

fn file(folder: &str, name: &str) -> ConfigSource {
    let source = PathConfigSource { path: format!("{folder}/{name}"), ..Default::default() };
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::PathConfigSource(source)),
        ..Default::default()
    }
}

fn with_files(cluster: &Arc<Cluster>, folder: &str, sources: &Sources<'_>) -> Arc<Cluster> {
    let mut cluster = (**cluster).clone();
    if let Some(eds) = &mut cluster.eds_cluster_config {
        let named = if eds.service_name.is_empty() { &cluster.name } else { &eds.service_name };
        eds.eds_config = Some(file(folder, &endpoints_file(named)));
    }
    place_in_cluster(&mut cluster, sources);
    Arc::new(cluster)
}

fn with_route_files(listener: &Listener, folder: &str, sources: &Sources<'_>) -> Arc<Listener> {
    let mut listener = listener.clone();
    connection_managers::edit(&mut listener, |manager| {
        let Some(RouteSpecifier::Rds(rds)) = &mut manager.route_specifier else { return Edit::Untouched };
        rds.config_source = Some(file(folder, &routes_file(&rds.route_config_name)));
        Edit::Changed
    });
    place_in_listener(&mut listener, sources);
    Arc::new(listener)
}

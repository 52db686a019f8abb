//! Small meshes to talk about: resources whose content is a number.

use std::sync::Arc;

use compiler::snapshot::ResourceKind;
use envoy::config::cluster::v3::{Cluster, cluster::EdsClusterConfig};
use envoy::config::core::v3::TypedExtensionConfig;
use envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy::config::listener::v3::filter::ConfigType;
use envoy::config::listener::v3::{Filter, FilterChain, Listener};
use envoy::config::route::v3::RouteConfiguration;
use envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use envoy::extensions::filters::network::http_connection_manager::v3::{HttpConnectionManager, Rds};
use envoy::extensions::transport_sockets::tls::v3::Secret;
use envoy::service::discovery::v3::{DeltaDiscoveryResponse, DiscoveryResponse};
use meshwright_control_plane::{Outgoing, Served, Variant, View};
use prost::{Message, Name};
use prost_types::Any;

/// The types as scripts abbreviate them.
pub(crate) fn kind(short: &str) -> Option<ResourceKind> {
    ResourceKind::ALL.into_iter().find(|kind| kind.short_name().eq_ignore_ascii_case(short))
}

/// `cds.a=1 eds.a=1 lds.in=1>r`: resources with their content, and the routes that a listener asks for. Clusters ask for
/// the endpoints of their own name.
pub(crate) fn view(text: &str) -> Arc<View> {
    let resources = text.split_whitespace().map(|word| {
        let parts = word.split_once('.').and_then(|(short, rest)| Some((kind(short)?, rest.split_once('=')?)));
        let (kind, (name, content)) = parts.unwrap_or_else(|| panic!("not a resource: {word}"));
        let (content, routes) = content.split_once('>').unwrap_or((content, ""));
        (kind, served(kind, name, content, routes))
    });
    Arc::new(View::new(resources))
}

pub(crate) fn served(kind: ResourceKind, name: &str, content: &str, routes: &str) -> Arc<Served> {
    Arc::new(Served::new(kind, name, content, encode(kind, name, content, routes).into()))
}

fn encode(kind: ResourceKind, name: &str, content: &str, routes: &str) -> Vec<u8> {
    let (name, content) = (name.to_owned(), content.to_owned());
    match kind {
        ResourceKind::Cluster => {
            let eds_cluster_config = Some(EdsClusterConfig::default());
            Cluster { name, alt_stat_name: content, eds_cluster_config, ..Default::default() }.encode_to_vec()
        }
        ResourceKind::Endpoints => {
            let named_endpoints = [(content, Default::default())].into();
            ClusterLoadAssignment { cluster_name: name, named_endpoints, ..Default::default() }.encode_to_vec()
        }
        ResourceKind::Secret => Secret { name: format!("{name} {content}"), ..Default::default() }.encode_to_vec(),
        ResourceKind::Listener => {
            let filter_chains = (!routes.is_empty()).then(|| chain(routes)).into_iter().collect();
            Listener { name, stat_prefix: content, filter_chains, ..Default::default() }.encode_to_vec()
        }
        ResourceKind::Extension => {
            let typed_config = Some(Any { type_url: content, ..Default::default() });
            TypedExtensionConfig { name, typed_config }.encode_to_vec()
        }
        ResourceKind::Routes => {
            RouteConfiguration { name, internal_only_headers: vec![content], ..Default::default() }.encode_to_vec()
        }
    }
}

fn chain(routes: &str) -> FilterChain {
    let rds = Rds { route_config_name: routes.to_owned(), ..Default::default() };
    let manager = HttpConnectionManager { route_specifier: Some(RouteSpecifier::Rds(rds)), ..Default::default() };
    let any = Any { type_url: HttpConnectionManager::type_url(), value: manager.encode_to_vec() };
    let filter = Filter { config_type: Some(ConfigType::TypedConfig(any)), ..Default::default() };
    FilterChain { filters: vec![filter], ..Default::default() }
}

/// The name and the content of an encoded resource.
fn read(kind: ResourceKind, bytes: &[u8]) -> (String, String) {
    fn decode<M: Message + Default>(bytes: &[u8]) -> M {
        M::decode(bytes).expect("a message of the type")
    }
    match kind {
        ResourceKind::Cluster => {
            let it: Cluster = decode(bytes);
            (it.name, it.alt_stat_name)
        }
        ResourceKind::Endpoints => {
            let it: ClusterLoadAssignment = decode(bytes);
            (it.cluster_name, it.named_endpoints.into_keys().next().unwrap_or_default())
        }
        ResourceKind::Secret => {
            let it: Secret = decode(bytes);
            it.name.split_once(' ').map(|(name, content)| (name.to_owned(), content.to_owned())).unwrap_or_default()
        }
        ResourceKind::Listener => {
            let it: Listener = decode(bytes);
            (it.name, it.stat_prefix)
        }
        ResourceKind::Extension => {
            let it: TypedExtensionConfig = decode(bytes);
            (it.name, it.typed_config.unwrap_or_default().type_url)
        }
        ResourceKind::Routes => {
            let it: RouteConfiguration = decode(bytes);
            (it.name, it.internal_only_headers.concat())
        }
    }
}

/// A response of either variant.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) nonce: String,
    /// Names and contents.
    pub(crate) resources: Vec<(String, String)>,
    pub(crate) removed: Vec<String>,
}

pub(crate) fn response(variant: Variant, outgoing: &Outgoing) -> Response {
    let read = |any: &Any| {
        assert_eq!(any.type_url, outgoing.type_url);
        read(outgoing.kind.expect("a type"), &any.value)
    };
    let bytes = outgoing.parts.concat();
    match variant {
        Variant::StateOfTheWorld => {
            let response = DiscoveryResponse::decode(&*bytes).expect("a response");
            assert_eq!(response.type_url, outgoing.type_url);
            let resources = response.resources.iter().map(read).collect();
            Response { nonce: response.nonce, resources, removed: Vec::new() }
        }
        Variant::Delta => {
            let response = DeltaDiscoveryResponse::decode(&*bytes).expect("a response");
            assert_eq!(response.type_url, outgoing.type_url);
            let resources = response.resources.iter().map(|resource| {
                let (name, content) = read(resource.resource.as_ref().expect("a resource"));
                assert_eq!((&name, &content), (&resource.name, &resource.version));
                (name, content)
            });
            Response { resources: resources.collect(), nonce: response.nonce, removed: response.removed_resources }
        }
    }
}

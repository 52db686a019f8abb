//! What `xds-client` leaves to whoever uses it: protobuf, and which resources can be used.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use envoy::config::cluster::v3::Cluster as ClusterMessage;
use envoy::config::cluster::v3::cluster::LbPolicy;
use envoy::config::core::v3::Node;
use envoy::config::core::v3::address::Address;
use envoy::config::core::v3::node::UserAgentVersionType;
use envoy::config::core::v3::socket_address::PortSpecifier;
use envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy::config::listener::v3::Listener as ListenerMessage;
use envoy::config::route::v3::RouteConfiguration;
use envoy::config::route::v3::route::Action;
use envoy::config::route::v3::route_action::ClusterSpecifier;
use envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use prost::Message;
use xds_client::resource::TypeUrl;
use xds_client::{Error, Resource, ResourceAny, XdsCodec};

pub(super) struct Codec;

impl XdsCodec for Codec {
    fn encode_request(&self, request: &xds_client::DiscoveryRequest<'_>) -> Result<Bytes, Error> {
        let node = Node {
            id: request.node.id.clone().unwrap_or_default(),
            user_agent_name: request.node.user_agent_name.clone(),
            user_agent_version_type: Some(UserAgentVersionType::UserAgentVersion(
                request.node.user_agent_version.clone(),
            )),
            ..Node::default()
        };
        let error_detail = request.error_detail.as_ref();
        let message = DiscoveryRequest {
            version_info: request.version_info.to_owned(),
            node: Some(node),
            resource_names: request.resource_names.to_vec(),
            type_url: request.type_url.to_owned(),
            response_nonce: request.response_nonce.to_owned(),
            error_detail: error_detail.map(|error| Status {
                code: error.code,
                message: error.message.clone(),
                ..Status::default()
            }),
            ..DiscoveryRequest::default()
        };
        Ok(message.encode_to_vec().into())
    }

    fn decode_response(&self, bytes: Bytes) -> Result<xds_client::DiscoveryResponse, Error> {
        let response: DiscoveryResponse = read(bytes)?;
        let resources = response.resources.into_iter();
        Ok(xds_client::DiscoveryResponse {
            version_info: response.version_info,
            resources: resources.map(|any| ResourceAny { type_url: any.type_url, value: any.value.into() }).collect(),
            type_url: response.type_url,
            nonce: response.nonce,
        })
    }
}

/// A resource under the name by which tests know its type.
pub(super) trait Named {
    const SHORT_NAME: &'static str;
}

pub(super) struct Listener {
    pub(super) routes: String,
}

pub(super) struct Routes {
    pub(super) cluster: String,
}

pub(super) struct Cluster {
    pub(super) endpoints: String,
}

pub(super) struct Endpoints {
    pub(super) first: SocketAddr,
}

impl Resource for Listener {
    type Message = ListenerMessage;

    const TYPE_URL: TypeUrl = TypeUrl::new("type.googleapis.com/envoy.config.listener.v3.Listener");

    fn deserialize(bytes: Bytes) -> Result<ListenerMessage, Error> {
        read(bytes)
    }

    fn name(message: &ListenerMessage) -> &str {
        &message.name
    }

    fn validate(message: ListenerMessage) -> Result<Self, Error> {
        let manager = message.api_listener.and_then(|it| it.api_listener).ok_or_else(|| refuse("no api_listener"))?;
        let manager: HttpConnectionManager = read(manager.value.into())?;
        match manager.route_specifier {
            Some(RouteSpecifier::Rds(rds)) => Ok(Self { routes: rds.route_config_name }),
            _ => Err(refuse("routes are not by RDS")),
        }
    }
}

impl Resource for Routes {
    type Message = RouteConfiguration;

    const ALL_RESOURCES_REQUIRED_IN_SOTW: bool = false;
    const TYPE_URL: TypeUrl = TypeUrl::new("type.googleapis.com/envoy.config.route.v3.RouteConfiguration");

    fn deserialize(bytes: Bytes) -> Result<RouteConfiguration, Error> {
        read(bytes)
    }

    fn name(message: &RouteConfiguration) -> &str {
        &message.name
    }

    fn validate(message: RouteConfiguration) -> Result<Self, Error> {
        let mut actions = message.virtual_hosts.into_iter().flat_map(|host| host.routes).filter_map(|it| it.action);
        let Some(Action::Route(route)) = actions.next() else { return Err(refuse("no route")) };
        match route.cluster_specifier {
            Some(ClusterSpecifier::Cluster(cluster)) => Ok(Self { cluster }),
            Some(ClusterSpecifier::WeightedClusters(_)) => Err(refuse("weights are not supported")),
            _ => Err(refuse("the route has no cluster")),
        }
    }
}

impl Resource for Cluster {
    type Message = ClusterMessage;

    const TYPE_URL: TypeUrl = TypeUrl::new("type.googleapis.com/envoy.config.cluster.v3.Cluster");

    fn deserialize(bytes: Bytes) -> Result<ClusterMessage, Error> {
        read(bytes)
    }

    fn name(message: &ClusterMessage) -> &str {
        &message.name
    }

    fn validate(message: ClusterMessage) -> Result<Self, Error> {
        let policy = message.lb_policy();
        if policy != LbPolicy::RoundRobin {
            return Err(refuse(&format!("the LB policy {} is not supported", policy.as_str_name())));
        }
        let eds = message.eds_cluster_config.ok_or_else(|| refuse("endpoints are not by EDS"))?;
        Ok(Self { endpoints: if eds.service_name.is_empty() { message.name } else { eds.service_name } })
    }
}

impl Resource for Endpoints {
    type Message = ClusterLoadAssignment;

    const ALL_RESOURCES_REQUIRED_IN_SOTW: bool = false;
    const TYPE_URL: TypeUrl = TypeUrl::new("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment");

    fn deserialize(bytes: Bytes) -> Result<ClusterLoadAssignment, Error> {
        read(bytes)
    }

    fn name(message: &ClusterLoadAssignment) -> &str {
        &message.cluster_name
    }

    fn validate(message: ClusterLoadAssignment) -> Result<Self, Error> {
        let endpoints = message.endpoints.into_iter().flat_map(|locality| locality.lb_endpoints);
        let mut addresses = endpoints.filter_map(|endpoint| match endpoint.host_identifier? {
            HostIdentifier::Endpoint(endpoint) => endpoint.address?.address,
            HostIdentifier::EndpointName(_) => None,
        });
        let Some(Address::SocketAddress(address)) = addresses.next() else { return Err(refuse("no endpoint")) };
        let ip: IpAddr = address.address.parse().map_err(|_| refuse("not an IP address"))?;
        match address.port_specifier {
            Some(PortSpecifier::PortValue(port)) => {
                let port = u16::try_from(port).map_err(|_| refuse("not a port"))?;
                Ok(Self { first: SocketAddr::new(ip, port) })
            }
            _ => Err(refuse("no port")),
        }
    }
}

impl Named for Listener {
    const SHORT_NAME: &'static str = "Listener";
}

impl Named for Routes {
    const SHORT_NAME: &'static str = "RouteConfiguration";
}

impl Named for Cluster {
    const SHORT_NAME: &'static str = "Cluster";
}

impl Named for Endpoints {
    const SHORT_NAME: &'static str = "ClusterLoadAssignment";
}

fn read<M: Message + Default>(bytes: Bytes) -> Result<M, Error> {
    M::decode(bytes).map_err(|error| Error::Validation(error.to_string()))
}

fn refuse(why: &str) -> Error {
    Error::Validation(why.to_owned())
}

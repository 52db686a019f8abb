//! `HealthCheck`: endpoints are asked whether they are well.

use envoy::config::cluster::v3::{Cluster, cluster::TransportSocketMatch};
use envoy::config::core::v3::{HealthCheck as Message, TransportSocket, health_check, transport_socket};
use envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;
use envoy::r#type::v3::{CodecClientType, Int64Range};
use policy::HEALTH_CHECK_HEADER;
use prost_types::{Struct, Value, value};
use spec::mesh::HealthCheckProtocol;

use crate::checked::HealthCheck;
use crate::envoy::duration;
use crate::envoy::route::header_value;

/// Tells the transport socket of checks from that of requests.
const PLAIN_TEXT: &str = "plain-text";

/// Checks go on at the declared interval without traffic too: Envoy's own default, 60 s, would leave an endpoint
/// that recovered unused for minutes.
pub(super) fn check(check: &HealthCheck) -> Message {
    Message {
        timeout: Some(duration(check.timeout)),
        interval: Some(duration(check.interval)),
        no_traffic_interval: Some(duration(check.interval)),
        unhealthy_threshold: Some(check.unhealthy_threshold),
        healthy_threshold: Some(check.healthy_threshold),
        health_checker: Some(question(check)),
        ..Default::default()
    }
}

/// Checks of a cluster that encrypts go in plain text: they meet the application itself, behind its sidecar.
pub(super) fn in_plain_text(cluster: &mut Cluster) {
    let criteria =
        Struct { fields: [(PLAIN_TEXT.to_owned(), Value { kind: Some(value::Kind::BoolValue(true)) })].into() };
    for check in &mut cluster.health_checks {
        check.transport_socket_match_criteria = Some(criteria.clone());
    }
    cluster.transport_socket_matches.push(TransportSocketMatch {
        name: PLAIN_TEXT.to_owned(),
        r#match: Some(criteria),
        transport_socket: Some(TransportSocket {
            name: "envoy.transport_sockets.raw_buffer".to_owned(),
            config_type: Some(transport_socket::ConfigType::TypedConfig(envoy::any(&RawBuffer {}))),
        }),
    });
}

fn question(check: &HealthCheck) -> health_check::HealthChecker {
    let ours = vec![header_value(HEALTH_CHECK_HEADER, "1")];
    let codec = match check.protocol {
        HealthCheckProtocol::Http => CodecClientType::Http1,
        HealthCheckProtocol::Http2 => CodecClientType::Http2,
        HealthCheckProtocol::Grpc => {
            return health_check::HealthChecker::GrpcHealthCheck(health_check::GrpcHealthCheck {
                service_name: check.grpc_service.clone().unwrap_or_default(),
                authority: check.host.clone(),
                initial_metadata: ours,
            });
        }
        HealthCheckProtocol::Tcp => {
            return health_check::HealthChecker::TcpHealthCheck(health_check::TcpHealthCheck::default());
        }
    };
    let expected = Int64Range { start: i64::from(check.expect.low), end: i64::from(check.expect.high) };
    health_check::HealthChecker::HttpHealthCheck(health_check::HttpHealthCheck {
        host: check.host.clone(),
        path: check.path.clone(),
        request_headers_to_add: ours,
        expected_statuses: vec![expected],
        codec_client_type: codec.into(),
        ..Default::default()
    })
}

//! No endpoint leads to instance metadata, task credentials, or Envoy's own administration.

use std::net::{IpAddr, Ipv6Addr};

use spec::mesh::{Address, Endpoint};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use crate::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT};

const EC2_METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let callers = mesh.services.iter().flat_map(|service| &service.endpoints);
    let upstreams = mesh.nodes.iter().flat_map(|node| &node.serves).flat_map(|serve| &serve.upstreams);
    for endpoint in callers.chain(upstreams) {
        if let Some(reason) = reason(&endpoint.address.value) {
            diagnostics.push(forbidden(endpoint, reason));
        }
    }
}

fn reason(address: &Address) -> Option<&'static str> {
    let host = address.host.to_canonical();
    match host {
        IpAddr::V4(host) if host.is_link_local() => Some("instance metadata and task credentials live here"),
        IpAddr::V6(EC2_METADATA_V6) => Some("instance metadata lives here"),
        IpAddr::V6(host) if host.is_unicast_link_local() => {
            Some("link-local addresses are not reachable through a proxy")
        }
        host if host.is_unspecified() || host.is_multicast() => Some("nothing can be dialled here"),
        IpAddr::V4(host) if host.is_broadcast() => Some("nothing can be dialled here"),
        host if host.is_loopback() && address.port == ADMIN_PORT => Some("Envoy's administration listens here"),
        host if host.is_loopback() && [INGRESS_PORT, EGRESS_PORT, PROMETHEUS_PORT].contains(&address.port) => {
            Some("the sidecar itself listens here: requests would run in a circle")
        }
        _ => None,
    }
}

fn forbidden(endpoint: &Endpoint, reason: &str) -> Diagnostic {
    let message = format!("`{}` cannot be an endpoint", endpoint.address.value);
    Diagnostic::error(codes::FORBIDDEN_ADDRESS, endpoint.address.span, message)
        .label(reason)
        .help("name the address at which the application itself listens")
}

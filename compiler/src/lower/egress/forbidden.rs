//! Where a name outside the mesh must not lead, whatever it resolves to: metadata and credentials, this machine, the
//! sidecar itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::checked::Proxy;
use crate::envoy::egress::Forbidden;
use crate::lower::scope::Scope;
use crate::lower::{
    ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, INTERCEPTED_INBOUND_PORT, INTERCEPTED_OUTBOUND_PORT, PROMETHEUS_PORT,
};

/// Ranges of IPv4, each also in its forms as IPv6 below.
const V4: [(Ipv4Addr, u8); 4] = [
    // "This host" (RFC 1122, 3.2.1.3).
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Metadata of instances, credentials of tasks.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::BROADCAST, 32),
];
const LOOPBACK: (Ipv4Addr, u8) = (Ipv4Addr::new(127, 0, 0, 0), 8);
/// A mesh that is bound to loopback lives there: but for the one address that every machine's own things have.
const LOCALHOST: (Ipv4Addr, u8) = (Ipv4Addr::LOCALHOST, 32);
const V6: [(Ipv6Addr, u8); 5] = [
    // Unspecified, loopback, and IPv4 in its first two wrappings.
    (Ipv6Addr::UNSPECIFIED, 96),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    // AWS keeps metadata, DNS and time here.
    (Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// What the callers of this sidecar must not reach by way of it.
pub(super) fn to(scope: &Scope<'_>) -> Forbidden {
    let at_home = scope.at().bind.is_some_and(|bind| bind.is_loopback());
    let loopback = if at_home { LOCALHOST } else { LOOPBACK };
    let v4 = || V4.into_iter().chain([loopback]);
    let plain = v4().map(|(address, bits)| (IpAddr::V4(address), bits));
    let translated = v4().map(|(address, bits)| (IpAddr::V6(nat64(address)), bits + 96));
    let v6 = V6.into_iter().map(|(address, bits)| (IpAddr::V6(address), bits));
    Forbidden { ranges: plain.chain(translated).chain(v6).collect(), ports: own_ports(scope) }
}

/// Where a sidecar listens: a request that came back would go round for ever.
fn own_ports(scope: &Scope<'_>) -> Vec<u16> {
    let mut ports = vec![EGRESS_PORT, INGRESS_PORT, ADMIN_PORT, PROMETHEUS_PORT];
    if let Proxy::Node(id) = scope.proxy
        && let Some(proxy) = &scope.mesh.node(id).transparent_proxy
    {
        ports.push(proxy.inbound_port.as_ref().map_or(INTERCEPTED_INBOUND_PORT, |port| port.value));
        ports.push(proxy.outbound_port.as_ref().map_or(INTERCEPTED_OUTBOUND_PORT, |port| port.value));
    }
    let scraped = scope.at().stats.as_ref().and_then(|stats| stats.prometheus.as_ref());
    ports.extend(scraped.map(|prometheus| prometheus.port.value));
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// As a gateway between IPv6 and IPv4 is asked for it (RFC 6052).
fn nat64(address: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = address.octets();
    let pair = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    Ipv6Addr::new(0x0064, 0xff9b, 0, 0, 0, 0, pair(a, b), pair(c, d))
}

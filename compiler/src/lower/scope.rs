//! For whom something is lowered.

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use spec::mesh::{RateLimit, TracingProvider};

use super::{ADMIN_PORT, Shared};
use crate::WasmModule;
use crate::checked::{Call, CheckedMesh, Gateway, Id, Proxy, Service, Situation};
use crate::envoy::bootstrap::Identity;

/// One proxy of a mesh.
pub(super) struct Scope<'m> {
    pub mesh: &'m CheckedMesh,
    pub module: &'m WasmModule,
    pub proxy: Proxy,
    pub shared: &'m Shared,
    /// The rate limits of hosts and routes that it routes by, in the order of their filters.
    pub routed_limits: OnceCell<Vec<RateLimit>>,
}

impl<'m> Scope<'m> {
    pub(super) fn new(mesh: &'m CheckedMesh, module: &'m WasmModule, proxy: Proxy, shared: &'m Shared) -> Self {
        Self { mesh, module, proxy, shared, routed_limits: OnceCell::new() }
    }

    pub(super) fn at(&self) -> &'m Situation {
        self.mesh.situation(self.proxy)
    }

    pub(super) fn gateway(&self) -> Option<&'m Gateway> {
        match self.proxy {
            Proxy::Gateway(id) => Some(self.mesh.gateway(id)),
            Proxy::Node(_) => None,
        }
    }

    pub(super) fn calls(&self) -> &'m [Call] {
        match self.proxy {
            Proxy::Node(id) => &self.mesh.node(id).calls,
            Proxy::Gateway(id) => &self.mesh.gateway(id).calls,
        }
    }

    /// What this proxy says of a service that it calls; `None` if a route leads there, or a mirror.
    pub(super) fn call(&self, service: Id<Service>) -> Option<&'m Call> {
        let calls = self.calls();
        let name = |id| self.mesh.service(id).name.folded();
        let wanted = name(service);
        let place = calls.binary_search_by(|call| name(call.service).cmp(&wanted)).ok()?;
        calls.get(place)
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            id: self.mesh.proxy_name(self.proxy).to_string(),
            cluster: self.cluster(),
            region: self.at().region.clone(),
            zone: self.at().zone.clone(),
        }
    }

    /// Zipkin's tracer calls its spans so, and nothing else in a mesh asks for it.
    fn cluster(&self) -> String {
        match self.at().tracing.as_ref().map(|tracing| tracing.provider.value) {
            Some(TracingProvider::Zipkin) => super::observability::span_service(self),
            _ => self.mesh.name().to_string(),
        }
    }

    pub(super) fn admin(&self) -> (IpAddr, u16) {
        (self.private(), ADMIN_PORT)
    }

    /// Where listeners bind that only the application beside the sidecar needs.
    pub(super) fn private(&self) -> IpAddr {
        self.at().bind.filter(IpAddr::is_loopback).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Where listeners bind that other machines must reach: as said, else everywhere. Both address families where the
    /// node has an endpoint with an IPv6 address, IPv4 elsewhere: not every container has IPv6.
    pub(super) fn public(&self) -> IpAddr {
        let v6 = match self.proxy {
            Proxy::Node(id) => {
                let serves = &self.mesh.node(id).serves;
                let endpoints = serves.iter().flat_map(|serve| &self.mesh.service(serve.service).endpoints);
                let mut own = endpoints.filter(|endpoint| endpoint.node == Some(id));
                own.any(|endpoint| endpoint.address.host.to_canonical().is_ipv6())
            }
            Proxy::Gateway(_) => false,
        };
        let everywhere = if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        self.at().bind.unwrap_or(everywhere)
    }
}

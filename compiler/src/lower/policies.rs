//! Whatever stands between a connection and the routes: the HTTP filters of a service at its own sidecar, and of a
//! gateway.

use std::collections::BTreeMap;

use prost_types::Any;
use spec::mesh::{FilterPosition, IpAccess, RateLimit};

use super::scope::Scope;
use super::{Parts, authentication, authorization, fault, health, ip_access, rate_limit, wasm};
use crate::checked::{
    ApiKey, Authorization, BasicAuth, ExternalAuth, Fault, FilterUse, Gateway, HealthCheck, Jwt, Serve,
};
use crate::envoy::http_filter::{self, FilterOverrides, HttpFilter};

/// What is said of requests that come in, by a service (for its virtual host) or a gateway (for all of them).
pub(super) struct Policies<'a> {
    /// The service's name; empty for a gateway, whose filters hold for every request.
    pub owner: String,
    /// The authorities of the service; empty for a gateway.
    pub hosts: Vec<String>,
    pub health_check: Option<&'a HealthCheck>,
    pub ip_access: Option<&'a IpAccess>,
    pub basic_auth: Option<&'a BasicAuth>,
    pub jwt: Option<&'a Jwt>,
    pub api_key: Option<&'a ApiKey>,
    pub external_auth: Option<&'a ExternalAuth>,
    pub authorization: Option<&'a Authorization>,
    pub rate_limits: &'a [RateLimit],
    pub fault: Option<&'a Fault>,
    pub max_request_bytes: Option<u32>,
    pub filters: Vec<&'a FilterUse>,
}

/// The filters of one connection manager, and what virtual hosts say of them.
#[derive(Default)]
pub(super) struct Chain {
    pub filters: Vec<HttpFilter>,
    /// By the owner of [`Policies`].
    pub overrides: BTreeMap<String, FilterOverrides>,
    /// By the owner: the mesh's own health checks pass these, see [`super::route::health_check`].
    pub past_checks: BTreeMap<String, FilterOverrides>,
    /// By the owner: what turns its faults off, see [`super::route::without_faults`].
    pub faults: BTreeMap<String, FilterOverrides>,
}

/// Adds the filters of one service or gateway to a chain.
pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain, parts: &mut Parts) {
    health::lower(policies, chain);
    ip_access::lower(scope, policies, chain);
    authentication::lower(scope, policies, chain, parts);
    authorization::lower(scope, policies, chain);
    rate_limit::lower(scope, policies, chain);
    fault::lower(scope, policies, chain);
    wasm::lower(scope, policies, chain, parts);
}

/// Of a service behind a sidecar.
pub(super) fn of_service<'a>(scope: &Scope<'a>, serve: &'a Serve, hosts: Vec<String>) -> Policies<'a> {
    let service = scope.mesh.service(serve.service);
    let inbound = service.inbound.as_ref();
    let of_node = scope.at().filters.iter();
    Policies {
        owner: service.name.key(),
        hosts,
        health_check: service.health_check.as_ref(),
        ip_access: service.ip_access.as_ref(),
        basic_auth: service.basic_auth.as_ref(),
        jwt: service.jwt.as_ref(),
        api_key: service.api_key.as_ref(),
        external_auth: service.external_auth.as_ref(),
        authorization: service.authorization.as_ref(),
        rate_limits: &service.rate_limits,
        fault: serve.fault.as_ref(),
        max_request_bytes: inbound.and_then(|inbound| inbound.max_request_bytes).map(|said| said.value),
        filters: service.filters.iter().chain(of_node).filter(|it| it.at != FilterPosition::Outbound).collect(),
    }
}

/// Of a gateway, for every request.
pub(super) fn of_gateway<'a>(scope: &Scope<'a>, gateway: &'a Gateway) -> Policies<'a> {
    Policies {
        owner: String::new(),
        hosts: Vec::new(),
        health_check: None,
        ip_access: gateway.ip_access.as_ref(),
        basic_auth: gateway.basic_auth.as_ref(),
        jwt: gateway.jwt.as_ref(),
        api_key: gateway.api_key.as_ref(),
        external_auth: gateway.external_auth.as_ref(),
        authorization: gateway.authorization.as_ref(),
        rate_limits: &gateway.rate_limits,
        fault: None,
        max_request_bytes: None,
        filters: scope.at().filters.iter().filter(|it| it.at != FilterPosition::Outbound).collect(),
    }
}

impl Policies<'_> {
    /// The path of the mesh's own health checks: no credentials, no faults.
    pub(super) fn exempt_paths(&self) -> Vec<String> {
        self.health_check.and_then(HealthCheck::asked_path).map(str::to_owned).into_iter().collect()
    }
}

impl Chain {
    /// Adds a filter that works where the policies hold: on every virtual host for a gateway, on its own for a service.
    pub(super) fn add(&mut self, policies: &Policies<'_>, filter: HttpFilter) {
        if policies.owner.is_empty() {
            self.filters.push(filter);
        } else {
            let overrides = self.overrides.entry(policies.owner.clone()).or_default();
            overrides.insert(filter.name().to_owned(), http_filter::enabled());
            let past = self.past_checks.entry(policies.owner.clone()).or_default();
            past.insert(filter.name().to_owned(), http_filter::disabled());
            self.filters.push(filter.disabled());
        }
    }

    /// Lets a filter of the chain, which is there for another service, work for these policies too.
    pub(super) fn enable(&mut self, policies: &Policies<'_>, name: &str) {
        if !policies.owner.is_empty() {
            let overrides = self.overrides.entry(policies.owner.clone()).or_default();
            overrides.insert(name.to_owned(), http_filter::enabled());
        }
    }

    /// Adds a filter whose configuration is what each virtual host says of it: for a service its own, for a gateway the
    /// filter is there once with that configuration. Services share one filter.
    pub(super) fn add_configured(&mut self, policies: &Policies<'_>, filter: HttpFilter, config: Any) {
        if policies.owner.is_empty() {
            self.filters.push(filter.with(config));
            return;
        }
        let overrides = self.overrides.entry(policies.owner.clone()).or_default();
        overrides.insert(filter.name().to_owned(), config);
        if !self.filters.iter().any(|known| known.name() == filter.name()) {
            self.filters.push(filter.disabled());
        }
    }

    /// Adds a filter for every virtual host.
    pub(super) fn add_for_all(&mut self, filter: Option<HttpFilter>) {
        self.filters.extend(filter);
    }
}

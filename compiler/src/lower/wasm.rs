//! What our filters are told: their configuration, made of the policies' own types.

use policy::{
    BasicAuthConfig, BasicAuthRule, FaultAbort, FaultConfig, FaultDelay, FaultRule, HeaderMatch, HeaderRoutingConfig,
    HeaderRoutingRule, HeaderValueMatch,
};

use super::route::domains;
use crate::checked::{BasicAuth, CheckedMesh, Fault, Id, RoutingRule, Service};
use crate::envoy::http_filter::HttpFilter;
use crate::envoy::names;

/// Credentials for some authorities (all, when `hosts` is empty), except on some paths.
pub(super) fn basic_auth_rule(auth: &BasicAuth, hosts: Vec<String>, exempt_paths: Vec<String>) -> BasicAuthRule {
    BasicAuthRule {
        hosts,
        exempt_paths,
        realm: auth.realm.clone(),
        users: auth.users.clone(),
        forward_user_header: auth.forward_user_header.clone(),
    }
}

pub(super) fn basic_auth(rules: Vec<BasicAuthRule>) -> Option<HttpFilter> {
    (!rules.is_empty()).then_some(HttpFilter::BasicAuth(BasicAuthConfig { rules }))
}

pub(super) fn fault_rule(fault: &Fault, hosts: Vec<String>, exempt_paths: Vec<String>) -> FaultRule {
    FaultRule {
        hosts,
        exempt_paths,
        delay: fault.delay.map(|(duration, percent)| FaultDelay {
            millis: u32::try_from(duration.as_millis()).unwrap_or(u32::MAX),
            per_million: percent.per_million(),
        }),
        abort: fault.abort.map(|(status, percent)| FaultAbort { status, per_million: percent.per_million() }),
    }
}

pub(super) fn fault(rules: Vec<FaultRule>) -> Option<HttpFilter> {
    (!rules.is_empty()).then_some(HttpFilter::Fault(FaultConfig { rules }))
}

/// The header-routing filter of a proxy that calls `services`: absent when none of them routes by headers.
pub(super) fn header_routing(mesh: &CheckedMesh, services: &[Id<Service>]) -> Option<HttpFilter> {
    let mut rules = Vec::new();
    for service in services.iter().map(|id| mesh.service(*id)) {
        rules.extend(service.header_routing.iter().filter_map(|rule| {
            let headers = filter_headers(rule)?;
            Some(HeaderRoutingRule { hosts: domains(service), headers, route: names::cluster(mesh.service(rule.to)) })
        }));
    }
    (!rules.is_empty()).then_some(HttpFilter::HeaderRouting(HeaderRoutingConfig { rules }))
}

/// What the filter compares; `None` when the rule asks for more than it can, and the route table compares instead.
pub(super) fn filter_headers(rule: &RoutingRule) -> Option<Vec<HeaderMatch>> {
    rule.headers.iter().map(header_match).collect()
}

fn header_match(condition: &spec::mesh::HeaderMatch) -> Option<HeaderMatch> {
    use spec::mesh::HeaderValueMatch as Said;
    let value = match &condition.value.value {
        _ if condition.ignore_case.as_ref().is_some_and(|said| said.value) => return None,
        Said::Exact(text) => HeaderValueMatch::Exact(text.clone()),
        Said::Prefix(text) => HeaderValueMatch::Prefix(text.clone()),
        Said::Suffix(text) => HeaderValueMatch::Suffix(text.clone()),
        Said::Present => HeaderValueMatch::Present,
        Said::Contains(_) | Said::Regex(_) | Said::Range(_) => return None,
    };
    Some(HeaderMatch { name: condition.name.value.clone(), value, invert: condition.inverted() })
}

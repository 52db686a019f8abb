//! Rules that send requests elsewhere by their headers: our filter where it can compare them, else the route table.

use policy::{Condition, HeaderRoutingConfig, HeaderRoutingRule, NamedMatch, StringMatch};
use spec::mesh::{Engine, HeaderValueMatch as Said};

use super::domains;
use crate::checked::{Id, RoutingRule, Service};
use crate::envoy::http_filter::{HttpFilter, wasm};
use crate::envoy::names;
use crate::lower::scope::Scope;

/// The header-routing filter of a proxy that calls `services`: absent when none of them routes by headers.
pub(in crate::lower) fn filter(scope: &Scope<'_>, services: &[Id<Service>]) -> Option<HttpFilter> {
    let mut rules = Vec::new();
    for service in services.iter().map(|id| scope.mesh.service(*id)) {
        rules.extend(service.header_routing.iter().filter_map(|rule| {
            let headers = filter_headers(rule)?;
            let route = names::cluster(scope.mesh.service(rule.to));
            Some(HeaderRoutingRule { hosts: domains(service), when: headers, route })
        }));
    }
    (!rules.is_empty()).then(|| wasm::header_routing(&HeaderRoutingConfig { rules }, scope.module))
}

/// The same for a listener at which every request is for this service, whatever its `Host`.
pub(in crate::lower) fn filter_whatever_host(scope: &Scope<'_>, id: Id<Service>) -> Option<HttpFilter> {
    let rules = scope.mesh.service(id).header_routing.iter().filter_map(|rule| {
        let route = names::cluster(scope.mesh.service(rule.to));
        Some(HeaderRoutingRule { hosts: Vec::new(), when: filter_headers(rule)?, route })
    });
    let rules: Vec<HeaderRoutingRule> = rules.collect();
    (!rules.is_empty()).then(|| wasm::header_routing(&HeaderRoutingConfig { rules }, scope.module))
}

/// What the filter compares; `None` when the route table compares instead: the mesh says so, or the rule asks for more
/// than the filter can.
pub(in crate::lower) fn filter_headers(rule: &RoutingRule) -> Option<Vec<Condition>> {
    if rule.engine == Engine::Native {
        return None;
    }
    rule.headers.iter().map(header_match).collect()
}

fn header_match(condition: &spec::mesh::HeaderMatch) -> Option<Condition> {
    let value = match &condition.value.value {
        _ if condition.ignore_case.as_ref().is_some_and(|said| said.value) => return None,
        Said::Exact(text) => StringMatch::Exact(text.clone()),
        Said::Prefix(text) => StringMatch::Prefix(text.clone()),
        Said::Suffix(text) => StringMatch::Suffix(text.clone()),
        Said::Present => StringMatch::Present,
        Said::Contains(_) | Said::Regex(_) | Said::Range(_) => return None,
    };
    Some(Condition::Header(NamedMatch {
        invert: condition.inverted(),
        ..NamedMatch::new(condition.name.value.to_ascii_lowercase(), value)
    }))
}

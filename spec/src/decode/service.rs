//! Services and their endpoints.

use super::fields::{Fields, Named};
use super::value::Reader;
use super::{policy, route};
use crate::diagnostic::Diagnostics;
use crate::mesh::{Endpoint, Service};
use crate::names::Name;

pub(super) fn services(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Service> {
    let named = fields.named("service", "a service", "name", diagnostics);
    named.into_iter().filter_map(|named| service(named, diagnostics)).collect()
}

/// Without a valid name there is no service, but its body is read for its mistakes.
fn service(named: Named<'_>, diagnostics: &mut Diagnostics) -> Option<Service> {
    let Named { name, body: mut fields } = named;
    let name = Reader::<Name>::NAME.read(&name, diagnostics);
    let endpoints = endpoints(&mut fields, "endpoint", "an endpoint", diagnostics);
    let routes = route::routes(&mut fields, diagnostics);
    let timeout = fields.value("timeout", Reader::DURATION, diagnostics);
    let retry = policy::retry(&mut fields, diagnostics);
    let health_check = policy::health_check(&mut fields, diagnostics);
    let circuit_breaker = policy::circuit_breaker(&mut fields, diagnostics);
    let fault = policy::fault(&mut fields, diagnostics);
    let basic_auth = policy::basic_auth(&mut fields, diagnostics);
    let header_routing = policy::header_routing(&mut fields, diagnostics);
    let annotations = policy::annotations(&mut fields, diagnostics);
    fields.finish(diagnostics);
    Some(Service {
        name: name?,
        endpoints,
        routes,
        timeout,
        retry,
        health_check,
        circuit_breaker,
        fault,
        basic_auth,
        header_routing,
        annotations,
    })
}

/// `endpoint` of a service, `upstream` of a node.
pub(super) fn endpoints(
    fields: &mut Fields<'_>,
    key: &'static str,
    what: &'static str,
    diagnostics: &mut Diagnostics,
) -> Vec<Endpoint> {
    fields.many(key, what).into_iter().filter_map(|endpoint| self::endpoint(endpoint, diagnostics)).collect()
}

fn endpoint(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Endpoint> {
    let address = fields.primary("address", Reader::ADDRESS, diagnostics);
    let weight = fields.value("weight", Reader::ENDPOINT_WEIGHT, diagnostics);
    let node = fields.value("node", Reader::NODE, diagnostics);
    let annotations = policy::annotations(&mut fields, diagnostics);
    fields.finish(diagnostics);
    Some(Endpoint { address: address?, weight, node, annotations })
}

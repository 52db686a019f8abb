//! Gateways and their hosts.

use super::fields::{Fields, Named};
use super::value::Reader;
use super::{node, policy, route};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mesh::{Gateway, GatewayHost};
use crate::names::Name;

pub(super) fn gateways(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Gateway> {
    let named = fields.named("gateway", "a gateway", "name", diagnostics);
    named.into_iter().filter_map(|named| gateway(named, diagnostics)).collect()
}

fn gateway(named: Named<'_>, diagnostics: &mut Diagnostics) -> Option<Gateway> {
    let Named { name, body: mut fields } = named;
    let name = Reader::<Name>::NAME.read(&name, diagnostics);
    let listen = fields.required("listen", Reader::PORT, diagnostics);
    let bind = fields.value("bind", Reader::IP, diagnostics);
    let trusted_hops = fields.value("trusted-hops", Reader::TRUSTED_HOPS, diagnostics);
    let calls = node::calls(&mut fields, diagnostics);
    let hosts = fields.named("host", "a host", "name", diagnostics);
    let hosts = hosts.into_iter().filter_map(|named| host(named, diagnostics)).collect();
    let basic_auth = policy::basic_auth(&mut fields, diagnostics);
    let timeout = fields.value("timeout", Reader::DURATION, diagnostics);
    let retry = policy::retry(&mut fields, diagnostics);
    fields.finish(diagnostics);
    Some(Gateway { name: name?, listen: listen?, bind, trusted_hops, calls, hosts, basic_auth, timeout, retry })
}

/// Targets without a route stand for a last route that takes every path.
fn host(named: Named<'_>, diagnostics: &mut Diagnostics) -> Option<GatewayHost> {
    let Named { name, body: mut fields } = named;
    let pattern = Reader::HOST.read(&name, diagnostics);
    let mut routes = route::routes(&mut fields, diagnostics);
    let targets = route::targets(&mut fields, diagnostics);
    if !targets.is_empty() {
        routes.push(route::to_targets(targets, name.span));
    } else if routes.is_empty() && !fields.has("route") && !fields.has("to") {
        let message = "this host has no route: every request is answered with 404";
        let diagnostic = Diagnostic::warning(codes::EMPTY_BLOCK, name.span, message);
        diagnostics.push(diagnostic.help("write where its requests go, as in `to \"SERVICE\"`"));
    }
    fields.finish(diagnostics);
    Some(GatewayHost { pattern: pattern?, routes })
}

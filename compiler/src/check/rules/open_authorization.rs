//! Authorization that lets every request pass is none.

use std::net::IpAddr;

use spec::mesh::{AccessRule, Authorization, Decision, PathMatch, RouteMatch};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (authorization, holder) in everywhere::authorizations(mesh) {
        let Some((span, label)) = opening(authorization, authorization.place.0.unwrap_or(holder)) else { continue };
        diagnostics.push(
            Diagnostic::of(codes::OPEN_AUTHORIZATION, span, "every request passes this authorization")
                .label(label)
                .help("name the callers that may, as in `rule \"allow\" from=\"SERVICE\"`, and leave the rest to `default=\"deny\"`"),
        );
    }
}

/// Whether a rule takes every request that reaches it.
pub(super) fn takes_all(rule: &AccessRule) -> bool {
    let AccessRule { from, from_identity, source, claim, matches, .. } = rule;
    let from_anybody = from.is_empty() && from_identity.is_empty() && claim.is_empty();
    let from_anywhere =
        source.is_empty() || (whole_family(rule, IpAddr::is_ipv4) && whole_family(rule, IpAddr::is_ipv6));
    from_anybody && from_anywhere && matches_all(matches)
}

fn whole_family(rule: &AccessRule, family: fn(&IpAddr) -> bool) -> bool {
    rule.source.iter().any(|network| network.value.prefix == 0 && family(&network.value.address))
}

fn matches_all(matches: &RouteMatch) -> bool {
    let path = match matches.path.as_ref().map(|path| &path.value) {
        None => true,
        Some(PathMatch::Prefix(prefix)) => prefix == "/",
        Some(_) => false,
    };
    path && matches.methods.is_empty()
        && matches.scheme.is_none()
        && matches.port.is_none()
        && matches.all_headers().next().is_none()
        && matches.query.is_empty()
        && matches.grpc.is_none()
}

/// What lets every request pass, if nothing before it refuses any.
fn opening(authorization: &Authorization, block: Span) -> Option<(Span, &'static str)> {
    for rule in &authorization.rules {
        match rule.decision.value {
            Decision::Deny => return None,
            Decision::Allow if takes_all(rule) => return Some((rule.decision.span, "this rule takes every request")),
            Decision::Allow => {}
        }
    }
    let default = authorization.default.as_ref().filter(|default| default.value == Decision::Allow)?;
    let span = if authorization.rules.is_empty() { block } else { default.span };
    Some((span, "no rule refuses anything, and what no rule takes passes too"))
}

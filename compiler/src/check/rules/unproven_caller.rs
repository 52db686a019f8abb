//! A rule can name only callers whom something proves: certificates prove services, tokens prove claims. Nobody else may
//! have a service's name in its certificate.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{AccessRule, Authorization, Decision, Fault, Jwt, ServerTls, TlsMode};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::everywhere::{self, authorizations};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut found = Found { reported: BTreeSet::new(), diagnostics };
    for service in &mesh.services {
        let Some(authorization) = service.authorization.as_ref().or(mesh.defaults.authorization.as_ref()) else {
            continue;
        };
        let tls = [service.tls.as_deref().or(mesh.defaults.tls.as_ref())];
        found.check(authorization, &tls, service.jwt.as_ref(), service.name.span);
    }
    for (fault, holder) in everywhere::faults(mesh) {
        let service = tables.find_service(&holder.value).and_then(|id| mesh.services.get(id.index()));
        let tls = service.and_then(|service| service.tls.as_deref()).or(mesh.defaults.tls.as_ref());
        found.check_fault(fault, tls, holder.span);
    }
    for gateway in &mesh.gateways {
        let Some(authorization) = gateway.authorization.as_ref().or(mesh.defaults.authorization.as_ref()) else {
            continue;
        };
        let listeners: Vec<_> = gateway.listen.iter().map(|listener| listener.tls.as_ref()).collect();
        found.check(authorization, &listeners, gateway.jwt.as_ref(), gateway.name.span);
    }
    namesakes(mesh, diagnostics);
}

/// A gateway, or a node that serves nothing, has its own name in its certificate. Where that is a service's, too, whom a
/// rule means by `from`, the rule means both.
fn namesakes(mesh: &Mesh, diagnostics: &mut Diagnostics) {
    let nodes = mesh.nodes.iter().filter(|node| node.serves.is_empty()).map(|node| (&node.name, "node"));
    let gateways = mesh.gateways.iter().map(|gateway| (&gateway.name, "gateway"));
    let own: BTreeMap<String, _> = nodes.chain(gateways).map(|(name, what)| (name.value.key(), (name, what))).collect();
    let mut told = BTreeSet::new();
    let rules = authorizations(mesh).flat_map(|(it, _)| &it.rules);
    for from in rules.flat_map(|rule| &rule.from) {
        let Some((name, what)) = own.get(&from.value.key()).filter(|(name, _)| told.insert(name.span)) else {
            continue;
        };
        diagnostics.push(
            Diagnostic::error(
                codes::UNPROVEN_CALLER,
                name.span,
                format!("the {what} `{}` passes for the service of that name", name.value),
            )
            .label("its certificate has this name, and the service's has the same")
            .related(from.span, "a rule takes the one for the other")
            .help(format!("give the {what} a name that no service has")),
        );
    }
}

/// Each rule is reported once, wherever it holds.
struct Found<'d> {
    reported: BTreeSet<Span>,
    diagnostics: &'d mut Diagnostics,
}

impl Found<'_> {
    /// Callers without a certificate are none of those that a fault names: they may come beside others.
    fn check_fault(&mut self, fault: &Fault, tls: Option<&ServerTls>, holder: Span) {
        let control = fault.header_control.as_ref().and_then(|control| control.callers.as_ref());
        let proven = tls.is_some_and(|tls| {
            tls.client.is_some() && tls.mode.as_ref().is_none_or(|mode| mode.value != TlsMode::Disabled)
        });
        for callers in fault.callers.iter().chain(control).filter(|_| !proven) {
            let named = callers.from.first().map(|it| it.span).or(callers.from_identity.first().map(|it| it.span));
            if let Some(span) = named.filter(|span| self.reported.insert(*span)) {
                self.diagnostics.push(unproven(span, holder));
            }
        }
    }

    fn check(&mut self, authorization: &Authorization, tls: &[Option<&ServerTls>], jwt: Option<&Jwt>, holder: Span) {
        for rule in &authorization.rules {
            let named = rule.from.first().map(|from| from.span).or(rule.from_identity.first().map(|from| from.span));
            if let Some(span) = named.filter(|_| tls.iter().any(|tls| !proves(*tls, rule)))
                && self.reported.insert(span)
            {
                self.diagnostics.push(unproven(span, holder));
            }
            if let Some(claim) = rule.claim.first().filter(|_| jwt.is_none())
                && self.reported.insert(claim.span)
            {
                self.diagnostics.push(
                    Diagnostic::of(codes::UNPROVEN_CALLER, claim.span, "nothing proves what callers claim")
                        .label("only a signed token says so")
                        .related(holder, "here no token is asked for")
                        .help("add `jwt` with the `provider` that signs the tokens"),
                );
            }
        }
    }
}

fn unproven(named: Span, holder: Span) -> Diagnostic {
    Diagnostic::of(codes::UNPROVEN_CALLER, named, "nothing proves who is calling")
        .label("only a certificate of the caller says which service it is")
        .related(holder, "here callers may come without a certificate")
        .help("ask for one: `tls mode=\"strict\"` with `client` in it")
}

/// Where connections without a certificate are accepted too, they pass by a rule that refuses; one that allows never
/// takes them.
fn proves(tls: Option<&ServerTls>, rule: &AccessRule) -> bool {
    let Some(tls) = tls else { return false };
    match tls.mode.as_ref().map_or(TlsMode::Strict, |mode| mode.value) {
        TlsMode::Strict => tls.client.is_some(),
        TlsMode::Permissive => tls.client.is_some() && rule.decision.value == Decision::Allow,
        TlsMode::Disabled => false,
    }
}

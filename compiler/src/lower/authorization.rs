//! Who may call: ordered rules, enforced where requests arrive.

mod conditions;

use std::collections::BTreeMap;

use ::envoy::config::listener::v3::Filter;
use spec::mesh::Decision;

use super::policies::{Chain, Policies};
use super::scope::Scope;
use super::tls;
use crate::checked::{AccessRule, Authorization, Service};
use crate::envoy::http_filter::rbac;
use crate::envoy::rbac::{Condition, all_of, allow, any_of, claim, identity, network as in_network, not};
pub(super) use conditions::headers;

/// The first rule that matches decides.
pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let Some(authorization) = policies.authorization else { return };
    let rules = passing(authorization, |rule| Some(of_request(scope, rule)));
    chain.add(policies, rbac::rbac(&policies.owner, allow(rules)));
}

/// The same for the connections of a service that speaks no HTTP.
pub(super) fn network(scope: &Scope<'_>, service: &Service) -> Option<Filter> {
    let authorization = service.authorization.as_ref()?;
    let rules = passing(authorization, |rule| of_connection(scope, rule));
    Some(rbac::network(allow(rules)))
}

/// Who passes, as policies of which one must be true: what an allowing rule takes, unless a refusing rule before it
/// does. Envoy itself knows no order. Rules without a condition take nobody.
fn passing(
    authorization: &Authorization,
    condition: impl Fn(&AccessRule) -> Option<Condition>,
) -> BTreeMap<String, Condition> {
    let mut policies = BTreeMap::new();
    let mut refused: Vec<Condition> = Vec::new();
    let unless = |taken: Vec<Condition>, refused: &[Condition]| {
        let refused = (!refused.is_empty()).then(|| not(any_of(refused.to_vec())));
        all_of(taken.into_iter().chain(refused).collect())
    };
    for (index, rule) in authorization.rules.iter().enumerate() {
        let Some(taken) = condition(rule) else { continue };
        match rule.decision {
            Decision::Deny => refused.push(taken),
            Decision::Allow => {
                policies.insert(format!("rule-{:03}", index + 1), unless(vec![taken], &refused));
            }
        }
    }
    if authorization.default == Decision::Allow {
        policies.insert("default".to_owned(), unless(Vec::new(), &refused));
    }
    policies
}

fn of_request(scope: &Scope<'_>, rule: &AccessRule) -> Condition {
    let mut conditions = of_caller(scope, rule);
    if !rule.claims.is_empty() {
        conditions.push(any_of(rule.claims.iter().map(|(name, value)| claim(name, value)).collect()));
    }
    conditions.extend(conditions::of(&rule.matches, rule.decision));
    all_of(conditions)
}

/// Of a connection only its caller is known: a rule that asks for more allows nobody and refuses everyone it may mean.
fn of_connection(scope: &Scope<'_>, rule: &AccessRule) -> Option<Condition> {
    let asks_more = !rule.claims.is_empty() || !conditions::of(&rule.matches, rule.decision).is_empty();
    (rule.decision == Decision::Deny || !asks_more).then(|| all_of(of_caller(scope, rule)))
}

fn of_caller(scope: &Scope<'_>, rule: &AccessRule) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let services = rule.from.iter().map(|id| tls::identity(scope, scope.mesh.service(*id).name.as_str()));
    let services: Vec<Condition> = services.map(|uri| identity(&uri)).collect();
    let others: Vec<Condition> = rule.from_identity.iter().map(|uri| identity(uri)).collect();
    let networks: Vec<Condition> = rule.source.iter().map(|cidr| in_network(*cidr)).collect();
    for ways in [services, others, networks] {
        if !ways.is_empty() {
            conditions.push(any_of(ways));
        }
    }
    conditions
}

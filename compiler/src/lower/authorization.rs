//! Who may call: ordered rules, enforced where requests arrive.

mod conditions;

use std::collections::{BTreeMap, BTreeSet};

use ::envoy::config::listener::v3::Filter;
use spec::mesh::Decision;

use super::policies::{Chain, Policies};
use super::scope::Scope;
use super::tls;
use crate::checked::{AccessRule, Authorization, Service};
use crate::envoy::http_filter::rbac;
use crate::envoy::http_filter::single_headers::single_headers;
use crate::envoy::rbac::{Condition, all_of, allow, any_of, claim, identity, network as in_network, not};
pub(super) use conditions::headers;
pub(crate) use conditions::patterns;

/// What requests have of their own: another server may change it, and says nothing by leaving it.
const OF_CALLERS: [&str; 6] = ["authorization", "content-length", "content-type", "cookie", "host", "x-request-id"];

/// The first rule that matches decides.
pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let deciding = deciding_headers(policies);
    let foreign = foreign_headers(scope, policies);
    if !deciding.is_empty() || !foreign.is_empty() {
        chain.add(policies, single_headers(&policies.owner, &deciding, &foreign));
    }
    let Some(authorization) = policies.authorization else { return };
    let rules = passing(authorization, |rule| Some(of_request(scope, rule)));
    chain.add(policies, rbac::rbac(&policies.owner, allow(rules)));
}

/// What rules, and questions to another server, hang on.
fn deciding_headers(policies: &Policies<'_>) -> BTreeSet<String> {
    let rules = policies.authorization.iter().flat_map(|authorization| &authorization.rules);
    let of_rules = rules.flat_map(|rule| rule.matches.all_headers());
    let of_questions = policies.external_auth.iter().flat_map(|auth| &auth.headers);
    let names = of_rules.chain(of_questions).map(|said| said.name.value.to_ascii_lowercase());
    names.filter(|name| name != "host" && !name.starts_with(':')).collect()
}

/// What only the server that is asked may say: the caller's own words must not reach the application where the server
/// says nothing. Not what the server is asked by, nor what authentication has written.
fn foreign_headers(scope: &Scope<'_>, policies: &Policies<'_>) -> BTreeSet<String> {
    let Some(auth) = policies.external_auth else { return BTreeSet::new() };
    let user = policies.basic_auth.iter().filter_map(|auth| auth.forward_user_header.clone());
    let client = policies.api_key.iter().filter_map(|auth| auth.forward_client_header.clone());
    let signer = policies.hmac_signature.iter().filter_map(|auth| auth.forward_client_header.clone());
    let providers = policies.jwt.iter().flat_map(|jwt| &jwt.providers).map(|id| &scope.mesh.jwt_provider(*id).said);
    let claims = providers.filter_map(|said| Some(said.forward_claims_header.as_ref()?.value.clone()));
    let conditions = auth.headers.iter().map(|said| said.name.value.clone());
    let others =
        user.chain(client).chain(signer).chain(claims).chain(conditions).chain(auth.send_headers.iter().cloned());
    let others: BTreeSet<String> = others.map(|name| name.to_ascii_lowercase()).collect();
    let accepted = auth.accept_headers.iter().map(|name| name.to_ascii_lowercase());
    accepted.filter(|name| !OF_CALLERS.contains(&name.as_str()) && !others.contains(name)).collect()
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

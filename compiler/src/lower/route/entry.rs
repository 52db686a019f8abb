//! A plan in Envoy's terms.

use std::collections::BTreeSet;

use ::envoy::config::route::v3::{HeaderMatcher, Route as Message, RouteMatch, route_action::HashPolicy};
use spec::mesh::{Cors, HostRewrite, LoadBalancingPolicy};
use spec::units::Percent;

use super::Around;
use super::plan::Plan;
use crate::checked::{Action, Destination, Mirror, Target};
use crate::envoy::http_filter::{FilterOverrides, cors};
use crate::envoy::names;
use crate::envoy::route::action::{Copies, Forward, Share, forward, hash_policy, redirect, respond};
use crate::envoy::route::edits::{Edits, edits};
use crate::envoy::route::matches::{
    Conditions, method_is_one_of, port_is, port_is_or_none, query_matcher, route_match, scheme_is,
};
use crate::envoy::route::retry::retry_policy;
use crate::envoy::route::{Entry, entry, header_matcher};
use crate::lower::scope::Scope;
use crate::lower::{cluster, rate_limit};

/// The port of a service that says none.
const HTTP_PORT: u16 = 80;

/// None where the listener has another port than the plan asks for; several where shares differ in more than Envoy can
/// say of the shares of one route.
pub(super) fn routes(scope: &Scope<'_>, around: &Around<'_>, plan: &Plan<'_>) -> Vec<Message> {
    let asked: BTreeSet<u16> = plan.matches.iter().filter_map(|it| it.port.as_ref()).map(|it| it.value).collect();
    if let Some(port) = around.port
        && asked.iter().any(|asked| *asked != port)
    {
        return Vec::new();
    }
    match &*plan.action {
        Action::To(targets) if targets.len() > 1 && targets.iter().any(|target| is_copied(scope, target)) => {
            apart(targets)
                .map(|(target, share)| {
                    let share = of_share(share, plan.share);
                    to(scope, around, plan, std::slice::from_ref(target), share)
                })
                .collect()
        }
        Action::To(targets) => vec![to(scope, around, plan, targets, plan.share)],
        Action::Redirect(said) => {
            vec![answer(scope, around, plan, redirect(said, plan.path.change.clone()), Edits::default())]
        }
        Action::Respond(said) => {
            let content_type = said.content_type.as_ref();
            let kind = content_type.map(|kind| Edits::set("content-type", &kind.value)).unwrap_or_default();
            vec![answer(scope, around, plan, respond(said), kind)]
        }
    }
}

/// Without those that take nothing, because an earlier one asks for the same.
pub(super) fn reachable(routes: impl Iterator<Item = Message>) -> Vec<Message> {
    let mut reachable: Vec<Message> = Vec::new();
    for route in routes {
        if !reachable.iter().any(|earlier| earlier.r#match == route.r#match) {
            reachable.push(route);
        }
    }
    reachable
}

fn to(scope: &Scope<'_>, around: &Around<'_>, plan: &Plan<'_>, targets: &[Target], share: Option<Percent>) -> Message {
    let mirrors = targets.iter().flat_map(|target| &scope.mesh.service(target.to.service).mirrors);
    let action = forward(Forward {
        shares: targets.iter().map(|target| self::share(scope, around, plan, target)).collect(),
        host_from_header: match plan.host {
            Some(HostRewrite::FromHeader(header)) => Some(header.clone()),
            _ => None,
        },
        path: plan.path.change.clone(),
        timeout: plan.timeout.unwrap_or(around.timeout),
        idle_timeout: plan.idle_timeout.or(around.idle_timeout),
        websocket: plan.websocket,
        retry: plan.retry.or(around.retry).map(retry_policy),
        mirrors: plan.mirrors.iter().copied().chain(mirrors).map(|mirror| copies(scope, mirror)).collect(),
        hash: hash(scope, targets),
    });
    let mut request = plan.request_headers.clone();
    let mut response = plan.response_headers.clone();
    if let [target] = targets {
        let service = scope.mesh.service(target.to.service);
        let narrower = target.request_headers.as_deref().into_iter().chain(&service.request_headers);
        request.splice(..0, narrower);
        let narrower = target.response_headers.as_deref().into_iter().chain(&service.response_headers);
        response.splice(..0, narrower);
    }
    let of_target = targets.first().and_then(|target| scope.mesh.service(target.to.service).cors.as_ref());
    let mut message = entry(Entry {
        takes: takes(scope, around, plan, share),
        action,
        overrides: overrides(scope, plan, plan.cors.or(around.cors).or(of_target)),
        request_headers: edits(request),
        response_headers: edits(response),
    });
    let destinations: Vec<Destination> = targets.iter().map(|target| target.to).collect();
    // What a route says of `Host` comes before what the service that answers expects.
    if matches!(plan.host, None | Some(HostRewrite::OfService)) {
        cluster::failover::on_route(scope, &destinations, &mut message);
    }
    cluster::session::on_route(scope, &destinations, &mut message);
    message
}

/// `kind` says what the answer is, unless the mesh says otherwise.
fn answer(
    scope: &Scope<'_>,
    around: &Around<'_>,
    plan: &Plan<'_>,
    action: ::envoy::config::route::v3::route::Action,
    kind: Edits,
) -> Message {
    let of_service = around.host.and_then(|id| scope.mesh.service(id).cors.as_ref());
    let mut response_headers = kind;
    let said = edits(plan.response_headers.iter().copied());
    response_headers.add.extend(said.add);
    response_headers.remove.extend(said.remove);
    entry(Entry {
        takes: takes(scope, around, plan, plan.share),
        action,
        overrides: overrides(scope, plan, plan.cors.or(around.cors).or(of_service)),
        request_headers: Edits::default(),
        response_headers,
    })
}

fn takes(scope: &Scope<'_>, around: &Around<'_>, plan: &Plan<'_>, share: Option<Percent>) -> RouteMatch {
    let mut conditions = Conditions {
        headers: plan.headers.clone(),
        query: plan.query.clone(),
        cookies: plan.cookies.clone(),
        share,
        ..Conditions::default()
    };
    for matches in &plan.matches {
        let methods: Vec<&str> = matches.methods.iter().map(|method| method.value.as_str()).collect();
        conditions.headers.extend(method_is_one_of(&methods));
        conditions.headers.extend(matches.scheme.as_ref().map(|scheme| scheme_is(scheme.value)));
        if let (Some(port), None) = (&matches.port, around.port) {
            conditions.headers.push(named_port(scope, around, port.value));
        }
        conditions.headers.extend(matches.all_headers().map(header_matcher));
        conditions.query.extend(matches.query.iter().map(query_matcher));
        conditions.grpc |= matches.grpc.is_some();
    }
    route_match(&plan.path, conditions)
}

/// The port that the caller named. One that named none means the service's own.
fn named_port(scope: &Scope<'_>, around: &Around<'_>, port: u16) -> HeaderMatcher {
    let own = around.host.and_then(|id| scope.mesh.service(id).port).unwrap_or(HTTP_PORT);
    if port == own { port_is_or_none(port) } else { port_is(port) }
}

/// A request that leaves for another service than its `Host` names gets that service's name as `Host`: the sidecar
/// there knows no other. The first name goes along in `x-forwarded-host`.
fn share(scope: &Scope<'_>, around: &Around<'_>, plan: &Plan<'_>, target: &Target) -> Share {
    let service = scope.mesh.service(target.to.service);
    let host = match plan.host {
        Some(HostRewrite::Kept | HostRewrite::FromHeader(_)) => None,
        Some(HostRewrite::Name(name)) => Some(name.clone()),
        Some(HostRewrite::OfService) => Some(service.name.key()),
        None => (around.host != Some(target.to.service)).then(|| service.name.key()),
    };
    Share {
        cluster: names::destination(scope.mesh, target.to),
        weight: target.weight,
        host,
        request_headers: edits(target.request_headers.as_deref().into_iter().chain(&service.request_headers)),
        response_headers: edits(target.response_headers.as_deref().into_iter().chain(&service.response_headers)),
    }
}

fn copies(scope: &Scope<'_>, mirror: &Mirror) -> Copies {
    Copies {
        cluster: names::destination(scope.mesh, mirror.to),
        host: scope.mesh.service(mirror.to.service).name.key(),
        percent: mirror.percent,
    }
}

/// What clusters that choose by a hash take it of; others do not look at it.
fn hash(scope: &Scope<'_>, targets: &[Target]) -> Vec<HashPolicy> {
    let mut policies = Vec::new();
    for target in targets {
        let Some(balancing) = &scope.mesh.service(target.to.service).load_balancing else { continue };
        let policy = balancing.policy.as_ref().map(|policy| policy.value);
        if !matches!(policy, Some(LoadBalancingPolicy::RingHash | LoadBalancingPolicy::Maglev)) {
            continue;
        }
        for policy in balancing.hash_on.iter().map(hash_policy) {
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
    }
    policies
}

fn overrides(scope: &Scope<'_>, plan: &Plan<'_>, rules: Option<&Cors>) -> FilterOverrides {
    let mut overrides = rate_limit::of_route(scope, &plan.rate_limits);
    if let Some(rules) = rules {
        overrides.insert(cors::NAME.to_owned(), cors::policy(rules));
    }
    overrides
}

/// Whether the service itself asks for copies of what it gets.
fn is_copied(scope: &Scope<'_>, target: &Target) -> bool {
    !scope.mesh.service(target.to.service).mirrors.is_empty()
}

/// Each target with the share of dice up to which it gets a request; the last one gets the rest. Envoy throws one dice
/// a request, so a route takes what those before it have left.
fn apart(targets: &[Target]) -> impl Iterator<Item = (&Target, Option<Percent>)> {
    let total: u64 = targets.iter().map(|target| u64::from(target.weight)).sum();
    let last = targets.iter().rposition(|target| target.weight > 0);
    let mut sum = 0;
    targets.iter().enumerate().filter(|(_, target)| target.weight > 0).map(move |(index, target)| {
        sum += u64::from(target.weight);
        let parts = (sum * 1_000_000).checked_div(total).and_then(|parts| u32::try_from(parts).ok());
        let share = parts.and_then(Percent::from_per_million);
        (target, share.filter(|_| Some(index) != last))
    })
}

/// A share of the share that a plan takes; `None`: all of it.
fn of_share(share: Option<Percent>, whole: Option<Percent>) -> Option<Percent> {
    let (Some(share), Some(whole)) = (share, whole) else { return share.or(whole) };
    let parts = u64::from(share.per_million()) * u64::from(whole.per_million()) / 1_000_000;
    u32::try_from(parts).ok().and_then(Percent::from_per_million)
}

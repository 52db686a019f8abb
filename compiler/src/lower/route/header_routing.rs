//! Rules that send requests elsewhere by what they carry: our filter where it can compare it, else the route table.
//!
//! Each service has a filter of its own, which works on the service's virtual host and, at a gateway, on those routes of
//! the outside world that obey the service's rules. It says in a header which destination it has chosen, and the route
//! table matches that header. A route that a client asks for in this header is one that has the same filter, which
//! takes the header away, and the table is asked again.

use policy::{
    Condition, HeaderRoutingConfig, HeaderRoutingRule, NamedMatch, ROUTE_HEADER, RouteShare, RouteShares, StickyBy,
    StringMatch, ValueMatch,
};
use spec::Spanned;
use spec::mesh::{
    AllOf, AnyOf, CookieMatch, Engine, HashKey, HeaderMatch, HeaderValueMatch, Method, QueryMatch, QueryValueMatch,
    SameSite, VisitorCookie,
};

use super::plan::Plan;
use crate::checked::{CheckedMesh, Gateway, Id, RoutingRule, Service, Stickiness, Target};
use crate::envoy::http_filter::{self, FilterOverrides, HttpFilter, wasm};
use crate::envoy::names;
use crate::envoy::route::matches::{cookie_matcher, method_is_one_of, query_matcher};
use crate::envoy::route::{header_is, header_matcher};
use crate::header_routing::{Alternative, alternatives, needs_route_table};
use crate::lower::scope::Scope;

/// The filters of a proxy that calls `services`, and, of a gateway, of those to which its hosts lead. They work where
/// [`overrides`] say so.
pub(in crate::lower) fn filters(scope: &Scope<'_>, services: &[Id<Service>]) -> Vec<HttpFilter> {
    let mut all: Vec<Id<Service>> = services.to_vec();
    all.extend(scope.gateway().into_iter().flat_map(obeyed));
    all.sort_by_key(|id| scope.mesh.service(*id).name.key());
    all.dedup();
    all.into_iter().filter_map(|id| filter(scope, id)).collect()
}

/// The services whose rules the routes of a gateway's hosts obey.
fn obeyed(gateway: &Gateway) -> impl Iterator<Item = Id<Service>> {
    gateway.hosts.iter().flat_map(|host| &host.routes).filter_map(super::outside::obeyed)
}

/// Lets the filter of a service work.
pub(in crate::lower) fn overrides(service: &Service) -> FilterOverrides {
    let works = service.header_routing.iter().any(|rule| engine(rule) == Engine::Wasm);
    let name = wasm::header_routing_name(&service.name.key());
    works.then(|| (name, http_filter::enabled())).into_iter().collect()
}

/// What compares the requests of a rule: the mesh says so, or the rule asks for more than the filter can.
pub(in crate::lower) fn engine(rule: &RoutingRule) -> Engine {
    if needs_route_table(&rule.conditions).is_some() { Engine::Native } else { rule.engine }
}

/// A service's rules as the route table follows them, in their order.
pub(super) fn plans<'a>(mesh: &CheckedMesh, service: &Service) -> Vec<Plan<'a>> {
    let mut plans = Vec::new();
    for (index, rule) in service.header_routing.iter().enumerate() {
        match engine(rule) {
            // Nobody is sent there.
            Engine::Wasm if rule.dry_run => {}
            Engine::Wasm => plans.extend(rule.to.iter().enumerate().map(|(place, target)| {
                let chosen = header_is(ROUTE_HEADER, &route_name(mesh, service, index, place));
                Plan::to(Target { weight: 1, ..target.clone() }).with(vec![chosen])
            })),
            // Of a rule with too many the check has told.
            Engine::Native => {
                plans.extend(alternatives(&rule.conditions).unwrap_or_default().iter().map(|it| native(rule, it)));
            }
        }
    }
    plans
}

fn native<'a>(rule: &RoutingRule, alternative: &Alternative<'_>) -> Plan<'a> {
    let methods = alternative.methods.iter().filter_map(|methods| {
        let methods: Vec<&str> = methods.iter().map(|method| method.value.as_str()).collect();
        method_is_one_of(&methods)
    });
    let headers = alternative.headers.iter().map(|header| header_matcher(header));
    Plan {
        headers: methods.chain(headers).collect(),
        query: alternative.query.iter().map(|query| query_matcher(query)).collect(),
        cookies: alternative.cookies.iter().map(|cookie| cookie_matcher(cookie)).collect(),
        share: Some(rule.percent).filter(|percent| percent.per_million() < 1_000_000),
        ..Plan::to_all(rule.to.clone())
    }
}

fn filter(scope: &Scope<'_>, id: Id<Service>) -> Option<HttpFilter> {
    let service = scope.mesh.service(id);
    let rules = service.header_routing.iter().enumerate().filter(|(_, rule)| engine(rule) == Engine::Wasm);
    let rules: Vec<HeaderRoutingRule> = rules
        .map(|(index, rule)| HeaderRoutingRule {
            when: conditions(rule),
            per_million: rule.percent.per_million(),
            sticky: rule.sticky.as_ref().map(sticky),
            to: RouteShares(
                rule.to
                    .iter()
                    .enumerate()
                    .map(|(place, target)| RouteShare {
                        route: route_name(scope.mesh, service, index, place),
                        weight: target.weight,
                    })
                    .collect(),
            ),
            dry_run: rule.dry_run,
        })
        .collect();
    let config = HeaderRoutingConfig { rules };
    (!config.rules.is_empty()).then(|| wasm::header_routing(&service.name.key(), &config, scope.module).disabled())
}

/// What the filter calls a destination, and the route table knows it by: its cluster, with a number where another
/// target before it leads there with other changes to headers, or from before a rule of the route table's own.
fn route_name(mesh: &CheckedMesh, service: &Service, rule: usize, place: usize) -> String {
    let mut kinds: Vec<(usize, &Target)> = Vec::new();
    let mut native = 0;
    for (index, said) in service.header_routing.iter().enumerate() {
        if engine(said) == Engine::Native {
            native += 1;
            continue;
        }
        for (at, target) in said.to.iter().enumerate() {
            let mut there = kinds.iter().filter(|(_, known)| known.to == target.to);
            let count = there.clone().count();
            let known = there.position(|(before, known)| {
                *before == native
                    && known.request_headers == target.request_headers
                    && known.response_headers == target.response_headers
            });
            if (index, at) == (rule, place) {
                let name = names::destination(mesh, target.to);
                let number = known.unwrap_or(count);
                return if number == 0 { name } else { format!("{name}#{}", number.saturating_add(1)) };
            }
            if known.is_none() {
                kinds.push((native, target));
            }
        }
    }
    String::new()
}

/// As the filter compares them; those that it cannot compare are not its rules.
fn conditions(rule: &RoutingRule) -> Vec<Condition> {
    let said = &rule.conditions;
    let mut all = leaves(&said.methods, &said.headers, &said.cookies, &said.query);
    all.extend(said.any.iter().map(any_of));
    all
}

fn any_of(group: &AnyOf) -> Condition {
    let mut any = leaves(&[], &group.headers, &group.cookies, &group.query);
    any.extend(
        group
            .all
            .iter()
            .map(|all: &AllOf| Condition::All(leaves(&all.methods, &all.headers, &all.cookies, &all.query))),
    );
    Condition::Any(any)
}

fn leaves(
    methods: &[Spanned<Method>],
    headers: &[HeaderMatch],
    cookies: &[CookieMatch],
    query: &[QueryMatch],
) -> Vec<Condition> {
    let methods: Vec<String> = methods.iter().map(|method| method.value.as_str().to_owned()).collect();
    let method = (!methods.is_empty()).then(|| {
        let value = StringMatch::OneOf(methods);
        Condition::Method(ValueMatch { value, ignore_case: false, invert: false })
    });
    let ignored = |said: &Option<Spanned<bool>>| said.as_ref().is_some_and(|said| said.value);
    let headers = headers.iter().filter_map(|header| {
        let name = header.name.value.to_ascii_lowercase();
        let (value, ignore_case) = (comparison(&header.value.value)?, ignored(&header.ignore_case));
        Some(Condition::Header(NamedMatch { name, value, ignore_case, invert: header.inverted() }))
    });
    let cookies = cookies.iter().filter_map(|cookie| {
        let (value, ignore_case) = (comparison(&cookie.value.value)?, ignored(&cookie.ignore_case));
        Some(Condition::Cookie(NamedMatch {
            name: cookie.name.value.clone(),
            value,
            ignore_case,
            invert: cookie.inverted(),
        }))
    });
    let query = query.iter().filter_map(|query| {
        let (value, ignore_case) = (query_comparison(&query.value.value)?, ignored(&query.ignore_case));
        Some(Condition::Query(NamedMatch { name: query.name.value.clone(), value, ignore_case, invert: false }))
    });
    method.into_iter().chain(headers).chain(cookies).chain(query).collect()
}

fn comparison(said: &HeaderValueMatch) -> Option<StringMatch> {
    Some(match said {
        HeaderValueMatch::Exact(text) => StringMatch::Exact(text.clone()),
        HeaderValueMatch::Prefix(text) => StringMatch::Prefix(text.clone()),
        HeaderValueMatch::Suffix(text) => StringMatch::Suffix(text.clone()),
        HeaderValueMatch::Contains(text) => StringMatch::Contains(text.clone()),
        HeaderValueMatch::Range(range) => {
            StringMatch::Range(policy::NumberRange { start: range.start, end: range.end })
        }
        HeaderValueMatch::Present => StringMatch::Present,
        HeaderValueMatch::Regex(_) => return None,
    })
}

fn query_comparison(said: &QueryValueMatch) -> Option<StringMatch> {
    Some(match said {
        QueryValueMatch::Exact(text) => StringMatch::Exact(text.clone()),
        QueryValueMatch::Prefix(text) => StringMatch::Prefix(text.clone()),
        QueryValueMatch::Suffix(text) => StringMatch::Suffix(text.clone()),
        QueryValueMatch::Contains(text) => StringMatch::Contains(text.clone()),
        QueryValueMatch::Present => StringMatch::Present,
        QueryValueMatch::Regex(_) => return None,
    })
}

fn sticky(said: &Stickiness) -> policy::Sticky {
    match said {
        Stickiness::By { key, seed } => {
            let by = match key {
                HashKey::Header(name) => StickyBy::Header(name.to_ascii_lowercase()),
                HashKey::Cookie(name) => StickyBy::Cookie(name.clone()),
                HashKey::Query(name) => StickyBy::Query(name.clone()),
                HashKey::SourceAddress => StickyBy::SourceAddress,
            };
            policy::Sticky { by, seed: seed.clone() }
        }
        Stickiness::Visitor { cookie, seed } => {
            policy::Sticky { by: StickyBy::Visitor(visitor_cookie(cookie)), seed: seed.clone() }
        }
    }
}

fn visitor_cookie(said: &VisitorCookie) -> policy::VisitorCookie {
    let path = said.path.as_ref().map_or("/", |path| &path.value);
    let seconds = said.ttl.as_ref().map_or(0, |ttl| ttl.value.as_secs());
    policy::VisitorCookie {
        name: policy::CookieText(said.name.value.clone()),
        path: policy::CookieText(path.to_owned()),
        max_age_seconds: (seconds > 0).then(|| u32::try_from(seconds).unwrap_or(u32::MAX)),
        http_only: said.http_only.as_ref().is_none_or(|said| said.value),
        secure: said.secure.as_ref().is_some_and(|said| said.value),
        same_site: match said.same_site.as_ref().map_or(SameSite::Lax, |said| said.value) {
            SameSite::Strict => policy::SameSite::Strict,
            SameSite::Lax => policy::SameSite::Lax,
            SameSite::None => policy::SameSite::None,
        },
    }
}

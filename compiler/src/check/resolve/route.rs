//! Routes and where they lead.

use spec::mesh;
use spec::units::Percent;
use spec::{Diagnostics, Name, Spanned};

use super::{Context, service, value};
use crate::checked::{Action, Destination, Mirror, Route, RoutingRule, Stickiness, Target};

/// Routes in the order in which they are tried: those with the lowest number first, those without one last.
pub(super) fn ordered(context: &Context<'_>, declared: &[mesh::Route], diagnostics: &mut Diagnostics) -> Vec<Route> {
    let mut order: Vec<&mesh::Route> = declared.iter().collect();
    order.sort_by_key(|route| value(&route.priority).unwrap_or(u32::MAX));
    order.into_iter().map(|declared| route(context, declared, diagnostics)).collect()
}

fn route(context: &Context<'_>, declared: &mesh::Route, diagnostics: &mut Diagnostics) -> Route {
    Route {
        matches: declared.matches.clone(),
        timeout: value(&declared.timeout),
        idle_timeout: value(&declared.idle_timeout),
        websocket: value(&declared.websocket).unwrap_or(true),
        retry: declared.retry.clone(),
        rewrite: declared.rewrite.clone(),
        mirrors: mirrors(context, &declared.mirrors, diagnostics),
        rate_limits: declared.rate_limits.clone(),
        cors: declared.cors.clone(),
        request_headers: declared.request_headers.clone(),
        response_headers: declared.response_headers.clone(),
        action: match &declared.action.value {
            mesh::RouteAction::To(to) => Action::To(targets(context, to, diagnostics)),
            mesh::RouteAction::Redirect(redirect) => Action::Redirect(redirect.clone()),
            mesh::RouteAction::Respond(respond) => Action::Respond(respond.clone()),
        },
    }
}

pub(super) fn targets(context: &Context<'_>, declared: &[mesh::Target], diagnostics: &mut Diagnostics) -> Vec<Target> {
    let mut targets = Vec::with_capacity(declared.len());
    for target in declared {
        let Some(to) = destination(context, &target.service, &target.subset, diagnostics) else { continue };
        targets.push(Target {
            to,
            weight: value(&target.weight).unwrap_or(1),
            request_headers: target.request_headers.clone(),
            response_headers: target.response_headers.clone(),
        });
    }
    targets
}

pub(super) fn mirrors(context: &Context<'_>, declared: &[mesh::Mirror], diagnostics: &mut Diagnostics) -> Vec<Mirror> {
    let mut mirrors = Vec::with_capacity(declared.len());
    for mirror in declared {
        let Some(to) = destination(context, &mirror.to, &mirror.subset, diagnostics) else { continue };
        mirrors.push(Mirror { to, percent: value(&mirror.percent).unwrap_or(Percent::ALL) });
    }
    mirrors
}

/// A subset that does not exist is a rule's to report.
pub(super) fn destination(
    context: &Context<'_>,
    name: &Spanned<Name>,
    subset: &Option<Spanned<String>>,
    diagnostics: &mut Diagnostics,
) -> Option<Destination> {
    let service = context.tables.service(name.as_ref(), diagnostics)?;
    let declared = context.mesh.services.get(service.index())?;
    let subset = subset.as_ref().and_then(|subset| service::subset(declared, &subset.value));
    Some(Destination { service, subset })
}

pub(super) fn header_routing(
    context: &Context<'_>,
    declared: &mesh::Service,
    diagnostics: &mut Diagnostics,
) -> Vec<RoutingRule> {
    let Some(routing) = &declared.header_routing else { return Vec::new() };
    let engine = value(&routing.engine).unwrap_or_default();
    let mut rules = Vec::new();
    for rule in &routing.rules {
        let to = targets(context, &rule.to, diagnostics);
        if to.is_empty() {
            continue;
        }
        rules.push(RoutingRule {
            to,
            conditions: rule.conditions.clone(),
            percent: value(&rule.percent).unwrap_or(Percent::ALL),
            sticky: stickiness(declared, rule),
            dry_run: value(&rule.dry_run).unwrap_or(false),
            engine,
        });
    }
    rules
}

/// What a seed is made of where none is said stays when rules are added, or put in another order.
fn stickiness(service: &mesh::Service, rule: &mesh::RoutingRule) -> Option<Stickiness> {
    let first = rule.to.first().map(|target| target.service.value.key()).unwrap_or_default();
    let seed = format!("{}/{first}", service.name.value.key());
    if let Some(cookie) = &rule.visitor_cookie {
        return Some(Stickiness::Visitor { cookie: cookie.clone(), seed });
    }
    let sticky = rule.sticky.as_ref()?;
    let seed = sticky.seed.as_ref().map_or(seed, |said| said.value.clone());
    Some(Stickiness::By { key: sticky.key.value.clone(), seed })
}

/// The routes of a host; then its own targets, which take every path.
pub(super) fn of_host(context: &Context<'_>, host: &mesh::GatewayHost, diagnostics: &mut Diagnostics) -> Vec<Route> {
    let mut routes = ordered(context, &host.routes, diagnostics);
    if !host.targets.is_empty() {
        routes.push(Route::to(targets(context, &host.targets, diagnostics)));
    }
    routes
}

//! What a gateway's route makes of a path, its service's routes must be able to tell.
//!
//! Envoy routes once: both are said in one place, which has no words for some of it.

use spec::mesh::{Route, RouteAction, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::regex;
use super::super::tables::Tables;
use super::protocols;
use crate::two_pass::{Also, Combined, PathChange, PathPlan, Why};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for outer in mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).flat_map(|host| &host.routes) {
        let RouteAction::To(targets) = &outer.action.value else { continue };
        let [target] = targets.as_slice() else { continue };
        let (Some(service), None) = (protocols::service(mesh, tables, &target.service.value), &target.subset) else {
            continue;
        };
        behind(outer, service, diagnostics);
    }
}

fn behind(outer: &Route, service: &Service, diagnostics: &mut Diagnostics) {
    let Some(plan) = plan(outer) else { return };
    for inner in &service.routes {
        let Some(inner_plan) = self::plan(inner) else { continue };
        match plan.then(&inner_plan) {
            Combined::Inexpressible(why) => diagnostics.push(inexpressible(outer, inner, why)),
            Combined::Plan(combined) => {
                let refused = combined.also.iter().find_map(|also| match also {
                    Also::Regex(pattern) => regex::check(pattern).err(),
                    Also::Prefix { .. } => None,
                });
                if let Some(refused) = refused {
                    let message = "together these two conditions on the path are more than Envoy takes";
                    diagnostics.push(
                        Diagnostic::error(codes::REWRITE_THEN_REGEX, outer.span(), message)
                            .label(refused.why)
                            .related(inner.span(), "the service's route")
                            .help("make the regular expression shorter, or match with a prefix"),
                    );
                }
            }
            Combined::Never => {}
        }
    }
}

fn plan(route: &Route) -> Option<PathPlan> {
    let change = match &route.action.value {
        RouteAction::To(_) => route.rewrite.as_deref().and_then(PathChange::of_rewrite),
        RouteAction::Redirect(redirect) => redirect.path.as_ref().map(|path| PathChange::of_path(&path.value)),
        RouteAction::Respond(_) => None,
    };
    PathPlan::of(&route.matches, change)
}

fn inexpressible(outer: &Route, inner: &Route, why: Why) -> Diagnostic {
    let rewrite = path_of_rewrite(outer).unwrap_or(outer.span());
    let (message, label, place, help) = match why {
        Why::Compares => (
            "a rewritten path is compared with a regular expression",
            "the path is rewritten here",
            inner.span(),
            "match with `path-prefix` or `path` in the service, or send the path on as it came",
        ),
        Why::Rewrites => (
            "a path is rewritten twice, the second time by a regular expression",
            "the path is rewritten here",
            path_of_rewrite(inner).unwrap_or(inner.span()),
            "rewrite it in one place, or the second time with `prefix` or `path`",
        ),
        Why::Made => (
            "what a regular expression makes of a path, the service's routes cannot tell",
            "the path is rewritten here",
            inner.span(),
            "rewrite with `prefix` or `path` in the gateway, or move the rewrite into the service's routes",
        ),
    };
    Diagnostic::error(codes::REWRITE_THEN_REGEX, rewrite, message)
        .label(label)
        .related(place, "the service's route, which sees the new path")
        .help(help)
}

fn path_of_rewrite(route: &Route) -> Option<Span> {
    let rewrite = route.rewrite.as_ref()?;
    let regex = rewrite.regex.as_ref().map(|regex| regex.pattern.span);
    rewrite.path.as_ref().map(|path| path.span).or(regex)
}

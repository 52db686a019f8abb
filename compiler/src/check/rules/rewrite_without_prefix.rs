//! A prefix is replaced only where a prefix is matched.

use spec::mesh::{PathMatch, PathRewrite, Route, RouteAction};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::routes;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for route in routes(mesh) {
        let Some(span) = replaced_prefix(route) else { continue };
        let matched = route.matches.path.as_ref();
        if matched.is_some_and(|path| matches!(path.value, PathMatch::Prefix(_))) {
            continue;
        }
        let diagnostic =
            Diagnostic::error(codes::REWRITE_WITHOUT_PREFIX, span, "a prefix is replaced, and no prefix is matched")
                .label("of which path is this the new beginning?");
        diagnostics.push(match matched {
            Some(path) => diagnostic
                .related(path.span, "this is matched as a whole")
                .help("write `path=` for a new path, or match with `path-prefix`"),
            None => diagnostic.help("match with `path-prefix`, or write `path=` for a new path"),
        });
    }
}

fn replaced_prefix(route: &Route) -> Option<Span> {
    let rewritten = route.rewrite.as_ref().and_then(|rewrite| rewrite.path.as_ref());
    let redirected = match &route.action.value {
        RouteAction::Redirect(redirect) => redirect.path.as_ref(),
        RouteAction::To(_) | RouteAction::Respond(_) => None,
    };
    let replaced = rewritten.into_iter().chain(redirected).find(|path| matches!(path.value, PathRewrite::Prefix(_)));
    replaced.map(|path| path.span)
}

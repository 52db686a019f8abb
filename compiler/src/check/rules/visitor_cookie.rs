//! A visitor cookie must be one that browsers keep, and that no other rule of the service sets.

use std::collections::BTreeMap;

use spec::mesh::{HeaderRouting, SameSite, VisitorCookie};
use spec::{Diagnostic, Diagnostics, Mesh, Span, Spanned, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for routing in mesh.services.iter().filter_map(|service| service.header_routing.as_ref()) {
        let mut known: BTreeMap<&str, Span> = BTreeMap::new();
        for cookie in cookies(routing) {
            let name = &cookie.name;
            if let Some(first) = known.insert(&name.value, name.span) {
                diagnostics.push(
                    Diagnostic::error(codes::VISITOR_COOKIE, name.span, format!("two rules keep `{}`", name.value))
                        .label("each would forget what the other one decided")
                        .related(first, "the other rule")
                        .help("give each rule a cookie of its own"),
                );
            }
            diagnostics.extend(refused_by_browsers(cookie));
        }
    }
}

fn cookies(routing: &HeaderRouting) -> impl Iterator<Item = &VisitorCookie> {
    routing.rules.iter().filter_map(|rule| rule.visitor_cookie.as_ref())
}

/// What browsers do not keep (RFC 6265bis, 5.7), so that each request would be a first visit.
fn refused_by_browsers(cookie: &VisitorCookie) -> Option<Diagnostic> {
    let name = &cookie.name;
    let secure = cookie.secure.as_ref().is_some_and(|said| said.value);
    let path = cookie.path.as_ref().filter(|path| path.value != "/");
    let refused = |place: Span, why: &str| {
        Diagnostic::error(codes::VISITOR_COOKIE, place, format!("browsers do not keep `{}`", name.value)).label(why)
    };
    let starts = |prefix: &str| name.value.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if let Some(same_site) = cookie.same_site.as_ref().filter(|said| said.value == SameSite::None && !secure) {
        return Some(refused(same_site.span, "of other sites only what is `secure`").help("add `secure=#true`"));
    }
    if (starts("__Secure-") || starts("__Host-")) && !secure {
        return Some(refused(name.span, "such a name is only for what is `secure`").help("add `secure=#true`"));
    }
    match path {
        Some(Spanned { span, .. }) if starts("__Host-") => {
            Some(refused(*span, "such a name is only for the path `/`").help("leave out `path`"))
        }
        _ => None,
    }
}

//! Every regular expression must be one that Envoy takes, and takes as it reads.

use std::borrow::Cow;

use spec::mesh::{
    HeaderMatch, HeaderRouting, HeaderValueMatch, PathMatch, QueryMatch, QueryValueMatch, RegexRewrite, RouteMatch,
};
use spec::{Diagnostic, Diagnostics, Mesh, Span, Spanned, codes};

use super::super::regex;
use super::super::tables::Tables;
use super::everywhere::{authorizations, cors, external_auths};
use super::routes;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (pattern, span) in matches(mesh).filter_map(of_path).chain(cors(mesh).flat_map(origins)) {
        pattern_is_right(&pattern, span, diagnostics);
    }
    for header in headers(mesh) {
        if let HeaderValueMatch::Regex(pattern) = &header.value.value {
            pattern_is_right(pattern, header.value.span, diagnostics);
            regards_case(header.ignore_case.as_ref(), header.value.span, diagnostics);
        }
    }
    let rules = || mesh.services.iter().filter_map(|service| service.header_routing.as_ref());
    let rules = || rules().flat_map(|routing| &routing.rules);
    for cookie in rules().flat_map(|rule| rule.conditions.all_cookies()) {
        if let HeaderValueMatch::Regex(pattern) = &cookie.value.value {
            pattern_is_right(pattern, cookie.value.span, diagnostics);
            regards_case(cookie.ignore_case.as_ref(), cookie.value.span, diagnostics);
        }
    }
    let by_rules = rules().flat_map(|rule| rule.conditions.all_query());
    for query in matches(mesh).flat_map(|matches| &matches.query).chain(by_rules) {
        let QueryMatch { value: Spanned { value: QueryValueMatch::Regex(pattern), span }, .. } = query else {
            continue;
        };
        pattern_is_right(pattern, *span, diagnostics);
        regards_case(query.ignore_case.as_ref(), *span, diagnostics);
    }
    let rewrites = routes(mesh).filter_map(|route| route.rewrite.as_ref()?.regex.as_ref());
    for RegexRewrite { pattern, substitution } in rewrites {
        if let Some(groups) = pattern_is_right(&pattern.value, pattern.span, diagnostics) {
            groups_exist(substitution, groups, pattern.span, diagnostics);
        }
    }
}

/// How many groups the pattern has, if it is right.
fn pattern_is_right(pattern: &str, span: Span, diagnostics: &mut Diagnostics) -> Option<usize> {
    match regex::check(pattern) {
        Ok(groups) => Some(groups),
        Err(refused) => {
            let message = format!("Envoy does not take the regular expression `{}`", spec::diagnostic::quote(pattern));
            diagnostics.push(Diagnostic::error(codes::REGEX, span, message).label(refused.why).help(refused.help));
            None
        }
    }
}

/// Envoy's `ignore_case` has no effect on `safe_regex`.
fn regards_case(ignore: Option<&Spanned<bool>>, pattern: Span, diagnostics: &mut Diagnostics) {
    let Some(ignore) = ignore.filter(|ignore| ignore.value) else { return };
    diagnostics.push(
        Diagnostic::error(codes::REGEX, ignore.span, "`ignore-case` has no effect on a regular expression")
            .label("the case of letters would matter all the same")
            .related(pattern, "the regular expression")
            .help("begin the regular expression with `(?i)`"),
    );
}

/// With a group that does not exist RE2 replaces nothing.
fn groups_exist(substitution: &Spanned<String>, groups: usize, pattern: Span, diagnostics: &mut Diagnostics) {
    let Err(why) = regex::check_substitution(&substitution.value, groups) else { return };
    let message = format!("nothing can be replaced by `{}`", spec::diagnostic::quote(&substitution.value));
    diagnostics.push(
        Diagnostic::error(codes::REGEX, substitution.span, message)
            .label(why.why)
            .related(pattern, "the regular expression")
            .help(why.help),
    );
}

fn matches(mesh: &Mesh) -> impl Iterator<Item = &RouteMatch> {
    let rules = authorizations(mesh).flat_map(|(it, _)| &it.rules).map(|rule| &rule.matches);
    routes(mesh).map(|route| &route.matches).chain(rules)
}

fn headers(mesh: &Mesh) -> impl Iterator<Item = &HeaderMatch> {
    let routing = mesh.services.iter().filter_map(|service| service.header_routing.as_ref());
    let routing = routing.flat_map(HeaderRouting::headers);
    let faults = mesh.services.iter().filter_map(|service| service.fault.as_deref());
    let faults = faults.chain(mesh.nodes.iter().flat_map(|node| &node.serves).filter_map(|serve| serve.fault.as_ref()));
    let faults = faults.flat_map(|fault| &fault.headers);
    let asked = external_auths(mesh).flat_map(|auth| &auth.headers);
    matches(mesh).flat_map(RouteMatch::all_headers).chain(routing).chain(faults).chain(asked)
}

/// As it is lowered: letters of both cases make it larger.
fn of_path(matches: &RouteMatch) -> Option<(Cow<'_, str>, Span)> {
    let any_case = matches.case_sensitive.as_ref().is_some_and(|said| !said.value);
    let said = matches.path.as_ref()?;
    match &said.value {
        PathMatch::Regex(pattern) if any_case => Some((Cow::Owned(format!("(?i){pattern}")), said.span)),
        PathMatch::Regex(pattern) => Some((Cow::Borrowed(pattern), said.span)),
        PathMatch::Prefix(_) | PathMatch::Exact(_) => None,
    }
}

fn origins(cors: &spec::mesh::Cors) -> impl Iterator<Item = (Cow<'_, str>, Span)> {
    cors.allow_origin_regex.iter().map(|pattern| (Cow::Borrowed(pattern.value.as_str()), pattern.span))
}

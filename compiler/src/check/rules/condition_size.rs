//! What an access rule compares must be small enough for Envoy: where any of several values counts, it is a regular
//! expression.

use std::collections::BTreeSet;

use spec::mesh::{Decision, HeaderValueMatch, PathMatch, QueryValueMatch, RouteMatch};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::regex;
use super::super::tables::Tables;
use super::everywhere::{authorizations, external_auths};
use crate::lower::authorization::patterns;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let rules = authorizations(mesh).flat_map(|(it, _)| &it.rules);
    let of_rules = rules.flat_map(|rule| sound(&rule.matches, rule.decision.value));
    let of_questions = external_auths(mesh).flat_map(|auth| {
        let matches = RouteMatch { headers: auth.headers.clone(), ..RouteMatch::default() };
        sound(&matches, Decision::Deny)
    });
    let mut known: BTreeSet<Span> = BTreeSet::new();
    for (span, pattern) in of_rules.chain(of_questions) {
        let Some(size) = regex::too_large(&pattern) else { continue };
        if !known.insert(span) {
            continue;
        }
        let message = "Envoy does not load so large a condition";
        diagnostics.push(
            Diagnostic::error(codes::REGEX, span, message)
                .label(format!(
                    "as a regular expression it may have {size} steps, and Envoy loads at most {}",
                    regex::MAX_SIZE
                ))
                .help("compare a shorter text, or only its beginning with `prefix`"),
        );
    }
}

/// But for those of which another rule says that they are wrong by themselves.
fn sound(matches: &RouteMatch, decision: Decision) -> Vec<(Span, String)> {
    let path = matches.path.iter().filter_map(|said| match &said.value {
        PathMatch::Regex(pattern) => Some((said.span, pattern)),
        PathMatch::Prefix(_) | PathMatch::Exact(_) => None,
    });
    let headers = matches.all_headers().filter_map(|said| match &said.value.value {
        HeaderValueMatch::Regex(pattern) => Some((said.value.span, pattern)),
        _ => None,
    });
    let query = matches.query.iter().filter_map(|said| match &said.value.value {
        QueryValueMatch::Regex(pattern) => Some((said.value.span, pattern)),
        _ => None,
    });
    let own = path.chain(headers).chain(query);
    let wrong: BTreeSet<Span> = own.filter(|(_, own)| regex::check(own).is_err()).map(|(span, _)| span).collect();
    patterns(matches, decision).into_iter().filter(|(span, _)| !wrong.contains(span)).collect()
}

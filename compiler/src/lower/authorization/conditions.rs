//! Conditions of a route as conditions of an access rule.
//!
//! Callers choose how often a value stands in a header, between commas, or a parameter in a query, and applications
//! differ in which one they take. A condition that would let a request pass must therefore hold of all values together;
//! one that would refuse it, of any. Headers that stand in several lines have been cut to the first one before.

mod ends;
mod query;

use ::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use spec::Span;
use spec::mesh::{Decision, GrpcMatch, HeaderMatch, HeaderValueMatch, PathMatch, RouteMatch, Scheme};

use crate::envoy::rbac::{self, Condition, all_of, any_of, header, header_between, header_is_there, not, path, regex};

/// Which of several values must be the one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    All,
    Any,
}

/// All of them must hold.
pub(super) fn of(matches: &RouteMatch, decision: Decision) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let ignore_case = matches.case_sensitive.as_ref().is_some_and(|said| !said.value);
    conditions.extend(matches.path.as_ref().map(|said| of_path(&said.value, ignore_case)));
    if !matches.methods.is_empty() {
        let ways = matches.methods.iter().map(|method| exact_header(":method", method.value.as_str()));
        conditions.push(any_of(ways.collect()));
    }
    conditions.extend(matches.scheme.as_ref().map(|scheme| match scheme.value {
        Scheme::Http => exact_header(":scheme", "http"),
        Scheme::Https => exact_header(":scheme", "https"),
    }));
    conditions.extend(matches.all_headers().map(|said| of_header(said, decision)));
    let values = if decision == Decision::Allow { Values::All } else { Values::Any };
    conditions.extend(matches.query.iter().map(|said| query::of(said, values)));
    conditions.extend(matches.grpc.as_deref().map(of_grpc));
    conditions
}

/// Requests that have these headers; a refusal hangs on it.
pub(crate) fn headers(said: &[HeaderMatch]) -> Condition {
    all_of(said.iter().map(|said| of_header(said, Decision::Deny)).collect())
}

/// The regular expressions that a rule's conditions become, and what each is made of.
pub(crate) fn patterns(matches: &RouteMatch, decision: Decision) -> Vec<(Span, String)> {
    let values = if decision == Decision::Allow { Values::All } else { Values::Any };
    let ignore_case = matches.case_sensitive.as_ref().is_some_and(|said| !said.value);
    let paths = matches.path.iter().map(|said| (said.span, of_path(&said.value, ignore_case)));
    let headers = matches.all_headers().map(|said| (said.value.span, of_header(said, decision)));
    let query = matches.query.iter().map(|said| (said.value.span, query::of(said, values)));
    let all = paths.chain(headers).chain(query);
    all.flat_map(|(span, condition)| rbac::patterns(&condition).into_iter().map(move |text| (span, text))).collect()
}

fn of_path(said: &PathMatch, ignore_case: bool) -> Condition {
    let pattern = match said {
        PathMatch::Prefix(prefix) => MatchPattern::Prefix(prefix.clone()),
        PathMatch::Exact(exact) => MatchPattern::Exact(exact.clone()),
        PathMatch::Regex(pattern) => regex(pattern.clone()),
    };
    path(pattern, ignore_case)
}

fn of_grpc(said: &GrpcMatch) -> Condition {
    let service = &said.service.value;
    let pattern = match &said.method {
        Some(method) => MatchPattern::Exact(format!("/{service}/{}", method.value)),
        None => MatchPattern::Prefix(format!("/{service}/")),
    };
    path(pattern, false)
}

fn of_header(said: &HeaderMatch, decision: Decision) -> Condition {
    // What is turned around refuses where it would have let pass.
    let values = if (decision == Decision::Allow) != said.inverted() { Values::All } else { Values::Any };
    let matched = value_of_header(said, values);
    if said.inverted() { not(matched) } else { matched }
}

fn value_of_header(said: &HeaderMatch, values: Values) -> Condition {
    let name = said.name.value.to_ascii_lowercase();
    let ignore_case = said.ignore_case.as_ref().is_some_and(|said| said.value);
    let text = |pattern| header(&name, pattern, ignore_case);
    // As one of the values between commas.
    let before = r"(?:.*,[ \t]*)?";
    let after = r"(?:[ \t]*,.*)?";
    match (&said.value.value, values) {
        (HeaderValueMatch::Present, _) => header_is_there(&name),
        (HeaderValueMatch::Contains(said), _) => text(MatchPattern::Contains(said.clone())),
        (HeaderValueMatch::Exact(said), Values::All) => text(MatchPattern::Exact(said.clone())),
        (HeaderValueMatch::Prefix(said), Values::All) => text(MatchPattern::Prefix(said.clone())),
        (HeaderValueMatch::Suffix(said), Values::All) => text(MatchPattern::Suffix(said.clone())),
        (HeaderValueMatch::Regex(said), Values::All) => text(regex(said.clone())),
        (HeaderValueMatch::Range(range), Values::All) => header_between(&name, range.start, range.end),
        (HeaderValueMatch::Exact(said), Values::Any) => text(regex(format!("{before}{}{after}", quote(said)))),
        (HeaderValueMatch::Prefix(said), Values::Any) => text(regex(format!("{before}{}.*", quote(said)))),
        (HeaderValueMatch::Suffix(said), Values::Any) => text(regex(format!(".*{}{after}", quote(said)))),
        (HeaderValueMatch::Regex(said), Values::Any) => {
            text(regex(format!("{before}(?:{}){after}", ends::left_out(said))))
        }
        (HeaderValueMatch::Range(range), Values::Any) => {
            any_of(vec![header_between(&name, range.start, range.end), text(MatchPattern::Contains(",".to_owned()))])
        }
    }
}

fn exact_header(name: &str, value: &str) -> Condition {
    header(name, MatchPattern::Exact(value.to_owned()), false)
}

/// A text as a regular expression that matches nothing else.
fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

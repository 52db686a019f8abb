//! Which requests a route takes.

use envoy::config::core::v3::RuntimeFractionalPercent;
use envoy::config::route::v3::{
    CookieMatcher, HeaderMatcher, QueryParameterMatcher, RouteMatch,
    header_matcher::HeaderMatchSpecifier,
    query_parameter_matcher::QueryParameterMatchSpecifier,
    route_match::{GrpcRouteMatchOptions, PathSpecifier},
};
use envoy::r#type::matcher::v3::{RegexMatcher, StringMatcher, string_matcher::MatchPattern};
use spec::mesh::{CookieMatch, HeaderValueMatch, QueryMatch, QueryValueMatch, Scheme};
use spec::units::Percent;

use super::{header, header_is, regex, string};
use crate::two_pass::{Also, Compare, PathCondition, PathPlan};

/// What must hold besides the path.
#[derive(Default)]
pub(crate) struct Conditions {
    pub headers: Vec<HeaderMatcher>,
    pub query: Vec<QueryParameterMatcher>,
    pub cookies: Vec<CookieMatcher>,
    pub grpc: bool,
    /// Of the requests for which all of that holds, so many; for routes behind this one the same dice count.
    pub share: Option<Percent>,
}

pub(crate) fn route_match(path: &PathPlan, mut conditions: Conditions) -> RouteMatch {
    conditions.headers.extend(path.also.iter().map(also));
    let condition = &path.condition;
    RouteMatch {
        // Envoy reads the case of expressions in the expression.
        case_sensitive: (condition.ignore_case && condition.compare != Compare::Regex).then_some(false),
        path_specifier: Some(specifier(condition)),
        headers: conditions.headers,
        query_parameters: conditions.query,
        cookies: conditions.cookies,
        grpc: conditions.grpc.then(GrpcRouteMatchOptions::default),
        runtime_fraction: conditions.share.map(|share| RuntimeFractionalPercent {
            default_value: Some(super::fraction(share)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// One of these; `None` without any.
pub(crate) fn method_is_one_of(methods: &[&str]) -> Option<HeaderMatcher> {
    match methods {
        [] => None,
        [method] => Some(header_is(":method", method)),
        _ => {
            let any = regex(&methods.join("|"), false);
            Some(header(":method", HeaderMatchSpecifier::StringMatch(string(any))))
        }
    }
}

pub(crate) fn scheme_is(scheme: Scheme) -> HeaderMatcher {
    header_is(":scheme", scheme.as_str())
}

/// The caller named this port.
pub(crate) fn port_is(port: u16) -> HeaderMatcher {
    let suffix = MatchPattern::Suffix(format!(":{port}"));
    header(":authority", HeaderMatchSpecifier::StringMatch(string(suffix)))
}

/// The caller named this port, or none.
pub(crate) fn port_is_or_none(port: u16) -> HeaderMatcher {
    let pattern = regex(&format!("[^:]*(?::{port})?"), false);
    header(":authority", HeaderMatchSpecifier::StringMatch(string(pattern)))
}

pub(crate) fn query_matcher(condition: &QueryMatch) -> QueryParameterMatcher {
    let ignore_case = condition.ignore_case.as_ref().is_some_and(|said| said.value);
    let text = |pattern| QueryParameterMatchSpecifier::StringMatch(StringMatcher { ignore_case, ..string(pattern) });
    let specifier = match &condition.value.value {
        QueryValueMatch::Exact(said) => text(MatchPattern::Exact(said.clone())),
        QueryValueMatch::Prefix(said) => text(MatchPattern::Prefix(said.clone())),
        QueryValueMatch::Suffix(said) => text(MatchPattern::Suffix(said.clone())),
        QueryValueMatch::Contains(said) => text(MatchPattern::Contains(said.clone())),
        QueryValueMatch::Regex(said) => QueryParameterMatchSpecifier::StringMatch(string(regex(said, ignore_case))),
        QueryValueMatch::Present => QueryParameterMatchSpecifier::PresentMatch(true),
    };
    QueryParameterMatcher { name: condition.name.value.clone(), query_parameter_match_specifier: Some(specifier) }
}

/// What it cannot say, presence and ranges, is not asked of it.
pub(crate) fn cookie_matcher(condition: &CookieMatch) -> CookieMatcher {
    let ignore_case = condition.ignore_case.as_ref().is_some_and(|said| said.value);
    let pattern = match &condition.value.value {
        HeaderValueMatch::Exact(said) => MatchPattern::Exact(said.clone()),
        HeaderValueMatch::Prefix(said) => MatchPattern::Prefix(said.clone()),
        HeaderValueMatch::Suffix(said) => MatchPattern::Suffix(said.clone()),
        HeaderValueMatch::Contains(said) => MatchPattern::Contains(said.clone()),
        HeaderValueMatch::Regex(said) => regex(said, ignore_case),
        HeaderValueMatch::Range(_) | HeaderValueMatch::Present => regex(".*", false),
    };
    // Envoy reads the case of expressions in the expression.
    let ignore_case = ignore_case && !matches!(pattern, MatchPattern::SafeRegex(_));
    CookieMatcher {
        name: condition.name.value.clone(),
        string_match: Some(StringMatcher { ignore_case, ..string(pattern) }),
        invert_match: condition.inverted(),
    }
}

fn specifier(condition: &PathCondition) -> PathSpecifier {
    let PathCondition { compare, text, ignore_case } = condition;
    match compare {
        Compare::Prefix => PathSpecifier::Prefix(text.clone()),
        Compare::Exact => PathSpecifier::Path(text.clone()),
        Compare::Regex => {
            let flag = if *ignore_case { "(?i)" } else { "" };
            PathSpecifier::SafeRegex(RegexMatcher { regex: format!("{flag}{text}"), ..Default::default() })
        }
    }
}

fn also(also: &Also) -> HeaderMatcher {
    let text = match also {
        Also::Prefix { text, ignore_case } => {
            StringMatcher { ignore_case: *ignore_case, ..string(MatchPattern::Prefix(text.clone())) }
        }
        Also::Regex(pattern) => string(regex(pattern, false)),
    };
    header(":path", HeaderMatchSpecifier::StringMatch(text))
}

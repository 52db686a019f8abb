//! Envoy's access rules (`envoy.config.rbac.v3`): conditions on a request and who sent it, and who passes.
//!
//! Every condition is a `Principal`, whatever it is about: of Envoy's two kinds of condition only this one knows of
//! certificates, and it knows of paths and headers, too.

use std::collections::BTreeMap;

use envoy::config::core::v3::CidrRange;
use envoy::config::rbac::v3::{
    Permission, Policy, Principal, Rbac, permission, principal::Authenticated, principal::Identifier, principal::Set,
    rbac::Action,
};
use envoy::config::route::v3::{HeaderMatcher, header_matcher::HeaderMatchSpecifier};
use envoy::r#type::matcher::v3::{
    ListMatcher, MetadataMatcher, PathMatcher, RegexMatcher, StringMatcher, ValueMatcher, list_matcher,
    metadata_matcher::PathSegment, metadata_matcher::path_segment, path_matcher, string_matcher::MatchPattern,
    value_matcher,
};
use envoy::r#type::v3::Int64Range;
use spec::mesh::Cidr;

/// Key below the token filter's metadata where the claims of a good token stand.
pub(crate) const CLAIMS: &str = "claims";

/// What must hold of a request.
pub(crate) type Condition = Principal;

/// Those pass of whom one of the policies is true.
pub(crate) fn allow(policies: BTreeMap<String, Condition>) -> Rbac {
    let any = Permission { rule: Some(permission::Rule::Any(true)) };
    let policy =
        |principal| Policy { permissions: vec![any.clone()], principals: vec![principal], ..Default::default() };
    Rbac {
        action: Action::Allow.into(),
        policies: policies.into_iter().map(|(name, condition)| (name, policy(condition))).collect(),
        ..Default::default()
    }
}

/// Of nothing: everybody.
pub(crate) fn all_of(mut conditions: Vec<Condition>) -> Condition {
    match (conditions.len(), conditions.pop()) {
        (_, None) => condition(Identifier::Any(true)),
        (1, Some(only)) => only,
        (_, Some(last)) => {
            conditions.push(last);
            condition(Identifier::AndIds(Set { ids: conditions }))
        }
    }
}

/// Never empty.
pub(crate) fn any_of(mut conditions: Vec<Condition>) -> Condition {
    match (conditions.len(), conditions.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            conditions.extend(last);
            condition(Identifier::OrIds(Set { ids: conditions }))
        }
    }
}

pub(crate) fn not(inner: Condition) -> Condition {
    condition(Identifier::NotId(Box::new(inner)))
}

/// The caller's certificate has this URI.
pub(crate) fn identity(uri: &str) -> Condition {
    let name = Some(string(MatchPattern::Exact(uri.to_owned()), false));
    condition(Identifier::Authenticated(Authenticated { principal_name: name }))
}

/// The connection comes from this network, whatever headers say.
pub(crate) fn network(cidr: Cidr) -> Condition {
    condition(Identifier::DirectRemoteIp(range(cidr)))
}

/// Where our own filters say that the client is: the connection comes from this network, or, at a gateway, its trusted hops
/// say so.
pub(crate) fn client_network(cidr: Cidr) -> Condition {
    condition(Identifier::RemoteIp(range(cidr)))
}

fn range(cidr: Cidr) -> CidrRange {
    CidrRange { address_prefix: cidr.address.to_string(), prefix_len: Some(u32::from(cidr.prefix)) }
}

/// A claim of a good token is this text or truth, or a list that holds it.
pub(crate) fn claim(name: &str, value: &str) -> Condition {
    let exact = string(MatchPattern::Exact(value.to_owned()), false);
    let text = value_is(value_matcher::MatchPattern::StringMatch(exact));
    let listed = list_matcher::MatchPattern::OneOf(Box::new(text.clone()));
    let listed = Box::new(ListMatcher { match_pattern: Some(listed) });
    let truth = value.parse().ok().map(|truth| value_is(value_matcher::MatchPattern::BoolMatch(truth)));
    let ways = [text, value_is(value_matcher::MatchPattern::ListMatch(listed))].into_iter().chain(truth);
    any_of(ways.map(|way| of_claim(name, way)).collect())
}

/// The path, normalised and without its query.
pub(crate) fn path(pattern: MatchPattern, ignore_case: bool) -> Condition {
    let rule = path_matcher::Rule::Path(string(pattern, ignore_case));
    condition(Identifier::UrlPath(PathMatcher { rule: Some(rule) }))
}

/// A header, `:method` and others among them. Of a header that repeats, any value.
pub(crate) fn header(name: &str, pattern: MatchPattern, ignore_case: bool) -> Condition {
    of_header(name, HeaderMatchSpecifier::StringMatch(string(pattern, ignore_case)))
}

/// A header is a whole number from `start` to before `end`.
pub(crate) fn header_between(name: &str, start: i64, end: i64) -> Condition {
    of_header(name, HeaderMatchSpecifier::RangeMatch(Int64Range { start, end }))
}

pub(crate) fn header_is_there(name: &str) -> Condition {
    of_header(name, HeaderMatchSpecifier::PresentMatch(true))
}

/// RE2 takes the whole text.
pub(crate) fn regex(pattern: String) -> MatchPattern {
    MatchPattern::SafeRegex(RegexMatcher { regex: pattern, ..Default::default() })
}

/// The regular expressions of a condition.
pub(crate) fn patterns(condition: &Condition) -> Vec<String> {
    let of_text = |matcher: &StringMatcher| match &matcher.match_pattern {
        Some(MatchPattern::SafeRegex(matcher)) => vec![matcher.regex.clone()],
        _ => Vec::new(),
    };
    match &condition.identifier {
        Some(Identifier::AndIds(set) | Identifier::OrIds(set)) => set.ids.iter().flat_map(patterns).collect(),
        Some(Identifier::NotId(inner)) => patterns(inner),
        Some(Identifier::Header(HeaderMatcher {
            header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(matcher)),
            ..
        })) => of_text(matcher),
        Some(Identifier::UrlPath(PathMatcher { rule: Some(path_matcher::Rule::Path(matcher)) })) => of_text(matcher),
        _ => Vec::new(),
    }
}

fn of_header(name: &str, specifier: HeaderMatchSpecifier) -> Condition {
    let matcher =
        HeaderMatcher { name: name.to_owned(), header_match_specifier: Some(specifier), ..Default::default() };
    condition(Identifier::Header(matcher))
}

fn of_claim(name: &str, value: ValueMatcher) -> Condition {
    let segment = |key: &str| PathSegment { segment: Some(path_segment::Segment::Key(key.to_owned())) };
    condition(metadata(MetadataMatcher {
        filter: "envoy.filters.http.jwt_authn".to_owned(),
        path: vec![segment(CLAIMS), segment(name)],
        value: Some(value),
        ..Default::default()
    }))
}

fn metadata(matcher: MetadataMatcher) -> Identifier {
    Identifier::SourcedMetadata(envoy::config::rbac::v3::SourcedMetadata {
        metadata_matcher: Some(matcher),
        ..Default::default()
    })
}

fn value_is(pattern: value_matcher::MatchPattern) -> ValueMatcher {
    ValueMatcher { match_pattern: Some(pattern) }
}

/// RE2 has no switch beside the pattern for the case of letters.
fn string(pattern: MatchPattern, ignore_case: bool) -> StringMatcher {
    match pattern {
        MatchPattern::SafeRegex(matcher) if ignore_case => {
            StringMatcher { match_pattern: Some(regex(format!("(?i){}", matcher.regex))), ..Default::default() }
        }
        pattern => StringMatcher { match_pattern: Some(pattern), ignore_case },
    }
}

fn condition(identifier: Identifier) -> Condition {
    Principal { identifier: Some(identifier) }
}

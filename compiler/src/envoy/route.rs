//! Route tables: which authority, path and headers lead to which cluster.

pub(crate) mod action;
pub(crate) mod edits;
pub(crate) mod matches;
pub(crate) mod retry;

use std::time::Duration;

use envoy::config::core::v3::{
    HeaderValue, HeaderValueOption, RuntimeFractionalPercent, header_value_option::HeaderAppendAction,
};
use envoy::config::route::v3::{
    DirectResponseAction, HeaderMatcher, RetryPolicy, Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost,
    WeightedCluster,
    header_matcher::HeaderMatchSpecifier,
    route::Action,
    route_action,
    route_match::PathSpecifier,
    weighted_cluster::{ClusterWeight, cluster_weight},
};
use envoy::r#type::matcher::v3::{RegexMatcher, StringMatcher, string_matcher::MatchPattern};
use envoy::r#type::v3::{FractionalPercent, Int64Range, fractional_percent::DenominatorType};
use policy::{HEALTH_CHECK_HEADER, ROUTE_HEADER};
use spec::mesh::{HeaderMatch, HeaderValueMatch, PathMatch};
use spec::units::Percent;

use super::http_filter::FilterOverrides;
use super::{duration, names};
use edits::Edits;

/// Longest request body that is kept to be sent again; one that is longer gets a single try.
const RETRIED_BODY_BYTES: u64 = 1024 * 1024;

/// What a virtual host is made of: authorities and their routes, the first match winning.
pub(crate) struct Host {
    pub name: String,
    pub domains: Vec<String>,
    pub routes: Vec<Route>,
    /// What it says of filters.
    pub overrides: FilterOverrides,
    /// After those of its routes.
    pub request_headers: Edits,
    pub response_headers: Edits,
}

/// A route with all that the language says of one.
pub(crate) struct Entry {
    pub takes: RouteMatch,
    pub action: Action,
    pub overrides: FilterOverrides,
    pub request_headers: Edits,
    pub response_headers: Edits,
}

impl Host {
    /// Authorities and their routes, and nothing else.
    pub(crate) fn new(name: String, domains: Vec<String>, routes: Vec<Route>) -> Self {
        Self {
            name,
            domains,
            routes,
            overrides: FilterOverrides::new(),
            request_headers: Edits::default(),
            response_headers: Edits::default(),
        }
    }
}

/// Where matching requests go.
pub(crate) struct ToClusters {
    /// Never empty.
    pub clusters: Vec<ClusterShare>,
    /// `None`: no limit here, the caller's holds.
    pub timeout: Option<Duration>,
    pub retry: Option<RetryPolicy>,
}

/// A cluster, its weight, and the `Host` its sidecars expect when that is not the request's own.
pub(crate) struct ClusterShare {
    pub cluster: String,
    pub weight: u32,
    pub rewrite_host: Option<String>,
}

impl ClusterShare {
    /// Every request, as it is.
    pub(crate) fn new(cluster: &str) -> Self {
        Self { cluster: cluster.to_owned(), weight: 1, rewrite_host: None }
    }
}

/// The route, on which a stream may be silent for so long; `None`: as its listener says.
pub(crate) fn with_idle_timeout(mut route: Route, idle_timeout: Option<Duration>) -> Route {
    if let (Some(Action::Route(action)), Some(idle_timeout)) = (&mut route.action, idle_timeout) {
        action.idle_timeout = Some(duration(idle_timeout));
    }
    route
}

/// A route table. The mesh's own headers never leave this Envoy: what a client sends in them reaches nobody.
pub(crate) fn configuration(name: &str, mut hosts: Vec<Host>) -> RouteConfiguration {
    // Envoy finds a host by its name: the order of the source means nothing.
    hosts.sort_by(|one, other| one.name.cmp(&other.name));
    RouteConfiguration {
        name: name.to_owned(),
        virtual_hosts: hosts.into_iter().map(virtual_host).collect(),
        request_headers_to_remove: [ROUTE_HEADER, HEALTH_CHECK_HEADER].map(str::to_owned).into(),
        validate_clusters: Some(true),
        ..Default::default()
    }
}

fn virtual_host(host: Host) -> VirtualHost {
    VirtualHost {
        name: names::virtual_host(&host.name),
        domains: host.domains,
        routes: host.routes,
        typed_per_filter_config: host.overrides,
        request_headers_to_add: host.request_headers.add,
        request_headers_to_remove: host.request_headers.remove,
        response_headers_to_add: host.response_headers.add,
        response_headers_to_remove: host.response_headers.remove,
        ..Default::default()
    }
}

pub(crate) fn entry(entry: Entry) -> Route {
    let retries = matches!(&entry.action, Action::Route(action) if action.retry_policy.is_some());
    Route {
        r#match: Some(entry.takes),
        action: Some(entry.action),
        typed_per_filter_config: entry.overrides,
        request_headers_to_add: entry.request_headers.add,
        request_headers_to_remove: entry.request_headers.remove,
        response_headers_to_add: entry.response_headers.add,
        response_headers_to_remove: entry.response_headers.remove,
        // What is tried again must be kept: a connection's own limit may be smaller.
        request_body_buffer_limit: retries.then_some(RETRIED_BODY_BYTES),
        ..Default::default()
    }
}

pub(crate) fn route(path: &PathMatch, headers: Vec<HeaderMatcher>, action: ToClusters) -> Route {
    // What is tried again must be kept: a connection's own limit may be smaller.
    let body_kept = action.retry.as_ref().map(|_| RETRIED_BODY_BYTES);
    Route {
        r#match: Some(RouteMatch { path_specifier: Some(path_specifier(path)), headers, ..Default::default() }),
        request_body_buffer_limit: body_kept,
        action: Some(Action::Route(route_action(action))),
        ..Default::default()
    }
}

/// Takes no requests until an operator says otherwise at the administration of this Envoy: all of them, or a share.
pub(crate) fn only_when_faults_are_off(takes: RouteMatch) -> RouteMatch {
    let never = FractionalPercent { numerator: 0, denominator: DenominatorType::Hundred.into() };
    let fraction =
        RuntimeFractionalPercent { default_value: Some(never), runtime_key: names::FAULTS_OFF_RUNTIME_KEY.to_owned() };
    RouteMatch { runtime_fraction: Some(fraction), ..takes }
}

/// Answers 400 to a request with several `Host` headers: Envoy joins them with a comma, and a wildcard would match.
pub(crate) fn refuse_several_hosts() -> Route {
    let comma = string(MatchPattern::Contains(",".to_owned()));
    Route {
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            headers: vec![header(":authority", HeaderMatchSpecifier::StringMatch(comma))],
            ..Default::default()
        }),
        action: Some(Action::DirectResponse(DirectResponseAction { status: 400, ..Default::default() })),
        ..Default::default()
    }
}

/// Conditions of the mesh language.
pub(crate) fn header_matcher(condition: &HeaderMatch) -> HeaderMatcher {
    let ignore_case = condition.ignore_case.as_ref().is_some_and(|said| said.value);
    let text = |pattern| HeaderMatchSpecifier::StringMatch(StringMatcher { ignore_case, ..string(pattern) });
    let specifier = match &condition.value.value {
        HeaderValueMatch::Exact(said) => text(MatchPattern::Exact(said.clone())),
        HeaderValueMatch::Prefix(said) => text(MatchPattern::Prefix(said.clone())),
        HeaderValueMatch::Suffix(said) => text(MatchPattern::Suffix(said.clone())),
        HeaderValueMatch::Contains(said) => text(MatchPattern::Contains(said.clone())),
        HeaderValueMatch::Regex(said) => HeaderMatchSpecifier::StringMatch(string(regex(said, ignore_case))),
        HeaderValueMatch::Range(range) => {
            HeaderMatchSpecifier::RangeMatch(Int64Range { start: range.start, end: range.end })
        }
        HeaderValueMatch::Present => HeaderMatchSpecifier::PresentMatch(true),
    };
    HeaderMatcher { invert_match: condition.inverted(), ..header(&condition.name.value, specifier) }
}

/// The header is there once, with exactly this value.
pub(crate) fn header_is(name: &str, value: &str) -> HeaderMatcher {
    header(name, HeaderMatchSpecifier::StringMatch(string(MatchPattern::Exact(value.to_owned()))))
}

pub(crate) fn header_is_there(name: &str) -> HeaderMatcher {
    header(name, HeaderMatchSpecifier::PresentMatch(true))
}

/// A header to send, replacing any of the same name. The value is a literal: `%` would begin one of Envoy's operators.
pub(crate) fn header_value(name: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), value: value.replace('%', "%%"), ..Default::default() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..Default::default()
    }
}

pub(crate) fn path_is(path: &str) -> HeaderMatcher {
    header_is(":path", path)
}

pub(crate) fn method_is(method: &str) -> HeaderMatcher {
    header_is(":method", method)
}

/// The authority, in any case.
pub(crate) fn authority_is(host: &str) -> HeaderMatcher {
    let exact = StringMatcher { ignore_case: true, ..string(MatchPattern::Exact(host.to_owned())) };
    header(":authority", HeaderMatchSpecifier::StringMatch(exact))
}

fn fraction(percent: Percent) -> FractionalPercent {
    let (numerator, denominator) = match percent.per_million() {
        whole if whole.is_multiple_of(10_000) => (whole / 10_000, DenominatorType::Hundred),
        parts => (parts, DenominatorType::Million),
    };
    FractionalPercent { numerator, denominator: denominator.into() }
}

fn header(name: &str, specifier: HeaderMatchSpecifier) -> HeaderMatcher {
    HeaderMatcher { name: name.to_owned(), header_match_specifier: Some(specifier), ..Default::default() }
}

/// RE2 has no switch beside the pattern for the case of letters.
fn regex(pattern: &str, ignore_case: bool) -> MatchPattern {
    let regex = if ignore_case { format!("(?i){pattern}") } else { pattern.to_owned() };
    MatchPattern::SafeRegex(RegexMatcher { regex, ..Default::default() })
}

fn string(pattern: MatchPattern) -> StringMatcher {
    StringMatcher { match_pattern: Some(pattern), ..Default::default() }
}

fn path_specifier(path: &PathMatch) -> PathSpecifier {
    match path {
        PathMatch::Prefix(prefix) => PathSpecifier::Prefix(prefix.clone()),
        PathMatch::Exact(path) => PathSpecifier::Path(path.clone()),
        PathMatch::Regex(pattern) => {
            PathSpecifier::SafeRegex(RegexMatcher { regex: pattern.clone(), ..Default::default() })
        }
    }
}

fn route_action(mut action: ToClusters) -> RouteAction {
    let rewrites = action.clusters.iter().any(|share| share.rewrite_host.is_some());
    let (cluster, rewrite) = match (action.clusters.len(), action.clusters.pop()) {
        (1, Some(share)) => (route_action::ClusterSpecifier::Cluster(share.cluster), share.rewrite_host),
        (_, last) => {
            action.clusters.extend(last);
            (route_action::ClusterSpecifier::WeightedClusters(weighted(action.clusters)), None)
        }
    };
    RouteAction {
        append_x_forwarded_host: rewrites,
        timeout: Some(duration(action.timeout.unwrap_or_default())),
        retry_policy: action.retry,
        cluster_specifier: Some(cluster),
        host_rewrite_specifier: rewrite.map(route_action::HostRewriteSpecifier::HostRewriteLiteral),
        ..Default::default()
    }
}

fn weighted(shares: Vec<ClusterShare>) -> WeightedCluster {
    let cluster = |share: ClusterShare| ClusterWeight {
        name: share.cluster,
        weight: Some(share.weight),
        host_rewrite_specifier: share.rewrite_host.map(cluster_weight::HostRewriteSpecifier::HostRewriteLiteral),
        ..Default::default()
    };
    WeightedCluster { clusters: shares.into_iter().map(cluster).collect(), ..Default::default() }
}

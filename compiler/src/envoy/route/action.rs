//! What becomes of requests: where they go and how they are changed on the way, or what they are answered.

use std::time::Duration;

use envoy::config::core::v3::{DataSource, RuntimeFractionalPercent, data_source};
use envoy::config::route::v3::{
    DirectResponseAction, RedirectAction, RetryPolicy, RouteAction, WeightedCluster,
    redirect_action::{PathRewriteSpecifier, RedirectResponseCode, SchemeRewriteSpecifier},
    route::Action,
    route_action::{
        ClusterSpecifier, HashPolicy, HostRewriteSpecifier, RequestMirrorPolicy, UpgradeConfig,
        hash_policy::{ConnectionProperties, Cookie, Header, PolicySpecifier, QueryParameter},
    },
    weighted_cluster::{ClusterWeight, cluster_weight},
};
use envoy::r#type::matcher::v3::{RegexMatchAndSubstitute, RegexMatcher};
use spec::mesh::{HashKey, HashOn, Redirect, Respond};
use spec::units::Percent;

use super::edits::Edits;
use super::edits::format_added;
use super::fraction;
use crate::envoy::duration;
use crate::two_pass::PathChange;

/// Where requests go.
pub(crate) struct Forward {
    /// Never empty.
    pub shares: Vec<Share>,
    /// The header whose value becomes the `Host`.
    pub host_from_header: Option<String>,
    pub path: Option<PathChange>,
    /// Zero: no limit.
    pub timeout: Duration,
    /// `None`: Envoy's five minutes. Zero: no limit.
    pub idle_timeout: Option<Duration>,
    pub websocket: bool,
    pub retry: Option<RetryPolicy>,
    pub mirrors: Vec<Copies>,
    pub hash: Vec<HashPolicy>,
}

/// A cluster's share of requests.
pub(crate) struct Share {
    pub cluster: String,
    pub weight: u32,
    /// What `Host` becomes.
    pub host: Option<String>,
    pub request_headers: Edits,
    pub response_headers: Edits,
}

/// Copies of requests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Copies {
    pub cluster: String,
    /// The `Host` that the sidecars there know.
    pub host: String,
    pub percent: Percent,
}

/// What a share changes is left to the caller when there is one share alone.
pub(crate) fn forward(mut to: Forward) -> Action {
    let mut host = to.host_from_header.take().map(HostRewriteSpecifier::HostRewriteHeader);
    let specifier = match to.shares.as_mut_slice() {
        [only] => {
            host = host.or(only.host.take().map(HostRewriteSpecifier::HostRewriteLiteral));
            ClusterSpecifier::Cluster(std::mem::take(&mut only.cluster))
        }
        _ => ClusterSpecifier::WeightedClusters(WeightedCluster {
            clusters: to.shares.into_iter().map(weight).collect(),
            ..Default::default()
        }),
    };
    let no_websocket =
        UpgradeConfig { upgrade_type: "websocket".to_owned(), enabled: Some(false), ..Default::default() };
    let mut action = RouteAction {
        append_x_forwarded_host: host.is_some(),
        timeout: Some(duration(to.timeout)),
        idle_timeout: to.idle_timeout.map(duration),
        upgrade_configs: if to.websocket { Vec::new() } else { vec![no_websocket] },
        retry_policy: to.retry,
        request_mirror_policies: to.mirrors.into_iter().map(mirror).collect(),
        hash_policy: to.hash,
        cluster_specifier: Some(specifier),
        host_rewrite_specifier: host,
        ..Default::default()
    };
    match to.path {
        None => {}
        Some(PathChange::Prefix(new)) => action.prefix_rewrite = new,
        // `path_rewrite` would say it, too, but Envoy 1.36 does not know it. A backslash would name a group.
        Some(PathChange::Full(new)) => action.regex_rewrite = Some(regex("^.*$".to_owned(), new.replace('\\', r"\\"))),
        Some(PathChange::Regex { pattern, substitution }) => action.regex_rewrite = Some(regex(pattern, substitution)),
    }
    Action::Route(action)
}

fn regex(pattern: String, substitution: String) -> RegexMatchAndSubstitute {
    RegexMatchAndSubstitute { pattern: Some(RegexMatcher { regex: pattern, ..Default::default() }), substitution }
}

/// `path` stands for what `redirect` says of it.
pub(crate) fn redirect(redirect: &Redirect, path: Option<PathChange>) -> Action {
    let code = match redirect.status.as_ref().map(|status| status.value) {
        Some(302) => RedirectResponseCode::Found,
        Some(303) => RedirectResponseCode::SeeOther,
        Some(307) => RedirectResponseCode::TemporaryRedirect,
        Some(308) => RedirectResponseCode::PermanentRedirect,
        _ => RedirectResponseCode::MovedPermanently,
    };
    let scheme = redirect.scheme.as_ref().map(|scheme| scheme.value.as_str().to_owned());
    Action::Redirect(RedirectAction {
        host_redirect: redirect.host.as_ref().map(|host| host.value.clone()).unwrap_or_default(),
        port_redirect: redirect.port.as_ref().map(|port| u32::from(port.value)).unwrap_or_default(),
        response_code: code.into(),
        strip_query: redirect.strip_query.as_ref().is_some_and(|strip| strip.value),
        scheme_rewrite_specifier: scheme.map(SchemeRewriteSpecifier::SchemeRedirect),
        path_rewrite_specifier: path.and_then(|path| match path {
            PathChange::Prefix(new) => Some(PathRewriteSpecifier::PrefixRewrite(new)),
            PathChange::Full(new) => Some(PathRewriteSpecifier::PathRedirect(new)),
            PathChange::Regex { .. } => None,
        }),
    })
}

pub(crate) fn respond(respond: &Respond) -> Action {
    Action::DirectResponse(DirectResponseAction {
        status: u32::from(respond.status.value),
        body: respond.body.as_ref().map(|body| DataSource {
            specifier: Some(data_source::Specifier::InlineString(body.value.clone())),
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// A part of what a hash is taken of.
pub(crate) fn hash_policy(hash: &HashOn) -> HashPolicy {
    let specifier = match &hash.key.value {
        HashKey::Header(name) => PolicySpecifier::Header(Header { header_name: name.clone(), ..Default::default() }),
        HashKey::Cookie(name) => PolicySpecifier::Cookie(Cookie {
            name: name.clone(),
            ttl: hash.cookie_ttl.as_ref().map(|ttl| duration(ttl.value)),
            // A cookie that comes without a path holds for the folder of the page alone.
            path: if hash.cookie_ttl.is_some() { "/".to_owned() } else { String::new() },
            ..Default::default()
        }),
        HashKey::Query(name) => PolicySpecifier::QueryParameter(QueryParameter { name: name.clone() }),
        HashKey::SourceAddress => PolicySpecifier::ConnectionProperties(ConnectionProperties { source_ip: true }),
    };
    HashPolicy { terminal: hash.terminal.as_ref().is_some_and(|said| said.value), policy_specifier: Some(specifier) }
}

fn weight(share: Share) -> ClusterWeight {
    // Envoy keeps the first host by itself only where the whole route has one new host.
    let first_host = share.host.as_ref().map(|_| format_added("x-forwarded-host", "%REQ(:AUTHORITY)%"));
    ClusterWeight {
        name: share.cluster,
        weight: Some(share.weight),
        request_headers_to_add: first_host.into_iter().chain(share.request_headers.add).collect(),
        request_headers_to_remove: share.request_headers.remove,
        response_headers_to_add: share.response_headers.add,
        response_headers_to_remove: share.response_headers.remove,
        host_rewrite_specifier: share.host.map(cluster_weight::HostRewriteSpecifier::HostRewriteLiteral),
        ..Default::default()
    }
}

fn mirror(copies: Copies) -> RequestMirrorPolicy {
    RequestMirrorPolicy {
        cluster: copies.cluster,
        runtime_fraction: Some(RuntimeFractionalPercent {
            default_value: Some(fraction(copies.percent)),
            ..Default::default()
        }),
        disable_shadow_host_suffix_append: true,
        host_rewrite_literal: copies.host,
        ..Default::default()
    }
}

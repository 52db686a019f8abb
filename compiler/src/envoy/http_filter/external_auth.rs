//! `envoy.filters.http.ext_authz`: another server's word.

use std::time::Duration;

use envoy::config::core::v3::{ApiVersion, HttpUri, http_uri::HttpUpstreamType};
use envoy::extensions::filters::http::ext_authz::v3::{
    AuthorizationRequest, AuthorizationResponse, BufferSettings, ExtAuthz, HttpService, ext_authz::Services,
};
use envoy::r#type::matcher::v3::{
    ListStringMatcher, MetadataMatcher, StringMatcher, ValueMatcher,
    metadata_matcher::{PathSegment, path_segment},
    string_matcher::MatchPattern,
    value_matcher,
};

use super::{HttpFilter, Rank, typed};
use crate::envoy::{duration, names, tls};

/// Who is asked, and what.
pub(crate) struct Question {
    pub cluster: String,
    /// The `Host` that the server knows itself by.
    pub authority: String,
    pub grpc: bool,
    pub path_prefix: String,
    pub timeout: Duration,
    pub pass_without_answer: bool,
    pub send_headers: Vec<String>,
    pub accept_headers: Vec<String>,
    /// Zero: none of the body.
    pub max_body_bytes: u32,
    /// Asked only of requests of which this was [`noted`](super::rbac::noted).
    pub noted: Option<String>,
}

/// Answers what the server says when that is no consent.
pub(crate) fn external_auth(owner: &str, question: Question) -> HttpFilter {
    let services = if question.grpc { grpc(&question) } else { http(&question) };
    let body = (question.max_body_bytes > 0).then(|| BufferSettings {
        max_request_bytes: question.max_body_bytes,
        allow_partial_message: true,
        ..Default::default()
    });
    let config = ExtAuthz {
        transport_api_version: ApiVersion::V3.into(),
        failure_mode_allow: question.pass_without_answer,
        with_request_body: body,
        // What an answer says may decide where the request goes.
        clear_route_cache: false,
        filter_enabled_metadata: question.noted.as_deref().map(was_noted),
        // `:method`, `:path`, `host` and `authorization` go along whatever is said.
        allowed_headers: (!question.grpc).then(|| list(&question.send_headers)).filter(|it| !it.patterns.is_empty()),
        services: Some(services),
        ..Default::default()
    };
    typed(Rank::ExternalAuth, names::filter("ext_authz", owner), &config)
}

fn http(question: &Question) -> Services {
    let accepted = list(&question.accept_headers);
    Services::HttpService(HttpService {
        server_uri: Some(HttpUri {
            uri: format!("http://{}", question.authority),
            timeout: Some(duration(question.timeout)),
            http_upstream_type: Some(HttpUpstreamType::Cluster(question.cluster.clone())),
        }),
        path_prefix: question.path_prefix.clone(),
        authorization_request: Some(AuthorizationRequest::default()),
        authorization_response: (!accepted.patterns.is_empty())
            .then(|| AuthorizationResponse { allowed_upstream_headers: Some(accepted), ..Default::default() }),
        ..Default::default()
    })
}

fn grpc(question: &Question) -> Services {
    let mut service = tls::grpc(&question.cluster, &question.authority);
    service.timeout = Some(duration(question.timeout));
    Services::GrpcService(service)
}

/// The shadow rules of an instance of the RBAC filter would have let it pass.
fn was_noted(note: &str) -> MetadataMatcher {
    let key = format!("{note}shadow_engine_result");
    let exact = MatchPattern::Exact("allowed".to_owned());
    let value =
        value_matcher::MatchPattern::StringMatch(StringMatcher { match_pattern: Some(exact), ..Default::default() });
    MetadataMatcher {
        filter: "envoy.filters.http.rbac".to_owned(),
        path: vec![PathSegment { segment: Some(path_segment::Segment::Key(key)) }],
        value: Some(ValueMatcher { match_pattern: Some(value) }),
        ..Default::default()
    }
}

fn list(names: &[String]) -> ListStringMatcher {
    let exact = |name: &String| StringMatcher {
        match_pattern: Some(MatchPattern::Exact(name.to_ascii_lowercase())),
        ..Default::default()
    };
    ListStringMatcher { patterns: names.iter().map(exact).collect() }
}

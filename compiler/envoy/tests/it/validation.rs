//! What the offline rules refuse, real Envoy refuses too; what they accept, it accepts.

use expect_test::{Expect, expect};
use meshwright_envoy as envoy;

use crate::reading::{bootstrap, indented};
use crate::real_envoy;

/// What breaks a rule, without `place`, the path that all findings of a case share.
#[track_caller]
fn refused(place: &str, yaml: &str, violations: Expect) {
    let bootstrap = bootstrap(yaml);
    let found = envoy::validate(&bootstrap);
    let lines: Vec<_> = found.iter().map(|violation| violation.to_string().replacen(place, "", 1)).collect();
    violations.assert_eq(&lines.join("\n"));
    assert!(!found.is_empty(), "nothing was found in\n{yaml}");
    let answer = real_envoy::judges("envoy.yaml", &envoy::to_yaml(&bootstrap));
    let message = answer.expect_err("real Envoy accepts it");
    assert!(real_envoy::names_a_rule(&message), "refused for another reason: {message}");
}

#[track_caller]
fn accepted(yaml: &str) {
    let bootstrap = bootstrap(yaml);
    let found: Vec<String> = envoy::validate(&bootstrap).iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new(), "in\n{yaml}");
    for (name, text) in [("envoy.yaml", envoy::to_yaml(&bootstrap)), ("envoy.json", envoy::to_json(&bootstrap))] {
        real_envoy::judges(name, &text).unwrap_or_else(|error| panic!("{name} is refused: {error}\n{text}"));
    }
}

#[track_caller]
fn refused_cluster(cluster: &str, violations: Expect) {
    refused("static_resources.clusters[0].", &with_cluster(cluster), violations);
}

#[track_caller]
fn refused_filter(filter: &str, violations: Expect) {
    let place = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.";
    refused(place, &with_filter(filter), violations);
}

#[track_caller]
fn refused_host(host: &str, violations: Expect) {
    let place = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].";
    refused(place, &with_host(host), violations);
}

#[track_caller]
fn refused_route(route: &str, violations: Expect) {
    let place = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].";
    refused(place, &with_route(route), violations);
}

fn with_cluster(cluster: &str) -> String {
    format!("static_resources:\n  clusters:\n    - {}\n", indented(cluster, 6))
}

fn with_manager(manager: &str) -> String {
    format!(
        r#"
static_resources:
  clusters: [{{ name: beta, type: STATIC }}]
  listeners:
    - name: inbound
      address: {{ socket_address: {{ address: 127.0.0.1, port_value: 0 }} }}
      filter_chains:
        - filters:
            - name: http
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                {}
"#,
        indented(manager, 16)
    )
}

fn with_filter(filter: &str) -> String {
    with_manager(&format!(
        r#"stat_prefix: inbound
route_config: {{ virtual_hosts: [{{ name: all, domains: ["*"], routes: [{{ match: {{ prefix: / }}, route: {{ cluster: beta }} }}] }}] }}
http_filters:
  - name: tested
    typed_config:
      {}
  - name: router
    typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
"#,
        indented(filter, 6)
    ))
}

fn with_host(host: &str) -> String {
    with_manager(&format!(
        r#"stat_prefix: inbound
route_config:
  virtual_hosts:
    - {}
http_filters:
  - name: router
    typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
"#,
        indented(host, 6)
    ))
}

fn with_route(route: &str) -> String {
    with_host(&format!("name: all\ndomains: [\"*\"]\nroutes:\n  - {}", indented(route, 4)))
}

#[test]
fn a_cluster_has_a_name_and_a_positive_timeout() {
    refused_cluster("name: \"\"", expect!["name: must have at least 1 character, has 0 (string.min_len)"]);
    refused_cluster(
        "{ name: beta, connect_timeout: 0s }",
        expect!["connect_timeout: must be greater than 0s, is 0s (duration.gt)"],
    );
    accepted(&with_cluster("{ name: beta, connect_timeout: 0.000000001s }"));
}

#[test]
fn enums_have_only_the_values_that_envoy_knows() {
    refused_cluster(
        "{ name: beta, lb_policy: 77 }",
        expect!["lb_policy: must be a value of `LbPolicy` (enum.defined_only)"],
    );
    let check = "health_checks: [{ timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: { path: /, method: CONNECT } }]";
    refused_cluster(
        &format!("name: beta\n{check}"),
        expect!["health_checks[0].http_health_check.method: must be none of `CONNECT` (enum.not_in)"],
    );
    accepted(&with_cluster(&format!("name: beta\n{}", check.replace("CONNECT", "HEAD"))));
}

#[test]
fn health_checks_say_how_and_when() {
    refused_cluster(
        "{ name: beta, health_checks: [{ timeout: 0s }] }",
        expect![[r#"
        health_checks[0].timeout: must be greater than 0s, is 0s (duration.gt)
        health_checks[0].interval: must be set (required)
        health_checks[0].unhealthy_threshold: must be set (required)
        health_checks[0].healthy_threshold: must be set (required)
        health_checks[0].health_checker: one of `http_health_check`, `tcp_health_check`, `grpc_health_check`, `custom_health_check` must be set (oneof.required)"#]],
    );
    let statuses = "health_checks: [{ timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}, no_traffic_interval: 0s }]";
    refused_cluster(
        &format!("name: beta\n{statuses}"),
        expect!["health_checks[0].no_traffic_interval: must be greater than 0s, is 0s (duration.gt)"],
    );
}

#[test]
fn numbers_stay_within_their_limits() {
    let endpoint = |address: &str| {
        format!(
            "name: beta\nload_assignment: {{ cluster_name: beta, endpoints: [{{ lb_endpoints: [{{ endpoint: {{ address: {{ {address} }} }} }}] }}] }}"
        )
    };
    refused_cluster(
        &endpoint("socket_address: { address: 127.0.0.1, port_value: 65536 }"),
        expect![
            "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value: must be at most 65535, is 65536 (uint32.lte)"
        ],
    );
    accepted(&with_cluster(&endpoint("socket_address: { address: 127.0.0.1, port_value: 65535 }")));
    refused_cluster(
        &endpoint("pipe: { path: /tmp/a, mode: 512 }"),
        expect![
            "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.pipe.mode: must be at most 511, is 512 (uint32.lte)"
        ],
    );
    refused_cluster(
        "{ name: beta, common_lb_config: { healthy_panic_threshold: { value: 100.5 } } }",
        expect!["common_lb_config.healthy_panic_threshold.value: must be at most 100, is 100.5 (double.lte)"],
    );
    refused_cluster(
        "{ name: beta, outlier_detection: { max_ejection_percent: 101, interval: 0s } }",
        expect![[r#"
        outlier_detection.interval: must be greater than 0s, is 0s (duration.gt)
        outlier_detection.max_ejection_percent: must be at most 100, is 101 (uint32.lte)"#]],
    );
    accepted(&with_cluster("{ name: beta, outlier_detection: { max_ejection_percent: 100, interval: 1s } }"));
    refused_cluster(
        "{ name: beta, ring_hash_lb_config: { minimum_ring_size: 8388609 } }",
        expect!["ring_hash_lb_config.minimum_ring_size: must be at most 8388608, is 8388609 (uint64.lte)"],
    );
}

#[test]
fn messages_that_must_be_there() {
    refused_cluster(
        "{ name: beta, load_assignment: { endpoints: [{}] } }",
        expect!["load_assignment.cluster_name: must have at least 1 character, has 0 (string.min_len)"],
    );
    refused_cluster(
        "{ name: beta, upstream_config: { name: x } }",
        expect!["upstream_config.typed_config: must be set (required)"],
    );
    refused_cluster(
        "{ name: beta, metadata: { filter_metadata: { \"\": {} } } }",
        expect![[r#"metadata.filter_metadata[""]: must have at least 1 character, has 0 (string.min_len)"#]],
    );
}

#[test]
fn a_route_says_what_it_matches_and_does() {
    refused_route(
        "{}",
        expect![[r#"
        match: must be set (required)
        action: one of `route`, `redirect`, `direct_response`, `filter_action`, `non_forwarding_action` must be set (oneof.required)"#]],
    );
    refused_route(
        "{ match: {}, route: {} }",
        expect![[r#"
        match.path_specifier: one of `prefix`, `path`, `safe_regex`, `connect_matcher`, `path_separated_prefix`, `path_match_policy` must be set (oneof.required)
        route.cluster_specifier: one of `cluster`, `cluster_header`, `weighted_clusters`, `cluster_specifier_plugin`, `inline_cluster_specifier_plugin` must be set (oneof.required)"#]],
    );
    refused_route(
        "{ match: { path_separated_prefix: /api/ }, route: { cluster: beta } }",
        expect!["match.path_separated_prefix: must match `^[^?#]+[^?#/]$` (string.pattern)"],
    );
    accepted(&with_route("{ match: { path_separated_prefix: /api }, route: { cluster: beta } }"));
    refused_route(
        "{ match: { prefix: / }, direct_response: { status: 99 } }",
        expect!["direct_response.status: must be at least 200, is 99 (uint32.gte)"],
    );
    refused_route(
        "{ match: { prefix: /, headers: [{ present_match: true }] }, route: { cluster: \"\" } }",
        expect![[r#"
        match.headers[0].name: must have at least 1 character, has 0 (string.min_len)
        route.cluster: must have at least 1 character, has 0 (string.min_len)"#]],
    );
    accepted(&with_route("{ match: { prefix: \"\" }, direct_response: { status: 200 } }"));
}

#[test]
fn header_names_and_values_are_those_of_http() {
    let adding = |name: &str, value: &str| {
        format!(
            "{{ match: {{ prefix: / }}, route: {{ cluster: beta }}, request_headers_to_add: [{{ header: {{ key: {name}, value: {value} }} }}] }}"
        )
    };
    accepted(&with_route(&adding("x-one", "\"a\\tb\"")));
    refused_route(
        &adding("\"x one\\n\"", "a"),
        expect![[r#"request_headers_to_add[0].header.key: must match `^[^\x00\x0A\x0D]*$` (string.well_known_regex)"#]],
    );
    refused_route(
        &adding("x-one", "\"a\\0b\""),
        expect![[
            r#"request_headers_to_add[0].header.value: must match `^[^\x00\x0A\x0D]*$` (string.well_known_regex)"#
        ]],
    );
    refused_host(
        "{ name: all, domains: [\"*\"], request_headers_to_remove: [\"\", \"a\\rb\"] }",
        expect![[r#"
        request_headers_to_remove[0]: must have at least 1 character, has 0 (string.min_len)
        request_headers_to_remove[1]: must match `^[^\x00\x0A\x0D]*$` (string.well_known_regex)"#]],
    );
}

#[test]
fn lists_have_enough_and_not_too_many_items() {
    refused_host(
        "{ name: \"\", domains: [] }",
        expect![[r#"
        name: must have at least 1 character, has 0 (string.min_len)
        domains: must have at least 1 item, has 0 (repeated.min_items)"#]],
    );
    refused_host(
        "{ name: all, domains: [\"a\\0\"] }",
        expect![[r#"domains[0]: must match `^[^\x00\x0A\x0D]*$` (string.well_known_regex)"#]],
    );
    let twice = "{ match: { prefix: / }, route: { cluster: beta, internal_redirect_policy: { response_headers_to_copy: [a, a] } } }";
    refused_route(
        twice,
        expect![
            "route.internal_redirect_policy.response_headers_to_copy: must not have the same item twice (repeated.unique)"
        ],
    );
    accepted(&with_route(&twice.replace("a, a", "a, b")));
    refused(
        "",
        "stats_config: { histogram_bucket_settings: [{ match: { prefix: a }, buckets: [0] }] }",
        expect!["stats_config.histogram_bucket_settings[0].buckets[0]: must be greater than 0, is 0 (double.gt)"],
    );
}

#[test]
fn retries_and_shadows() {
    let retry =
        |policy: &str| format!("{{ match: {{ prefix: / }}, route: {{ cluster: beta, retry_policy: {policy} }} }}");
    refused_route(
        &retry("{ retry_back_off: {} }"),
        expect!["route.retry_policy.retry_back_off.base_interval: must be set (required)"],
    );
    refused_route(
        &retry("{ retry_back_off: { base_interval: 0.0001s, max_interval: 0s } }"),
        expect!["route.retry_policy.retry_back_off.max_interval: must be greater than 0s, is 0s (duration.gt)"],
    );
    accepted(&with_route(&retry("{ retry_on: 5xx, num_retries: 0, retry_back_off: { base_interval: 0.001s } }")));
    let limit = |format: &str| {
        format!(
            "{{ match: {{ prefix: / }}, route: {{ cluster: beta, rate_limits: [{{ actions: [{{ remote_address: {{}} }}], hits_addend: {{ format: \"{format}\" }} }}] }} }}"
        )
    };
    refused_route(
        &limit("bytes"),
        expect![[r#"
        route.rate_limits[0].hits_addend.format: must start with `%` (string.prefix)
        route.rate_limits[0].hits_addend.format: must end with `%` (string.suffix)"#]],
    );
    accepted(&with_route(&limit("")));
}

#[test]
fn rules_hold_inside_extensions() {
    refused_filter(
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault\nabort: { http_status: 199, percentage: { numerator: 100 } }",
        expect!["abort.http_status: must be at least 200, is 199 (uint32.gte)"],
    );
    refused_filter(
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit\ntoken_bucket: { max_tokens: 0 }",
        expect![[r#"
        stat_prefix: must have at least 1 character, has 0 (string.min_len)
        token_bucket.fill_interval: must be set (required)"#]],
    );
    accepted(&with_filter(
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit\nstat_prefix: limit\ntoken_bucket: { max_tokens: 1, fill_interval: 1s }",
    ));
    refused_filter(
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC\nrules: { policies: { all: { permissions: [{ any: false }], principals: [] } } }",
        expect![[r#"
        rules.policies["all"].principals: must have at least 1 item, has 0 (repeated.min_items)
        rules.policies["all"].permissions[0].any: must be `true` (bool.const)"#]],
    );
    refused_filter(
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck",
        expect!["pass_through_mode: must be set (required)"],
    );
    accepted(&with_filter(
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck\npass_through_mode: false",
    ));
}

#[test]
fn a_connection_manager_has_a_prefix_and_routes() {
    let place = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.";
    refused(
        place,
        &with_manager("{}").replace("                {}\n", ""),
        expect![[r#"
        stat_prefix: must have at least 1 character, has 0 (string.min_len)
        route_specifier: one of `rds`, `route_config`, `scoped_routes` must be set (oneof.required)"#]],
    );
    refused(
        place,
        &with_manager(
            "stat_prefix: a\nroute_config: {}\nhttp2_protocol_options: { max_concurrent_streams: 0 }\nscheme_header_transformation: { scheme_to_overwrite: ftp }",
        ),
        expect![[r#"
            http2_protocol_options.max_concurrent_streams: must be at least 1, is 0 (uint32.gte)
            scheme_header_transformation.scheme_to_overwrite: must be one of `http`, `https` (string.in)"#]],
    );
    accepted(&with_manager(
        "stat_prefix: a\nroute_config: {}\nhttp2_protocol_options: { max_concurrent_streams: 1 }\nhttp_filters: [{ name: router, typed_config: { \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }]",
    ));
}

//! Deprecated fields and values are named with their paths.

use expect_test::{Expect, expect};
use meshwright_envoy as envoy;

use crate::reading::bootstrap;
use crate::real_envoy;

#[track_caller]
fn check(yaml: &str, paths: Expect) {
    paths.assert_eq(&envoy::deprecated(&bootstrap(yaml)).join("\n"));
}

#[test]
fn nothing_is_deprecated_in_a_modern_bootstrap() {
    check("static_resources: { clusters: [{ name: beta, type: STRICT_DNS, connect_timeout: 1s }] }", expect![""]);
}

const OLD_FASHIONED: &str = r#"
watchdog: { miss_timeout: 1s }
static_resources:
  clusters:
    - name: beta
      http2_protocol_options: {}
  listeners:
    - name: inbound
      address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
      filter_chains:
        - filters:
            - name: http
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: inbound
                route_config: {}
                access_log:
                  - name: file
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
                      path: /dev/stdout
                      format: "%PROTOCOL%"
                http_filters:
                  - name: router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
"#;

#[test]
fn deprecated_fields_are_found_at_every_depth() {
    check(
        OLD_FASHIONED,
        expect![[r#"
        watchdog
        static_resources.listeners[0].filter_chains[0].filters[0].typed_config.access_log[0].typed_config.format
        static_resources.clusters[0].http2_protocol_options"#]],
    );
}

#[test]
fn real_envoy_warns_about_the_same_fields() {
    let bootstrap = bootstrap(OLD_FASHIONED);
    let warnings = real_envoy::judges("envoy.json", &envoy::to_json(&bootstrap)).expect("Envoy accepts it");
    let found = envoy::deprecated(&bootstrap);
    assert_eq!(warnings.matches("Using deprecated option").count(), found.len(), "{warnings}");
    for path in found {
        let field = path.rsplit('.').next().unwrap_or(&path);
        assert!(warnings.contains(&format!(".{field}'")), "`{path}` is not in {warnings}");
    }
}

#[test]
fn deprecated_values_are_found() {
    check(
        "dynamic_resources: { lds_config: { path: a, resource_api_version: V2 } }",
        expect![[r#"
        dynamic_resources.lds_config.path
        dynamic_resources.lds_config.resource_api_version = V2"#]],
    );
}

#[test]
fn a_deprecated_default_is_found() {
    check(
        "dynamic_resources: { ads_config: { transport_api_version: V3 } }",
        expect!["dynamic_resources.ads_config.api_type = DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE"],
    );
    check("dynamic_resources: { ads_config: { api_type: GRPC, transport_api_version: V3 } }", expect![""]);
}

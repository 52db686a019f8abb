//! Applications that are their own proxies: what they are told, and what they cannot ask for.

use expect_test::{Expect, expect};
use meshwright_compiler::emit::ads::{Ads, Servers, Tls};
use meshwright_compiler::emit::grpc_bootstrap;
use meshwright_compiler::snapshot::{ResourceKind, Snapshot};
use meshwright_compiler::{Proxy, compile};
use prost::Message;
use spec::mesh::HostPort;

use crate::discovered::checked;
use crate::golden::module;
use crate::mesh_findings::{check_rule, places, quiet};

/// A gRPC service with two endpoints, of which this is said, and a node without a sidecar that calls it.
fn grpc(says: &str) -> String {
    format!(
        "service \"a.svc\" {{\nprotocol \"grpc\"\nendpoint \"10.0.0.1:80\"\n{says}\n}}\n\
         node \"sidecar\" serves=\"a.svc\"\nnode \"batch\" proxyless=#true calls=\"a.svc\""
    )
}

/// What the node `batch` is told of a type, as YAML.
fn told(body: &str, kind: ResourceKind) -> String {
    let snapshot = Snapshot::of(&checked(body), &module());
    let resources = snapshot.resources("batch").filter(|it| it.kind == kind);
    resources.map(|it| format!("---\n{}", yaml(kind, &it.bytes))).collect()
}

fn yaml(kind: ResourceKind, bytes: &[u8]) -> String {
    use envoy::config::{cluster, endpoint, listener, route};
    match kind {
        ResourceKind::Cluster => envoy::to_yaml(&cluster::v3::Cluster::decode(bytes).unwrap()),
        ResourceKind::Endpoints => envoy::to_yaml(&endpoint::v3::ClusterLoadAssignment::decode(bytes).unwrap()),
        ResourceKind::Listener => envoy::to_yaml(&listener::v3::Listener::decode(bytes).unwrap()),
        ResourceKind::Routes => envoy::to_yaml(&route::v3::RouteConfiguration::decode(bytes).unwrap()),
        _ => panic!("{kind:?} is nothing for gRPC"),
    }
}

#[track_caller]
fn check(kind: ResourceKind, says: &str, expected: Expect) {
    expected.assert_eq(&told(&grpc(says), kind));
}

#[test]
fn there_is_a_listener_for_each_name_that_can_be_dialled() {
    check(
        ResourceKind::Listener,
        "port 50051",
        expect![[r#"
        ---
        name: a.svc
        api_listener:
          api_listener:
            "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
            stat_prefix: grpc_route_a.svc_http
            rds:
              config_source:
                ads: {}
                resource_api_version: V3
              route_config_name: grpc_route_a.svc
            http_filters:
              - name: envoy.filters.http.router
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
        ---
        name: a.svc:4100
        api_listener:
          api_listener:
            "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
            stat_prefix: grpc_route_a.svc_http
            rds:
              config_source:
                ads: {}
                resource_api_version: V3
              route_config_name: grpc_route_a.svc
            http_filters:
              - name: envoy.filters.http.router
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
        ---
        name: a.svc:50051
        api_listener:
          api_listener:
            "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
            stat_prefix: grpc_route_a.svc_http
            rds:
              config_source:
                ads: {}
                resource_api_version: V3
              route_config_name: grpc_route_a.svc
            http_filters:
              - name: envoy.filters.http.router
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
    "#]],
    );
}

#[test]
fn routes_say_what_grpc_knows() {
    let says = "timeout \"3s\"\nretry attempts=2 on=\"unavailable,connect-failure\"\n\
                endpoint \"10.0.0.2:80\" { labels { version \"v2\"; }; }\n\
                subset \"v2\" { labels { version \"v2\"; }; }\n\
                route priority=1 {\ngrpc service=\"shop.Cart\" method=\"Add\"\nheader \"x-tier\" exact=\"gold\"\n\
                to \"a.svc\" subset=\"v2\" weight=1\nto \"a.svc\" weight=9\ntimeout \"0s\"\n}";
    check(
        ResourceKind::Routes,
        says,
        expect![[r#"
            ---
            name: grpc_route_a.svc
            virtual_hosts:
              - name: vhost_grpc_route_a.svc
                domains:
                  - "*"
                routes:
                  - match:
                      path: /shop.Cart/Add
                      headers:
                        - name: x-tier
                          string_match:
                            exact: gold
                    route:
                      weighted_clusters:
                        clusters:
                          - name: a.svc/v2
                            weight: 1
                          - name: a.svc
                            weight: 9
                      retry_policy:
                        retry_on: unavailable
                        num_retries: 2
                  - match:
                      prefix: /
                    route:
                      cluster: a.svc
                      retry_policy:
                        retry_on: unavailable
                        num_retries: 2
                      max_stream_duration:
                        max_stream_duration: 3s
        "#]],
    );
}

#[test]
fn clusters_choose_in_turn_or_by_a_hash_of_a_header() {
    let says = "load-balancing { policy \"ring-hash\"; hash-on header=\"x-user\"; min-ring-size 64; }\n\
                circuit-breaker max-requests=7";
    check(
        ResourceKind::Cluster,
        says,
        expect![[r#"
        ---
        name: a.svc
        type: EDS
        eds_cluster_config:
          eds_config:
            ads: {}
            resource_api_version: V3
          service_name: grpc:a.svc
        lb_policy: RING_HASH
        circuit_breakers:
          thresholds:
            - max_requests: 7
        ring_hash_lb_config:
          minimum_ring_size: "64"
    "#]],
    );
    check(
        ResourceKind::Cluster,
        "",
        expect![[r#"
        ---
        name: a.svc
        type: EDS
        eds_cluster_config:
          eds_config:
            ads: {}
            resource_api_version: V3
          service_name: grpc:a.svc
    "#]],
    );
}

#[test]
fn endpoints_of_one_weight_are_a_place_of_their_own() {
    let says = "endpoint \"10.0.0.2:80\" weight=3\nendpoint \"10.0.0.3:80\" weight=3 zone=\"b\"\n\
                endpoint \"10.0.0.4:80\" priority=1";
    check(
        ResourceKind::Endpoints,
        says,
        expect![[r#"
        ---
        cluster_name: grpc:a.svc
        endpoints:
          - locality:
              sub_zone: weight-3
            lb_endpoints:
              - endpoint:
                  address:
                    socket_address:
                      address: "10.0.0.2"
                      port_value: 4100
                load_balancing_weight: 3
            load_balancing_weight: 3
          - locality:
              sub_zone: weight-64
            lb_endpoints:
              - endpoint:
                  address:
                    socket_address:
                      address: "10.0.0.1"
                      port_value: 4100
                load_balancing_weight: 64
            load_balancing_weight: 64
          - locality:
              zone: b
            lb_endpoints:
              - endpoint:
                  address:
                    socket_address:
                      address: "10.0.0.3"
                      port_value: 4100
                load_balancing_weight: 3
            load_balancing_weight: 3
          - locality: {}
            lb_endpoints:
              - endpoint:
                  address:
                    socket_address:
                      address: "10.0.0.4"
                      port_value: 4100
                load_balancing_weight: 64
            load_balancing_weight: 64
            priority: 1
    "#]],
    );
}

#[test]
fn everything_that_grpc_is_told_is_valid() {
    let snapshot = Snapshot::of(&checked(&grpc("retry attempts=2 on=\"unavailable\"")), &module());
    for resource in snapshot.resources("batch") {
        let bytes = resource.bytes.as_slice();
        let violations = match resource.kind {
            ResourceKind::Cluster => envoy::validate(&envoy::config::cluster::v3::Cluster::decode(bytes).unwrap()),
            ResourceKind::Listener => envoy::validate(&envoy::config::listener::v3::Listener::decode(bytes).unwrap()),
            ResourceKind::Routes => {
                envoy::validate(&envoy::config::route::v3::RouteConfiguration::decode(bytes).unwrap())
            }
            _ => envoy::validate(&envoy::config::endpoint::v3::ClusterLoadAssignment::decode(bytes).unwrap()),
        };
        assert_eq!(violations, [], "{}", resource.name);
    }
}

#[test]
fn a_new_endpoint_reaches_callers_without_a_sidecar() {
    let (before, after) = (checked(&grpc("")), checked(&grpc("endpoint \"10.0.0.2:80\"")));
    let (mut snapshot, fresh) = (Snapshot::of(&before, &module()), Snapshot::of(&after, &module()));
    let (id, _) = after.services().next().unwrap();
    snapshot.refresh_endpoints(&after, id);
    let versions = |of: &Snapshot| of.resources("batch").map(|it| it.version.clone()).collect::<Vec<_>>();
    assert_eq!(versions(&snapshot), versions(&fresh));
}

#[test]
fn nothing_is_compiled_for_it() {
    let files = compile(&checked(&grpc("")), &module());
    assert_eq!(files.keys().collect::<Vec<_>>(), ["sidecar/envoy.yaml"]);
}

#[test]
fn every_service_is_every_one_that_speaks_grpc() {
    let body = "service \"a.svc\" { endpoint \"10.0.0.1:80\"; }\n\
                service \"b.svc\" { endpoint \"10.0.0.1:81\"; protocol \"grpc\"; }\n\
                node \"batch\" proxyless=#true calls=\"*\"";
    let snapshot = Snapshot::of(&checked(body), &module());
    let clusters = snapshot.resources("batch").filter(|it| it.kind == ResourceKind::Cluster);
    assert_eq!(clusters.map(|it| it.name.as_str()).collect::<Vec<_>>(), ["b.svc"]);
}

#[test]
fn it_starts_from_a_file_that_says_where_the_control_plane_is() {
    let mesh = checked(&grpc("").replace("proxyless=#true", "proxyless=#true zone=\"a\""));
    let batch: Vec<Proxy> = mesh.proxyless().collect();
    let tls = Tls {
        authorities: "/certs/ca.pem".to_owned(),
        certificate: Some(("/certs/cert.pem".to_owned(), "/certs/key.pem".to_owned())),
        server_names: Vec::new(),
        folder: String::new(),
    };
    let servers = ["control-1.mesh", "10.0.9.2"].map(|host| HostPort { host: host.to_owned(), port: 18000 });
    let ads = Ads {
        tls: Some(tls),
        node_suffix: Some("task-1".to_owned()),
        ..Ads::towards(Servers::Addresses(servers.into()))
    };
    expect![[r#"
        {
          "node": {
            "cluster": "m",
            "id": "batch~task-1",
            "locality": {
              "zone": "a"
            }
          },
          "xds_servers": [
            {
              "channel_creds": [
                {
                  "config": {
                    "ca_certificate_file": "/certs/ca.pem",
                    "certificate_file": "/certs/cert.pem",
                    "private_key_file": "/certs/key.pem"
                  },
                  "type": "tls"
                }
              ],
              "server_features": [
                "xds_v3"
              ],
              "server_uri": "control-1.mesh:18000"
            },
            {
              "channel_creds": [
                {
                  "config": {
                    "ca_certificate_file": "/certs/ca.pem",
                    "certificate_file": "/certs/cert.pem",
                    "private_key_file": "/certs/key.pem"
                  },
                  "type": "tls"
                }
              ],
              "server_features": [
                "xds_v3"
              ],
              "server_uri": "10.0.9.2:18000"
            }
          ]
        }
    "#]]
    .assert_eq(&grpc_bootstrap(&mesh, batch[0], &ads));
}

#[test]
fn what_only_a_sidecar_can_do_is_refused() {
    check_rule(
        "needs-sidecar",
        &grpc(
            "load-balancing policy=\"maglev\" { hash-on source-address=#true; sticky-cookie \"c\"; }\n\
               request-headers { remove \"x-a\"; }\nmirror to=\"b.svc\"\n}\nservice \"b.svc\" {\nendpoint \"10.0.0.9:80\"\nprotocol \"grpc\"",
        ),
        expect![[r#"
            error[needs-sidecar]: `request-headers` needs a sidecar, and node `batch` has none
              2:9 gRPC does not do this
              14:24 its application is its own proxy
              help: say `headers`, which the service's own sidecars change
            error[needs-sidecar]: `policy "maglev"` needs a sidecar, and node `batch` has none
              5:23 gRPC does not do this
              14:24 its application is its own proxy
              help: say `round-robin` or `ring-hash`
            error[needs-sidecar]: a hash of anything but a header needs a sidecar, and node `batch` has none
              5:42 gRPC does not do this
              14:24 its application is its own proxy
              help: say `hash-on header="NAME"`
            error[needs-sidecar]: `sticky-cookie` needs a sidecar, and node `batch` has none
              5:78 gRPC does not do this
              14:24 its application is its own proxy
              help: say `ring-hash` with `hash-on header="NAME"`
            error[needs-sidecar]: `mirror` needs a sidecar, and node `batch` has none
              7:11 gRPC does not do this
              14:24 its application is its own proxy
              help: delete it, or the `proxyless` of the node
        "#]],
    );
    check_rule(
        "needs-sidecar",
        &grpc(
            "route {\nmethod \"GET\"\nquery \"q\" present=#true\nheader \"x-bin\" exact=\"1\"\nrewrite host=\"other\"\nto \"a.svc\"\n}",
        ),
        expect![[r#"
            error[needs-sidecar]: a condition on `method` needs a sidecar, and node `batch` has none
              6:8 gRPC does not do this
              14:24 its application is its own proxy
              help: delete it: every gRPC request is a POST
            error[needs-sidecar]: a condition on `query` needs a sidecar, and node `batch` has none
              7:7 gRPC does not do this
              14:24 its application is its own proxy
              help: gRPC has no query: write a condition on a header
            error[needs-sidecar]: a condition on `x-bin` needs a sidecar, and node `batch` has none
              8:8 gRPC does not do this
              14:24 its application is its own proxy
              help: compare another header
            error[needs-sidecar]: `rewrite` needs a sidecar, and node `batch` has none
              9:1 gRPC does not do this
              14:24 its application is its own proxy
              help: delete it, or the `proxyless` of the node
        "#]],
    );
    check_rule(
        "needs-sidecar",
        "service \"a.svc\" { endpoint \"10.0.0.1:80\"; }\n\
         node \"batch\" {\nproxyless #true\nbind \"10.0.0.7\"\nserves \"a.svc\"\ncalls \"a.svc\" local-port=9000\n}",
        expect![[r#"
            error[needs-sidecar]: `bind` needs a sidecar, and node `batch` has none
              5:6 gRPC does not do this
              4:11 its application is its own proxy
              help: delete it, or the `proxyless` of the node
            error[needs-sidecar]: `serves` needs a sidecar, and node `batch` has none
              6:8 gRPC does not do this
              4:11 its application is its own proxy
              help: delete it, or the `proxyless` of the node
            error[needs-sidecar]: to call `a.svc`, which speaks `http`, needs a sidecar, and node `batch` has none
              7:7 gRPC does not do this
              4:11 its application is its own proxy
              help: say `protocol "grpc"` at the service if it speaks gRPC
            error[needs-sidecar]: `local-port` needs a sidecar, and node `batch` has none
              7:26 gRPC does not do this
              4:11 its application is its own proxy
              help: delete it: the application dials `xds:///SERVICE`
        "#]],
    );
}

/// A sidecar would put the other service's name into `Host`.
#[test]
fn a_split_over_services_behind_sidecars_needs_one() {
    let split = |serves: &str| {
        format!(
            "{}\nservice \"next.svc\" {{\nendpoint \"10.0.0.9:80\"\nprotocol \"grpc\"\n}}\n{serves}",
            grpc("route {\nto \"a.svc\" weight=9\nto \"next.svc\" weight=1\n}")
        )
    };
    assert_eq!(places("needs-sidecar", &split("node \"next\" serves=\"next.svc\"")), "error 7:4\n");
    quiet("needs-sidecar", &split(""));
}

#[test]
fn what_a_sidecar_would_do_for_callers_is_told() {
    check_rule(
        "without-sidecar",
        &grpc(
            "idle-timeout \"1m\"\nhealth-check path=\"/\"\nretry attempts=2 on=\"unavailable,5xx\" per-try-timeout=\"1s\"\n\
               outlier-detection consecutive-5xx=3\ncircuit-breaker max-requests=3 max-pending=4\n\
               load-balancing panic-threshold=10",
        ),
        expect![[r#"
            warning[without-sidecar]: the health check of callers does not hold for node `batch`, which has no sidecar
              2:9 gRPC does not do this
              13:24 its application is its own proxy
              help: write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar
            warning[without-sidecar]: `idle-timeout` does not hold for node `batch`, which has no sidecar
              5:14 gRPC does not do this
              13:24 its application is its own proxy
              help: write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar
            warning[without-sidecar]: `on="5xx"` does not hold for node `batch`, which has no sidecar
              7:21 gRPC does not do this
              13:24 its application is its own proxy
              help: write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar
            warning[without-sidecar]: `per-try-timeout` does not hold for node `batch`, which has no sidecar
              7:55 gRPC does not do this
              13:24 its application is its own proxy
              help: write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar
            warning[without-sidecar]: `outlier-detection` does not hold for node `batch`, which has no sidecar
              8:1 gRPC does not do this
              13:24 its application is its own proxy
              help: write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar
            warning[without-sidecar]: `max-pending` does not hold for node `batch`, which has no sidecar
              9:44 gRPC does not do this
              13:24 its application is its own proxy
              help: write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar
            warning[without-sidecar]: `panic-threshold` does not hold for node `batch`, which has no sidecar
              10:32 gRPC does not do this
              13:24 its application is its own proxy
              help: write `// meshwright: allow without-sidecar: WHY` if that is well, or give the node a sidecar
        "#]],
    );
    quiet("without-sidecar", &grpc("retry attempts=2 on=\"unavailable\"\ncircuit-breaker max-requests=3"));
}

/// What a service says, its own sidecars do.
#[test]
fn what_the_services_own_sidecars_do_holds_as_for_every_caller() {
    let says = "fault engine=\"wasm\" { abort 503 percent=5; }\nrate-limit requests=5\nip-access { allow \"10.0.0.0/8\"; }\n\
                headers { request { remove \"x-a\"; }; }";
    let body = grpc(says);
    quiet("needs-sidecar", &body);
    quiet("without-sidecar", &body);
}

//! Bootstraps of Envoys that have a control plane.

use expect_test::{Expect, expect};
use meshwright_compiler::emit::ads::{Ads, AdsBootstrap, Servers, Tls, Variant, ads_bootstrap};
use spec::mesh::HostPort;

use crate::discovered::checked;

const MESH: &str = "service \"beta.svc\" { endpoint \"10.0.0.1:80\" }\nnode \"beta\" serves=\"beta.svc\"";

fn at(host: &str) -> HostPort {
    HostPort { host: host.to_owned(), port: 18000 }
}

fn bootstrap(ads: &Ads) -> AdsBootstrap {
    let mesh = checked(MESH);
    let proxy = mesh.proxies().next().unwrap();
    let made = ads_bootstrap(&mesh, proxy, ads);
    assert_eq!(envoy::validate(&made.bootstrap), []);
    assert_eq!(envoy::deprecated(&made.bootstrap), [] as [String; 0]);
    made
}

#[track_caller]
fn check(ads: &Ads, expected: Expect) {
    let made = bootstrap(ads);
    let files = made.files.into_iter().map(|(name, text)| format!("--- {name}\n{text}"));
    expected.assert_eq(&[envoy::to_yaml(&made.bootstrap)].into_iter().chain(files).collect::<String>());
}

#[test]
fn two_control_planes_take_turns() {
    check(
        &Ads::towards(Servers::Addresses(vec![at("10.0.9.1"), at("10.0.9.2")])),
        expect![[r#"
        node:
          id: beta
          cluster: m
        static_resources:
          clusters:
            - name: meshwright-xds
              type: STATIC
              connect_timeout: 1s
              load_assignment:
                cluster_name: meshwright-xds
                endpoints:
                  - lb_endpoints:
                      - endpoint:
                          address:
                            socket_address:
                              address: "10.0.9.1"
                              port_value: 18000
                      - endpoint:
                          address:
                            socket_address:
                              address: "10.0.9.2"
                              port_value: 18000
              typed_extension_protocol_options:
                envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                  "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                  explicit_http_config:
                    http2_protocol_options:
                      connection_keepalive:
                        interval: 30s
                        timeout: 5s
                        connection_idle_interval: 30s
        dynamic_resources:
          lds_config:
            ads: {}
            initial_fetch_timeout: 15s
            resource_api_version: V3
          cds_config:
            ads: {}
            initial_fetch_timeout: 15s
            resource_api_version: V3
          ads_config:
            api_type: DELTA_GRPC
            transport_api_version: V3
            grpc_services:
              - envoy_grpc:
                  cluster_name: meshwright-xds
                  retry_policy:
                    retry_back_off:
                      base_interval: 0.200s
                      max_interval: 5s
            set_node_on_first_message_only: true
        watchdogs:
          worker_watchdog:
            kill_timeout: 60s
        admin:
          address:
            socket_address:
              address: "127.0.0.1"
              port_value: 9901
        overload_manager:
          resource_monitors:
            - name: envoy.resource_monitors.global_downstream_max_connections
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
                max_active_downstream_connections: "50000"
    "#]],
    );
}

#[test]
fn names_are_resolved_and_certificates_are_files_that_are_watched() {
    let tls = Tls {
        authorities: "/certs/ca.pem".to_owned(),
        certificate: Some(("/certs/cert.pem".to_owned(), "/certs/key.pem".to_owned())),
        server_names: vec!["spiffe://mesh/control-plane".to_owned()],
        folder: "/etc/meshwright/".to_owned(),
    };
    let ads = Ads {
        variant: Variant::StateOfTheWorld,
        node_suffix: Some("task-1".to_owned()),
        tls: Some(tls),
        ..Ads::towards(Servers::Addresses(vec![at("control.mesh"), at("10.0.9.2")]))
    };
    check(
        &ads,
        expect![[r#"
        node:
          id: beta~task-1
          cluster: m
        static_resources:
          clusters:
            - name: meshwright-xds
              type: STRICT_DNS
              connect_timeout: 1s
              load_assignment:
                cluster_name: meshwright-xds
                endpoints:
                  - lb_endpoints:
                      - endpoint:
                          address:
                            socket_address:
                              address: control.mesh
                              port_value: 18000
                      - endpoint:
                          address:
                            socket_address:
                              address: "10.0.9.2"
                              port_value: 18000
              typed_extension_protocol_options:
                envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                  "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                  explicit_http_config:
                    http2_protocol_options:
                      connection_keepalive:
                        interval: 30s
                        timeout: 5s
                        connection_idle_interval: 30s
              transport_socket:
                name: envoy.transport_sockets.tls
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
                  common_tls_context:
                    tls_params:
                      tls_minimum_protocol_version: TLSv1_2
                      tls_maximum_protocol_version: TLSv1_3
                    tls_certificate_sds_secret_configs:
                      - name: control-plane-certificate
                        sds_config:
                          path_config_source:
                            path: /etc/meshwright/control-plane-certificate.yaml
                          resource_api_version: V3
                    combined_validation_context:
                      default_validation_context:
                        match_typed_subject_alt_names:
                          - san_type: URI
                            matcher:
                              exact: spiffe://mesh/control-plane
                      validation_context_sds_secret_config:
                        name: control-plane-authorities
                        sds_config:
                          path_config_source:
                            path: /etc/meshwright/control-plane-authorities.yaml
                          resource_api_version: V3
                    alpn_protocols:
                      - h2
                  sni: control.mesh
        dynamic_resources:
          lds_config:
            ads: {}
            initial_fetch_timeout: 15s
            resource_api_version: V3
          cds_config:
            ads: {}
            initial_fetch_timeout: 15s
            resource_api_version: V3
          ads_config:
            api_type: GRPC
            transport_api_version: V3
            grpc_services:
              - envoy_grpc:
                  cluster_name: meshwright-xds
                  authority: control.mesh
                  retry_policy:
                    retry_back_off:
                      base_interval: 0.200s
                      max_interval: 5s
            set_node_on_first_message_only: true
        watchdogs:
          worker_watchdog:
            kill_timeout: 60s
        admin:
          address:
            socket_address:
              address: "127.0.0.1"
              port_value: 9901
        overload_manager:
          resource_monitors:
            - name: envoy.resource_monitors.global_downstream_max_connections
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
                max_active_downstream_connections: "50000"
        --- control-plane-certificate.yaml
        resources:
          - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
            name: control-plane-certificate
            tls_certificate:
              certificate_chain:
                filename: /certs/cert.pem
              private_key:
                filename: /certs/key.pem
              watched_directory:
                path: /certs
                watch_modify: true
        --- control-plane-authorities.yaml
        resources:
          - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
            name: control-plane-authorities
            validation_context:
              trusted_ca:
                filename: /certs/ca.pem
              watched_directory:
                path: /certs
                watch_modify: true
    "#]],
    );
}

#[test]
fn a_socket_of_the_process_beside_it_is_a_server() {
    let made = bootstrap(&Ads::towards(Servers::Socket("/run/meshwright/xds.sock".to_owned())));
    let resources = made.bootstrap.static_resources.unwrap();
    let load = resources.clusters[0].load_assignment.as_ref();
    expect![[r#"
        cluster_name: meshwright-xds
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address:
                    pipe:
                      path: /run/meshwright/xds.sock
    "#]]
    .assert_eq(&envoy::to_yaml(load.unwrap()));
}

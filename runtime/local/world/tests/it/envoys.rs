//! A real Envoy finds the outside world where it was put: by address, by name, by whatever name a request says.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use local::{Client, Instance, InstanceKind, InstancePlan, Options, Plan, Request, Running, Subnet, start};
use meshwright_world::tunnel::Tunnel;
use meshwright_world::{Authority, Outside, Serves, TlsDial, TlsServer};
use spec::Name;

const CONFIG: &str = r#"
admin: {address: {socket_address: {address: ADDRESS, port_value: 9901}}}
static_resources:
  listeners:
  - address: {socket_address: {address: ADDRESS, port_value: 4000}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: a
          upgrade_configs: [{upgrade_type: CONNECT}]
          http_filters:
          - name: envoy.filters.http.dynamic_forward_proxy
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig
              dns_cache_config: &cache {name: cache, dns_lookup_family: V4_ONLY}
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {connect_matcher: {}}
                route: {cluster: any, upgrade_configs: [{upgrade_type: CONNECT, connect_config: {}}]}
              - {match: {path: /address}, route: {cluster: address}}
              - {match: {path: /name}, route: {cluster: name}}
              - {match: {prefix: /}, route: {cluster: any}}
  clusters:
  - name: address
    load_assignment: {cluster_name: address, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 198.51.100.9, port_value: 4317}}}}]}]}
  - name: name
    type: STRICT_DNS
    dns_lookup_family: V4_ONLY
    load_assignment: {cluster_name: name, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: api.example, port_value: 8080}}}}]}]}
  - name: any
    lb_policy: CLUSTER_PROVIDED
    cluster_type:
      name: envoy.clusters.dynamic_forward_proxy
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig
        dns_cache_config: *cache
"#;

async fn run(outside: &Outside) -> (Running, SocketAddr) {
    let claim = Subnet::claim().expect("a free range");
    let address = IpAddr::V4(claim.subnet().addresses().next().expect("an address"));
    let name = Name::new("alpha").expect("a name");
    let (origin, kind) = (name.clone(), InstanceKind::Node);
    let instance = Instance { name, origin, kind, address, original: None, ports: Vec::new() };
    let config = CONFIG.replace("ADDRESS", &address.to_string());
    let instances = vec![InstancePlan { instance, config }];
    let binary = local::find(None).unwrap_or_else(|error| panic!("{error}"));
    let options = Options { detours: outside.detours().clone(), claim: Some(claim), ..Options::new(binary) };
    let plan = Plan { instances, files: BTreeMap::new(), workloads: Vec::new() };
    (start(plan, options).await.expect("Envoy starts"), SocketAddr::new(address, 4000))
}

#[tokio::test]
async fn the_outside_is_found_by_address_and_by_name() {
    let mut outside = Outside::new().await;
    for server in ["198.51.100.9:4317", "api.example:8080", "other.example:8081"] {
        outside.add(server, Serves::Http).await;
    }
    let (_running, envoy) = run(&outside).await;
    let mut client = Client::new(envoy);
    let requests = [
        ("/address", "any", "198.51.100.9:4317"),
        ("/name", "any", "api.example:8080"),
        ("/", "other.example:8081", "other.example:8081"),
    ];
    for (path, host, found) in requests {
        let answer = client.send(&Request::get(path).host(host)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(outside.echo(found).received_count(), 1, "{path}");
    }
    let unknown = client.send(&Request::get("/").host("nowhere.example")).await.expect("an answer");
    assert_eq!(unknown.status, 503);
    assert!(outside.names().asked().contains(&"nowhere.example".to_owned()));
}

#[tokio::test]
async fn a_tunnel_leads_to_a_server_with_its_own_tls() {
    let ours = Authority::new("ours");
    let mut outside = Outside::new().await;
    outside.add("bank.example:8443", Serves::Tls(TlsServer::new(&ours.leaf(&["bank.example"])))).await;
    let (_running, envoy) = run(&outside).await;
    let tunnel = std::sync::Arc::new(Tunnel::to("bank.example:8443"));
    let dial = TlsDial::new(&ours.pem(), "bank.example").over(tunnel);
    let answer = Client::over(dial.dialer(), envoy).send(&Request::get("/in")).await.expect("an answer");
    assert_eq!(answer.json().expect("JSON")["service"], "bank.example");
    let refused = Tunnel::to("nowhere.example:443").open(envoy).await;
    assert_eq!(refused.err(), Some(503));
}

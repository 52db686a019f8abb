//! Connections are taken from callers that know nothing of it, and Envoy learns where they were going.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use local::echo::{self, Tries};
use local::{Client, Detours, Instance, InstanceKind, InstancePlan, Options, Plan, Request, start};
use meshwright_world::From;
use meshwright_world::namespace::{self, Interception};
use spec::Name;
use tokio::net::TcpListener;

use crate::identity;

const MARK: u32 = 1337;

/// Two listeners that pass on whatever they get to where it was going.
const CONFIG: &str = r#"
admin: {address: {socket_address: {address: ADDRESS, port_value: 9901}}}
static_resources:
  listeners:
  - name: inbound
    address: {socket_address: {address: ADDRESS, port_value: 15000}}
    listener_filters: &original
    - name: envoy.filters.listener.original_dst
      typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst}
    filter_chains: &pass
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: pass, cluster: original}
  - name: outbound
    address: {socket_address: {address: ADDRESS, port_value: 15001}}
    listener_filters: *original
    filter_chains: *pass
  clusters:
  - {name: original, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}
"#;

#[test]
fn envoy_gets_what_was_meant_for_somebody_else() {
    if !namespace::enter("interception::envoy_gets_what_was_meant_for_somebody_else") {
        return;
    }
    tokio::runtime::Runtime::new().expect("threads").block_on(async {
        let address = IpAddr::from([127, 64, 0, 2]);
        let far = SocketAddr::from(([10, 1, 2, 3], 80));
        namespace::add_address(far.ip());
        let serve = async |address: SocketAddr| {
            let listener = TcpListener::bind(address).await.expect("a free port");
            echo::serve(listener, identity(), Tries::default()).expect("a bound socket")
        };
        let (distant, application) = (serve(far).await, serve(SocketAddr::new(address, 3000)).await);
        let name = Name::new("alpha").expect("a name");
        let (origin, kind) = (name.clone(), InstanceKind::Node);
        let instance = Instance { name, origin, kind, address, original: None, ports: Vec::new() };
        let instances = vec![InstancePlan { instance, config: CONFIG.replace("ADDRESS", &address.to_string()) }];
        let plan = Plan { instances, files: BTreeMap::new(), workloads: Vec::new() };
        let binary = local::find(None).unwrap_or_else(|error| panic!("{error}"));
        let detours = Detours { mark: Some(MARK), ..Detours::default() };
        let running = start(plan, Options { detours, ..Options::new(binary) }).await.expect("Envoy starts");
        let inbound = Some((vec![3000], 15000));
        namespace::intercept(&[Interception { address, inbound, outbound: Some(15001), mark: MARK }]);

        // The application calls somebody far away; somebody calls the application.
        let alpha = running.instance("alpha").expect("an instance");
        let mut client = Client::over(Arc::new(From(address)), far);
        client.send(&Request::get("/out")).await.expect("an answer");
        assert_eq!(alpha.counter("listener.127.64.0.2_15001.downstream_cx_total").await.expect("a counter"), 1);
        assert_eq!(distant.received()[0].path, "/out");
        Client::new(application.address()).send(&Request::get("/in")).await.expect("an answer");
        assert_eq!(alpha.counter("listener.127.64.0.2_15000.downstream_cx_total").await.expect("a counter"), 1);
        assert_eq!(application.received()[0].path, "/in");
        running.stop().await;
    });
}

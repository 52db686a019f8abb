//! What operators see: the access log and the metrics, and nothing of the administration.

use std::net::SocketAddr;
use std::time::Duration;

use local::{Client, Request};

use super::{Live, service};

const MESH: &str = r#"
    service "beta.svc" { endpoint "10.0.0.1:3000" }
    node "alpha" calls="beta.svc"
    node "beta" serves="beta.svc"
"#;

/// The keys that bent's users have built their dashboards and alarms on.
const KEYS_OF_BENT: [&str; 20] = [
    "start_time",
    "method",
    "path",
    "protocol",
    "response_code",
    "response_flags",
    "bytes_received",
    "bytes_sent",
    "duration",
    "upstream_service_time",
    "x_forwarded_for",
    "user_agent",
    "request_id",
    "authority",
    "upstream_host",
    "upstream_cluster",
    "upstream_local_address",
    "downstream_local_address",
    "downstream_remote_address",
    "requested_server_name",
];

#[tokio::test]
async fn the_access_log_has_every_key_of_bents() {
    let live = Live::up(MESH).await;
    let request = Request::get("/cart?item=1").host("beta.svc").header("user-agent", "probe");
    assert_eq!(service(&live.send("alpha", request).await), "beta.svc");
    for (instance, cluster) in [("alpha", "beta.svc"), ("beta", "local_beta.svc")] {
        let running = live.started.running.instance(instance).unwrap();
        let entry =
            running.wait_for_log(|entry| entry["user_agent"] == "probe", Duration::from_secs(15)).await.unwrap();
        for key in KEYS_OF_BENT {
            assert!(entry.get(key).is_some(), "{instance} logs no {key}: {entry}");
        }
        assert_eq!(entry["path"], "/cart?item=1");
        assert_eq!(entry["response_code"], 200);
        assert_eq!(entry["authority"], "beta.svc");
        assert_eq!(entry["upstream_cluster"], cluster);
        assert_eq!(entry["response_code_details"], "via_upstream");
    }
}

#[tokio::test]
async fn metrics_are_scraped_and_administration_is_not_reached() {
    let live = Live::up(MESH).await;
    live.send_many("alpha", Request::get("/").host("beta.svc"), 7).await;
    let address = live.started.running.instance("alpha").unwrap().instance().address;
    let mut client = Client::new(SocketAddr::new(address, 15090));
    let metrics = client.send(&Request::get("/stats/prometheus")).await.unwrap();
    let line = metrics
        .text()
        .lines()
        .find(|line| line.contains("upstream_rq_total{envoy_cluster_name=\"beta_svc\""))
        .map(str::to_owned);
    assert_eq!(line.as_deref(), Some("envoy_cluster_upstream_rq_total{envoy_cluster_name=\"beta_svc\"} 7"));
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/config_dump"),
        ("GET", "/stats"),
        ("GET", "/stats/prometheus/../../config_dump"),
        ("POST", "/stats/prometheus"),
        ("POST", "/quitquitquit"),
    ] {
        let response = client.send(&Request::new(method, path)).await.unwrap();
        assert!((400..500).contains(&response.status), "{method} {path}: {}", response.status);
    }
}

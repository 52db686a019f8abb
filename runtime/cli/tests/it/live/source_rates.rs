//! Rate limits that count each caller's address by itself.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use local::{Client, Request};
use world::From;

use super::Live;

async fn statuses(live: &Live, from: [u8; 4], claims: &[&str]) -> Vec<u16> {
    statuses_at(live.at("front", 8080), from, "beta.svc", claims).await
}

async fn statuses_at(at: SocketAddr, from: [u8; 4], host: &str, claims: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for claim in claims {
        let mut client = Client::over(Arc::new(From(IpAddr::from(from))), at);
        let request = Request::get("/").host(host).header("x-forwarded-for", claim);
        statuses.push(client.send(&request).await.unwrap().status);
    }
    statuses
}

fn mesh(trusted_hops: u32) -> String {
    format!(
        r#"
        service "beta.svc" {{ endpoint "10.0.0.1:3000" }}
        node "beta" serves="beta.svc"
        gateway "front" {{
            listen 8080
            trusted-hops {trusted_hops}
            calls "beta.svc"
            rate-limit requests=2 per="1h" {{ by source-address=#true; }}
        }}
        "#
    )
}

#[tokio::test]
async fn each_address_has_its_own_share_whatever_it_claims() {
    let live = Live::up(&mesh(0)).await;
    let claims = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    assert_eq!(statuses(&live, [127, 99, 1, 1], &claims).await, [200, 200, 429]);
    assert_eq!(statuses(&live, [127, 99, 1, 2], &claims).await, [200, 200, 429]);
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 4);
}

#[tokio::test]
async fn a_trusted_proxy_tells_who_its_callers_are() {
    let live = Live::up(&mesh(1)).await;
    let proxy = [127, 99, 1, 1];
    assert_eq!(statuses(&live, proxy, &["192.0.2.1"; 3]).await, [200, 200, 429]);
    assert_eq!(statuses(&live, proxy, &["192.0.2.2"; 3]).await, [200, 200, 429]);
    // What callers told the proxy stands further left.
    assert_eq!(statuses(&live, proxy, &["192.0.2.9, 192.0.2.1"]).await, [429]);
}

#[tokio::test]
async fn whoever_dials_a_sidecar_has_one_share_whatever_it_claims_by_either_engine() {
    let live = Live::up(
        r#"
        service "ours.svc" {
            endpoint "10.0.0.1:3000"
            rate-limit requests=2 per="1h" engine="wasm" shared=#true { by source-address=#true; }
        }
        service "native.svc" {
            endpoint "10.0.0.1:3001"
            rate-limit requests=2 per="1h" engine="native" { by source-address=#true; }
        }
        node "beta" { serves "ours.svc" "native.svc" }
        "#,
    )
    .await;
    for host in ["ours.svc", "native.svc"] {
        for from in [[127, 99, 1, 1], [127, 99, 1, 2]] {
            let claims = ["192.0.2.1", "192.0.2.2, 192.0.2.3", "127.99.1.9"];
            assert_eq!(statuses_at(live.at("beta", 4100), from, host, &claims).await, [200, 200, 429], "{host}");
        }
    }
}

//! Who may come is told by the address, and the address by nobody who is not trusted.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use local::{Client, Request, Response};
use world::From;

use super::Live;

/// What a client at an address gets from a gateway that claims another one.
async fn answer(live: &Live, from: [u8; 4], host: &str, claim: Option<&str>) -> Response {
    answer_at(live.at("front", 8080), from, host, claim).await
}

async fn answer_at(at: SocketAddr, from: [u8; 4], host: &str, claim: Option<&str>) -> Response {
    let mut client = Client::over(Arc::new(From(IpAddr::from(from))), at);
    let request = Request::get("/").host(host);
    let request = match claim {
        Some(claim) => request.header("x-forwarded-for", claim),
        None => request,
    };
    client.send(&request).await.unwrap()
}

async fn status(live: &Live, from: [u8; 4], host: &str, claim: Option<&str>) -> u16 {
    answer(live, from, host, claim).await.status
}

const ALLOWED: [u8; 4] = [127, 99, 1, 1];
const DENIED: [u8; 4] = [127, 99, 66, 1];
const STRANGER: [u8; 4] = [127, 98, 0, 1];

#[tokio::test]
async fn a_gateway_lets_in_whom_it_should_by_either_engine() {
    for engine in ["wasm", "native"] {
        let live = Live::up(&format!(
            r#"
            service "beta.svc" {{ endpoint "10.0.0.1:3000" }}
            node "beta" serves="beta.svc"
            gateway "front" {{
                listen 8080
                calls "beta.svc"
                ip-access engine="{engine}" {{
                    allow "127.99.0.0/16"
                    deny "127.99.66.0/24"
                }}
            }}
            "#
        ))
        .await;
        assert_eq!(status(&live, ALLOWED, "beta.svc", None).await, 200, "{engine}");
        assert_eq!(status(&live, ALLOWED, "beta.svc", Some("127.98.0.1")).await, 200, "{engine}");
        for claim in [None, Some("127.99.1.1"), Some("127.99.1.1, 127.99.1.1"), Some("junk")] {
            assert_eq!(status(&live, DENIED, "beta.svc", claim).await, 403, "{engine} {claim:?}");
            assert_eq!(status(&live, STRANGER, "beta.svc", claim).await, 403, "{engine} {claim:?}");
        }
        assert_eq!(live.workload("10.0.0.1:3000").received_count(), 2);
    }
}

#[tokio::test]
async fn whoever_dials_a_sidecar_comes_from_where_it_does_by_either_engine() {
    let live = Live::up(
        r#"
        service "ours.svc" {
            endpoint "10.0.0.1:3000"
            ip-access engine="wasm" { allow "127.99.0.0/16"; deny "127.99.66.0/24"; }
        }
        service "native.svc" {
            endpoint "10.0.0.1:3001"
            ip-access engine="native" { allow "127.99.0.0/16"; deny "127.99.66.0/24"; }
        }
        node "beta" { serves "ours.svc" "native.svc" }
        gateway "front" { listen 8080; calls "*"; }
        "#,
    )
    .await;
    let many = ["127.99.1.1"; 2000].join(",");
    let claims =
        [None, Some("127.99.1.1"), Some("127.98.0.1, 127.99.1.1"), Some("127.98.0.1"), Some("junk"), Some(&many)];
    for host in ["ours.svc", "native.svc"] {
        for claim in claims {
            let case = (host, claim.map(|claim| claim.get(..30).unwrap_or(claim)));
            let sidecar = live.at("beta", 4100);
            assert_eq!(answer_at(sidecar, ALLOWED, host, claim).await.status, 200, "{case:?}");
            assert_eq!(answer_at(sidecar, DENIED, host, claim).await.status, 403, "{case:?}");
            assert_eq!(answer_at(sidecar, STRANGER, host, claim).await.status, 403, "{case:?}");
        }
        // Through the gateway everybody comes from there.
        assert_eq!(status(&live, ALLOWED, host, None).await, 403, "{host}");
    }
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), claims.len());
    assert_eq!(live.workload("10.0.0.1:3001").received_count(), claims.len());
}

#[tokio::test]
async fn a_service_knows_the_clients_of_the_gateway_before_it() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0ms"
            ip-access trusted-hops=1 status=404 body="nothing here" {
                allow "127.99.1.0/24" "::1"
            }
        }
        service "tried.svc" {
            endpoint "10.0.0.1:3001"
            ip-access trusted-hops=1 dry-run=#true {
                deny "0.0.0.0/0" "::/0"
            }
        }
        service "free.svc" { endpoint "10.0.0.1:3002" }
        node "beta" { serves "beta.svc" "tried.svc" "free.svc" }
        node "alpha" calls="beta.svc"
        gateway "front" {
            listen 8080
            calls "beta.svc" "tried.svc" "free.svc"
        }
        "#,
    )
    .await;
    assert_eq!(status(&live, ALLOWED, "beta.svc", None).await, 200);
    assert_eq!(status(&live, ALLOWED, "beta.svc", Some("6.6.6.6")).await, 200);
    for claim in [None, Some("127.99.1.1"), Some("127.99.1.1, 127.99.1.1")] {
        let refused = answer(&live, STRANGER, "beta.svc", claim).await;
        assert_eq!((refused.status, refused.text().as_ref()), (404, "nothing here"), "{claim:?}");
    }
    assert_eq!(status(&live, STRANGER, "tried.svc", None).await, 200);
    assert_eq!(status(&live, STRANGER, "free.svc", None).await, 200);
    // Nobody wrote whom a call within the mesh comes from: it is refused, but health checks are not.
    assert_eq!(live.send("alpha", Request::get("/").host("beta.svc")).await.status, 404);
    live.wait_for_counter("alpha", "cluster.beta_svc.health_check.success", |successes| successes >= 2).await;
    assert_eq!(live.counter("alpha", "cluster.beta_svc.membership_healthy").await, 1);
}

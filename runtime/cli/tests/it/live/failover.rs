//! When a service has no healthy endpoint, another one stands in for it, and steps back.

use std::time::Duration;

use local::{Health, Request};
use tokio::time::sleep;

use super::{Live, received, service};

const MESH: &str = r#"
    defaults { health-check interval="200ms" cache="0s" unhealthy-threshold=1 }
    service "main.svc" {
        endpoint "10.0.0.1:3000"
        failover "next.svc"
        failover "last.svc" subset="v2"
    }
    service "next.svc" {
        endpoint "10.0.0.2:3000"
        failover "main.svc"
    }
    service "last.svc" {
        endpoint "10.0.0.3:3000" { labels { version "v1" } }
        endpoint "10.0.0.4:3000" { labels { version "v2" } }
        subset "v2" { labels { version "v2" } }
    }
    node "alpha" calls="main.svc"
    node "main" serves="main.svc"
    node "next" serves="next.svc"
"#;

async fn answered_by(live: &Live, expected: &str) {
    let get = Request::get("/").host("main.svc");
    for _ in 0..500 {
        let answer = live.send("alpha", get.clone()).await;
        if answer.status == 200 && service(&answer) == expected {
            // Its own sidecar, or application, is asked by its own name.
            assert_eq!(received(&answer, "host"), [expected]);
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{expected} does not answer");
}

#[tokio::test]
async fn others_stand_in_while_no_endpoint_is_healthy() {
    let live = Live::up(MESH).await;
    answered_by(&live, "main.svc").await;
    live.workload("10.0.0.1:3000").set_health(Health::NotServing);
    answered_by(&live, "next.svc").await;
    live.workload("10.0.0.2:3000").set_health(Health::NotServing);
    answered_by(&live, "last.svc").await;
    assert_eq!(live.workload("10.0.0.3:3000").received_count(), 0, "it is not of the subset");
    live.workload("10.0.0.1:3000").set_health(Health::Serving);
    answered_by(&live, "main.svc").await;
}

/// A sticky cookie does not, which `check` refuses.
#[tokio::test]
async fn a_hash_holds_beside_a_failover() {
    let live = Live::up(
        r#"
        service "main.svc" {
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000"
            endpoint "10.0.0.3:3000"
            health-check interval="200ms" unhealthy-threshold=1
            load-balancing policy="ring-hash" { hash-on cookie="at" cookie-ttl="0s" }
            failover "next.svc"
        }
        service "next.svc" { endpoint "10.0.0.9:3000" }
        node "alpha" calls="main.svc"
        "#,
    )
    .await;
    let first = live.send("alpha", Request::get("/").host("main.svc")).await;
    let cookie = first.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned();
    let home = first.json().unwrap()["endpoint"].clone();
    for answer in live.send_many("alpha", Request::get("/").host("main.svc").header("cookie", &cookie), 20).await {
        assert_eq!(answer.json().unwrap()["endpoint"], home);
    }
}

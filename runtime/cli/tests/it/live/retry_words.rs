//! What counts as failed, in three vocabularies: the workload counts the tries.

use std::time::{Duration, Instant};

use local::{Behaviour, Request};

use super::Live;

const MESH: &str = r#"
    service "envoy.svc" {
        endpoint "10.0.0.1:3000"
        route path-prefix="/default" { retry attempts=2; to "envoy.svc" }
        route path-prefix="/gateway-error" { retry attempts=2 on="gateway-error"; to "envoy.svc" }
        route path-prefix="/reset" { retry attempts=2 on="reset"; to "envoy.svc" }
        route path-prefix="/5xx" { retry attempts=2 on="5xx"; to "envoy.svc" }
        route path-prefix="/4xx" { retry attempts=2 on="retriable-4xx"; to "envoy.svc" }
        route path-prefix="/status" { retry attempts=2 on="connect-failure" status="429,418"; to "envoy.svc" }
        route path-prefix="/consul" { retry attempts=2 vocabulary="consul" on="gateway-error"; to "envoy.svc" }
        route path-prefix="/mesh-gateway" { retry attempts=2 vocabulary="app-mesh" on="gateway-error"; to "envoy.svc" }
        route path-prefix="/mesh-server" { retry attempts=2 vocabulary="app-mesh" on="server-error"; to "envoy.svc" }
        route path-prefix="/mesh-client" { retry attempts=2 vocabulary="app-mesh" on="client-error"; to "envoy.svc" }
        route path-prefix="/mesh-stream" { retry attempts=2 vocabulary="app-mesh" on="stream-error,connection-error"; to "envoy.svc" }
        route path-prefix="/none" { to "envoy.svc" }
    }
    node "alpha" calls="envoy.svc"
    node "shop" serves="envoy.svc"
    gateway "front" listen=8080 { host "shop.example" { to "envoy.svc" } }
"#;

#[tokio::test]
async fn each_word_means_what_its_vocabulary_says() {
    let live = Live::up(MESH).await;
    let workload = live.workload("10.0.0.1:3000");
    // A sidecar answers 503 for an application that resets.
    for (path, behaviour, tries) in [
        ("/none", Behaviour::Status(503), 1),
        ("/default", Behaviour::Status(503), 3),
        ("/default", Behaviour::Status(504), 3),
        ("/default", Behaviour::Status(500), 1),
        ("/gateway-error", Behaviour::Status(502), 3),
        ("/gateway-error", Behaviour::Status(500), 1),
        ("/reset", Behaviour::Status(503), 1),
        ("/5xx", Behaviour::Status(500), 3),
        ("/5xx", Behaviour::Status(409), 1),
        ("/4xx", Behaviour::Status(409), 3),
        ("/4xx", Behaviour::Status(404), 1),
        ("/status", Behaviour::Status(429), 3),
        ("/status", Behaviour::Status(418), 3),
        ("/status", Behaviour::Status(503), 1),
        ("/consul", Behaviour::Status(504), 3),
        ("/consul", Behaviour::Status(500), 1),
        ("/mesh-gateway", Behaviour::Status(504), 3),
        ("/mesh-gateway", Behaviour::Status(500), 1),
        ("/mesh-gateway", Behaviour::Reset, 3),
        ("/mesh-server", Behaviour::Status(500), 3),
        ("/mesh-server", Behaviour::Status(508), 3),
        ("/mesh-server", Behaviour::Status(509), 1),
        ("/mesh-server", Behaviour::Status(511), 3),
        ("/mesh-client", Behaviour::Status(409), 3),
        ("/mesh-client", Behaviour::Status(503), 1),
        ("/mesh-stream", Behaviour::Status(503), 1),
    ] {
        for (entrance, host) in [("alpha", "envoy.svc"), ("front", "shop.example")] {
            workload.reset();
            workload.behave(behaviour.clone());
            live.send(entrance, Request::get(path).host(host)).await;
            assert_eq!(workload.received_count(), tries, "{entrance}: {path}, {behaviour:?}");
        }
    }
}

/// Outside the mesh nobody turns a reset into a status.
#[tokio::test]
async fn resets_and_refused_connections_are_told_apart() {
    let mut outside = world::Outside::new().await;
    outside.add("10.9.0.1:8080", world::Serves::Http).await;
    outside.detour("10.9.0.2:8080".parse().unwrap(), "127.0.0.1:1".parse().unwrap());
    let live = Live::of(
        r#"
        service "old.svc" {
            endpoint "10.9.0.1:8080"
            route path-prefix="/gateway-error" { retry attempts=2 on="gateway-error"; to "old.svc" }
            route path-prefix="/reset" { retry attempts=2 on="reset"; to "old.svc" }
            route path-prefix="/connect" { retry attempts=2 on="connect-failure"; to "old.svc" }
            route path-prefix="/4xx" { retry attempts=2 on="retriable-4xx"; to "old.svc" }
            route path-prefix="/mesh-gateway" { retry attempts=2 vocabulary="app-mesh" on="gateway-error"; to "old.svc" }
            route path-prefix="/mesh-connection" { retry attempts=2 vocabulary="app-mesh" on="connection-error"; to "old.svc" }
        }
        service "closed.svc" {
            endpoint "10.9.0.2:8080"
            route path-prefix="/reset" { retry attempts=2 on="connect-failure"; to "closed.svc" }
            route path-prefix="/mesh" { retry attempts=3 vocabulary="app-mesh" on="connection-error"; to "closed.svc" }
            route path-prefix="/status" { retry attempts=2 on="retriable-4xx"; to "closed.svc" }
        }
        node "alpha" calls="*"
        "#,
    )
    .outside(outside)
    .without_waiting()
    .up()
    .await;
    let workload = live.outside().echo("10.9.0.1:8080");
    for (path, tries) in [
        ("/gateway-error", 3),
        ("/reset", 3),
        ("/connect", 1),
        ("/4xx", 1),
        ("/mesh-gateway", 3),
        ("/mesh-connection", 1),
    ] {
        workload.reset();
        workload.behave(Behaviour::Reset);
        assert_eq!(live.send("alpha", Request::get(path).host("old.svc")).await.status, 503);
        assert_eq!(workload.received_count(), tries, "{path}");
    }
    for (path, retries) in [("/status", 0), ("/reset", 2), ("/mesh", 5)] {
        assert_eq!(live.send("alpha", Request::get(path).host("closed.svc")).await.status, 503);
        let counter = "cluster.closed_svc.upstream_rq_retry";
        assert_eq!(live.counter("alpha", counter).await, retries, "{path}");
    }
}

#[tokio::test]
async fn a_try_has_limits_of_its_own_and_waits_before_the_next() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/try" { retry attempts=2 on="reset" per-try-timeout="200ms"; to "shop.svc" }
            route path-prefix="/idle" { retry attempts=2 on="reset" per-try-idle-timeout="200ms"; to "shop.svc" }
            route path-prefix="/slow" { retry attempts=3 on="gateway-error" { backoff base="400ms" max="400ms" }; to "shop.svc" }
        }
        node "alpha" calls="shop.svc"
        node "shop" serves="shop.svc"
        "#,
    )
    .await;
    let workload = live.workload("10.0.0.1:3000");
    for path in ["/try", "/idle"] {
        workload.reset();
        workload.behave_for(2, Behaviour::Hang);
        assert_eq!(live.send("alpha", Request::get(path).host("shop.svc")).await.status, 200, "{path}");
        assert_eq!(workload.received_count(), 3, "{path}");
    }
    // The wait is random below its bound: of many, some are long.
    let mut longest = Duration::ZERO;
    for _ in 0..8 {
        workload.reset();
        workload.behave(Behaviour::Status(503));
        let before = Instant::now();
        assert_eq!(live.send("alpha", Request::get("/slow").host("shop.svc")).await.status, 503);
        assert_eq!(workload.received_count(), 4);
        longest = longest.max(before.elapsed());
    }
    assert!(longest > Duration::from_millis(400), "24 waits below 400 ms took {longest:?} at most");
}

#[tokio::test]
async fn a_further_try_goes_to_another_endpoint() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000"
            retry attempts=1 on="gateway-error"
        }
        node "alpha" calls="shop.svc"
        node "shop" serves="shop.svc"
        "#,
    )
    .await;
    live.workload("10.0.0.1:3000").behave(Behaviour::Status(503));
    // One after the other: of many at once only three may be retries.
    for _ in 0..20 {
        assert_eq!(live.send("alpha", Request::get("/").host("shop.svc")).await.status, 200);
    }
    assert!(live.workload("10.0.0.1:3000").received_count() > 0);
}

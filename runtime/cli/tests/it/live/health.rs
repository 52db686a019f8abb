//! Health checks see the application, never its faults or its authentication.

use local::Request;

use super::Live;

#[tokio::test]
async fn an_endpoint_that_aborts_everything_stays_healthy() {
    let live = Live::up(
        r#"
        service "delta.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/odd-healthz" interval="1s" cache="0ms"
            fault { abort 583 percent=100; delay "20ms" percent=100 }
        }
        node "alpha" calls="delta.svc"
        node "delta" serves="delta.svc"
        "#,
    )
    .await;
    assert_eq!(live.counter("alpha", "cluster.delta_svc.membership_healthy").await, 1);
    let health = live.send("alpha", Request::get("/odd-healthz").host("delta.svc")).await;
    assert_eq!(health.status, 200);
    let with_query = live.send("alpha", Request::get("/odd-healthz?deep=1").host("delta.svc")).await;
    assert_eq!(with_query.status, 200, "the path counts, without its query");
    let other = live.send("alpha", Request::get("/odd-healthz/x").host("delta.svc")).await;
    assert_eq!(other.status, 583);
    // Checks go on while every other request is aborted.
    let failed = live.counter("alpha", "cluster.delta_svc.health_check.failure").await;
    let passed = live.counter("alpha", "cluster.delta_svc.health_check.success").await;
    while live.counter("alpha", "cluster.delta_svc.health_check.success").await < passed + 2 {
        assert_eq!(live.send("alpha", Request::get("/").host("delta.svc")).await.status, 583);
    }
    assert_eq!(live.counter("alpha", "cluster.delta_svc.health_check.failure").await, failed);
    assert_eq!(live.counter("alpha", "cluster.delta_svc.membership_healthy").await, 1);
}

//! Retries: as many as declared, counted by Envoy.

use local::Request;

use super::{Live, service};

const MESH: &str = r#"
    service "gamma.svc" {
        endpoint "10.0.0.1:3000"
        annotations { "enable-retry" ""; "num-retries" "3" }
    }
    service "once.svc" { endpoint "10.0.0.1:3001" }
    node "alpha" calls="*"
    node "gamma" { serves "gamma.svc" "once.svc" }
"#;

#[tokio::test]
async fn an_upstream_that_fails_twice_is_asked_three_times() {
    let live = Live::up(MESH).await;
    let request = Request::get("/").host("gamma.svc").header("x-request-id", "r-1").header("x-echo-fail", "2");
    assert_eq!(service(&live.send("alpha", request).await), "gamma.svc");
    assert_eq!(live.counter("alpha", "cluster.gamma_svc.upstream_rq_retry").await, 2);
}

#[tokio::test]
async fn an_upstream_that_fails_too_often_fails() {
    let live = Live::up(MESH).await;
    let request = Request::get("/").host("gamma.svc").header("x-request-id", "r-2").header("x-echo-fail", "9");
    assert_eq!(live.send("alpha", request).await.status, 503);
    assert_eq!(live.counter("alpha", "cluster.gamma_svc.upstream_rq_retry").await, 3);
    let request = Request::get("/").host("once.svc").header("x-request-id", "r-3").header("x-echo-fail", "1");
    assert_eq!(live.send("alpha", request).await.status, 503, "no retry unless declared");
}

//! What a service's own sidecar refuses, whoever calls.

use local::Request;

use super::{Live, service};

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let live = Live::up(
        r#"
        service "small.svc" { endpoint "10.0.0.1:3000"; inbound max-request-bytes=1000 }
        service "large.svc" { endpoint "10.0.0.1:3001" }
        node "alpha" calls="*"
        node "all" { serves "small.svc" "large.svc" }
        "#,
    )
    .await;
    let post = |host: &str, bytes: usize| Request::new("POST", "/").host(host).body(vec![b'x'; bytes]);
    assert_eq!(service(&live.send("alpha", post("small.svc", 1000)).await), "small.svc");
    assert_eq!(live.send("alpha", post("small.svc", 1001)).await.status, 413);
    assert_eq!(service(&live.send("alpha", post("large.svc", 100_000)).await), "large.svc");
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 1);
}

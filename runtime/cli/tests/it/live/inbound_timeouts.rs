//! How long a service's own sidecar waits for the application, whatever callers would wait.

use std::time::{Duration, Instant};

use local::{Behaviour, Request};

use super::Live;

#[tokio::test]
async fn the_services_own_limits_end_a_request() {
    let live = Live::up(
        r#"
        service "total.svc" { endpoint "10.0.0.1:3000"; timeout "30s"; inbound timeout="300ms"; }
        service "idle.svc" { endpoint "10.0.0.1:3001"; timeout "0s"; inbound idle-timeout="300ms"; }
        service "free.svc" { endpoint "10.0.0.1:3002"; timeout "30s"; }
        node "alpha" calls="*"
        node "all" { serves "total.svc" "idle.svc" "free.svc" }
        "#,
    )
    .await;
    for endpoint in ["10.0.0.1:3000", "10.0.0.1:3001"] {
        live.workload(endpoint).behave(Behaviour::Hang);
    }
    live.workload("10.0.0.1:3002").behave(Behaviour::Delay(Duration::from_millis(600)));
    for (name, status) in [("total.svc", 504), ("idle.svc", 504), ("free.svc", 200)] {
        let begin = Instant::now();
        assert_eq!(live.send("alpha", Request::get("/").host(name)).await.status, status, "{name}");
        let took = begin.elapsed();
        assert!((Duration::from_millis(290)..Duration::from_secs(10)).contains(&took), "{name}: {took:?}");
    }
    // Their own sidecar ended them: the caller's got an answer.
    for name in ["total_svc", "idle_svc"] {
        assert_eq!(live.counter("alpha", &format!("cluster.{name}.upstream_rq_504")).await, 1, "{name}");
        assert_eq!(live.counter("alpha", &format!("cluster.{name}.upstream_rq_timeout")).await, 0, "{name}");
    }
}

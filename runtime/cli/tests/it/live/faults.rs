//! Faults hit the declared share of one service's requests, and nothing else.

use std::time::{Duration, Instant};

use local::Request;

use super::{Live, service, share};

const MESH: &str = r#"
    service "aborting.svc" {
        endpoint "10.0.0.1:3000"
        health-check path="/healthz" interval="1s"
        fault { abort 501 percent=30 }
    }
    service "slow.svc" {
        endpoint "10.0.0.1:3001"
        fault { delay "100ms" percent=25 }
    }
    service "sound.svc" { endpoint "10.0.0.1:3002" }
    node "alpha" calls="*"
    node "all" { serves "aborting.svc" "slow.svc" "sound.svc" }
"#;

#[tokio::test]
async fn the_declared_share_is_aborted_on_that_service_only() {
    let live = Live::up(MESH).await;
    let responses = live.send_many("alpha", Request::get("/").host("aborting.svc"), 2000).await;
    let aborted = responses.iter().filter(|response| response.status == 501).count();
    assert!((27.0..=33.0).contains(&share(aborted, 2000)), "{aborted} of 2000");
    assert!(responses.iter().all(|response| [200, 501].contains(&response.status)));
    for response in live.send_many("alpha", Request::get("/").host("sound.svc"), 300).await {
        assert_eq!(service(&response), "sound.svc");
    }
}

#[tokio::test]
async fn the_declared_share_is_delayed() {
    let live = Live::up(MESH).await;
    let mut client = live.client("alpha");
    let (mut slow, count) = (0, 800);
    for _ in 0..count {
        let begin = Instant::now();
        assert_eq!(service(&client.send(&Request::get("/").host("slow.svc")).await.unwrap()), "slow.svc");
        slow += usize::from(begin.elapsed() >= Duration::from_millis(100));
    }
    // Slower answers may have other causes on a busy machine; the filter's own count may not.
    let delayed = live.counter("all", "wasmcustom.meshwright_fault_delays").await;
    assert!((20.5..=29.5).contains(&share(delayed as usize, count)), "{delayed} of {count} delayed");
    assert!(slow as u64 >= delayed, "{slow} answers took 100 ms, {delayed} were delayed");
}

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
    let responses = live.send_many("alpha", Request::get("/").host("aborting.svc"), 5000).await;
    let aborted = responses.iter().filter(|response| response.status == 501).count();
    assert!((27.0..=33.0).contains(&share(aborted, 5000)), "{aborted} of 5000");
    assert!(responses.iter().all(|response| [200, 501].contains(&response.status)));
    for response in live.send_many("alpha", Request::get("/").host("sound.svc"), 300).await {
        assert_eq!(service(&response), "sound.svc");
    }
}

#[tokio::test]
async fn the_declared_share_is_delayed() {
    let live = Live::up(MESH).await;
    let (request, count) = (Request::get("/").host("slow.svc"), 4000);
    for response in live.send_many("alpha", request.clone(), count).await {
        assert_eq!(service(&response), "slow.svc");
    }
    let delayed = live.counter("all", "wasmcustom.meshwright_fault_delays").await;
    assert!((22.0..=28.0).contains(&share(delayed as usize, count)), "{delayed} of {count} delayed");
    // One by one, what the filter counts as delayed is what the client waits for.
    let mut client = live.client("alpha");
    let mut slow = 0;
    for _ in 0..40 {
        let begin = Instant::now();
        client.send(&request).await.unwrap();
        slow += u64::from(begin.elapsed() >= Duration::from_millis(100));
    }
    let counted = live.counter("all", "wasmcustom.meshwright_fault_delays").await - delayed;
    assert!(slow >= counted, "{slow} of 40 answers took 100 ms, {counted} were delayed");
}

#[tokio::test]
async fn so_many_faults_at_once_at_most() {
    let live = Live::up(
        r#"
        service "slow.svc" { endpoint "10.0.0.1:3000"; fault { delay "1s" percent=100; max-active 1; }; }
        node "alpha" calls="*"
        node "all" serves="slow.svc"
        "#,
    )
    .await;
    let address = live.instance("alpha").instance().entrance();
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..8 {
        asked.spawn(async move {
            let begin = Instant::now();
            let answer = local::Client::new(address).send(&Request::get("/").host("slow.svc")).await.unwrap();
            assert_eq!(answer.status, 200);
            begin.elapsed() >= Duration::from_secs(1)
        });
    }
    let delayed = asked.join_all().await.into_iter().filter(|delayed| *delayed).count();
    assert_eq!(delayed, 1);
    // Envoy counts a fault until it has forgotten the request, which is a moment after its answer.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let begin = Instant::now();
        live.send("alpha", Request::get("/").host("slow.svc")).await;
        if begin.elapsed() >= Duration::from_secs(1) {
            break;
        }
        assert!(begin < deadline, "the next one has its turn");
    }
}

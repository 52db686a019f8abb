//! An operator turns every fault of an Envoy off at once, and on again.

use std::time::{Duration, Instant};

use local::{Client, Request};

use super::{Live, service};

const MESH: &str = r#"
    service "ours.svc" {
        endpoint "10.0.0.1:3000"
        health-check path="/healthz" interval="1s"
        fault { delay "300ms" percent=100; abort 501 percent=100; }
    }
    service "envoys.svc" {
        endpoint "10.0.0.1:3001"
        fault { abort 502 percent=100; engine "native"; }
    }
    service "slow.svc" {
        endpoint "10.0.0.1:3002"
        fault { abort 503 percent=100; response-rate-limit 1 percent=100; }
        // With rate limits an Envoy is told what to take of its runtime, and from where.
        rate-limit { requests 1000; per "1s"; by header="x-user"; }
    }
    node "alpha" calls="*"
    node "all" { serves "ours.svc" "envoys.svc" "slow.svc" }
"#;

#[tokio::test]
async fn every_fault_ends_at_once_and_comes_back() {
    let live = Live::up(MESH).await;
    let hosts = [("ours.svc", 501), ("envoys.svc", 502), ("slow.svc", 503)];
    for _ in 0..2 {
        for (host, status) in hosts {
            assert_eq!(live.send("alpha", Request::get("/").host(host)).await.status, status, "{host}");
        }
        runtime(&live, "meshwright.faults.off=100").await;
        for (host, _) in hosts {
            let begin = Instant::now();
            for answer in live.send_many("alpha", Request::get("/").host(host), 50).await {
                assert_eq!(service(&answer), host);
            }
            assert!(begin.elapsed() < Duration::from_secs(5), "{host}: {:?}", begin.elapsed());
        }
        runtime(&live, "meshwright.faults.off=0").await;
    }
}

/// Tells the Envoy of `all`.
async fn runtime(live: &Live, says: &str) {
    let admin = live.instance("all").instance().admin();
    let answer = Client::new(admin.address()).send(&Request::new("POST", &format!("/runtime_modify?{says}"))).await;
    assert_eq!(answer.unwrap().text(), "OK\n");
    // Workers hear of it a moment later.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let known = admin.get("/runtime").await.unwrap().json().unwrap();
        let last = known["entries"]["meshwright.faults.off"]["final_value"].as_str().unwrap_or_default().to_owned();
        let off = live.send("alpha", Request::get("/").host("envoys.svc")).await.status == 200;
        if says.ends_with(&format!("={last}")) && off == (last == "100") {
            return;
        }
        assert!(Instant::now() < deadline, "{known}");
    }
}

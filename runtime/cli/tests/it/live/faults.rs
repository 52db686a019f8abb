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
        service "slow.svc" { endpoint "10.0.0.1:3000"; fault { delay "2s" percent=100; max-active 1; }; }
        node "alpha" calls="*"
        node "all" serves="slow.svc"
        "#,
    )
    .await;
    const HELD: &str = "wasmcustom.meshwright_fault_held";
    let request = Request::get("/").host("slow.svc");
    for _ in 0..2 {
        let (address, held) = (live.instance("alpha").instance().entrance(), request.clone());
        let first = tokio::spawn(async move { local::Client::new(address).send(&held).await.unwrap() });
        live.wait_for_counter("all", HELD, |held| held == 1).await;
        let begin = Instant::now();
        for answer in live.send_many("alpha", request.clone(), 50).await {
            assert_eq!(service(&answer), "slow.svc");
        }
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        assert_eq!(service(&first.await.unwrap()), "slow.svc");
        // The next one has its turn.
        live.wait_for_counter("all", HELD, |held| held == 0).await;
    }
    assert_eq!(live.counter("all", "wasmcustom.meshwright_fault_overflows").await, 100);
    assert_eq!(live.counter("all", "wasmcustom.meshwright_fault_delays").await, 2);
}

#[tokio::test]
async fn an_abort_answers_in_its_own_words() {
    let live = Live::up(
        r##"
        service "own.svc" {
            endpoint "10.0.0.1:3000"
            fault {
                abort 503 percent=100 body=#"{"error": "chaos"}"# {
                    set "content-type" value="application/json"
                    set "retry-after" value="7"
                }
            }
        }
        service "plain.svc" { endpoint "10.0.0.1:3001"; fault { abort 503 percent=100; }; }
        node "alpha" calls="*"
        node "all" { serves "own.svc" "plain.svc" }
        "##,
    )
    .await;
    let own = live.send("alpha", Request::get("/").host("own.svc")).await;
    assert_eq!((own.status, own.text().as_ref()), (503, r#"{"error": "chaos"}"#));
    assert_eq!(own.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(own.header("retry-after").as_deref(), Some("7"));
    let plain = live.send("alpha", Request::get("/").host("plain.svc")).await;
    assert_eq!((plain.status, plain.text().as_ref()), (503, "fault filter abort"));
    assert_eq!(plain.header("content-type").as_deref(), Some("text/plain"));
}

#[tokio::test]
async fn a_grpc_abort_is_an_error_to_everybody() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            fault { grpc-abort 14 percent=100 message="out of order" { set "x-chaos" value="1"; }; }
        }
        node "alpha" calls="*"
        node "all" serves="beta.svc"
        "#,
    )
    .await;
    let request = Request::new("POST", "/shop.Cart/Get").host("beta.svc").header("content-type", "application/grpc");
    let answer = live.send("alpha", request.body(vec![0; 5])).await;
    assert_eq!((answer.status, answer.header("grpc-status").as_deref()), (200, Some("14")));
    assert_eq!(answer.header("grpc-message").as_deref(), Some("out of order"));
    assert_eq!(answer.header("x-chaos").as_deref(), Some("1"));
    let answer = live.send("alpha", Request::get("/").host("beta.svc")).await;
    assert_eq!((answer.status, answer.text().as_ref()), (503, "out of order"));
}

#[tokio::test]
async fn users_meet_the_same_fate_at_every_envoy() {
    let live = Live::up(
        r#"
        service "one.svc" {
            endpoint "10.0.0.1:3000"
            fault { abort 503 percent=50; select by-header="x-user" seed="7"; }
        }
        service "other.svc" {
            endpoint "10.0.0.2:3000"
            fault { abort 503 percent=50; select by-header="x-user" seed="7"; }
        }
        node "alpha" calls="*"
        node "one" serves="one.svc"
        node "other" serves="other.svc"
        "#,
    )
    .await;
    let mut client = live.client("alpha");
    let mut failed = 0;
    for user in 0..200 {
        let mut fates = Vec::new();
        for host in ["one.svc", "other.svc", "one.svc"] {
            let request = Request::get("/").host(host).header("x-user", user.to_string());
            fates.push(client.send(&request).await.unwrap().status);
        }
        assert!(fates.iter().all(|fate| *fate == fates[0]), "{user}: {fates:?}");
        failed += usize::from(fates[0] == 503);
    }
    // Five standard deviations of a binomial distribution with n = 200, p = 0.5 are 35.
    assert!((65..=135).contains(&failed), "{failed} of 200");
}

#[tokio::test]
async fn only_those_who_are_meant_at_the_time_that_is_meant() {
    let live = Live::up(
        r#"
        service "expired.svc" {
            endpoint "10.0.0.1:3000"
            fault { abort 503 percent=100; window until="2020-01-01T00:00:00Z"; }
        }
        service "now.svc" {
            endpoint "10.0.0.1:3001"
            fault { abort 503 percent=100; window from="2020-01-01T00:00:00Z" until="9999-01-01T00:00:00+02:00"; }
        }
        service "strangers.svc" {
            endpoint "10.0.0.1:3002"
            fault { abort 503 percent=100; callers source="192.0.2.0/24"; }
        }
        service "neighbours.svc" {
            endpoint "10.0.0.1:3003"
            fault { abort 503 percent=100; callers source="127.0.0.0/8"; }
        }
        service "header.svc" {
            endpoint "10.0.0.1:3004"
            fault { abort 503 percent=100; header "x-chaos" prefix="YES" ignore-case=#true; }
        }
        node "alpha" calls="*"
        node "all" { serves "expired.svc" "now.svc" "strangers.svc" "neighbours.svc" "header.svc" }
        "#,
    )
    .await;
    let from = |host: &str| Request::get("/").host(host);
    for (host, status) in [("expired.svc", 200), ("now.svc", 503), ("strangers.svc", 200), ("neighbours.svc", 503)] {
        assert_eq!(live.send("alpha", from(host)).await.status, status, "{host}");
    }
    // Nobody is a stranger because they say so.
    for (host, status) in [("strangers.svc", 200), ("neighbours.svc", 503)] {
        let forwarded = from(host).header("x-forwarded-for", "127.0.0.1, 192.0.2.1");
        assert_eq!(live.send("alpha", forwarded).await.status, status, "{host}");
    }
    let chaos = |value: &str| from("header.svc").header("x-chaos", value);
    for (request, status) in [
        (from("header.svc"), 200),
        (chaos("no"), 200),
        (chaos("yes, please"), 503),
        (chaos("yes").header("x-chaos", "yes"), 200),
    ] {
        assert_eq!(live.send("alpha", request).await.status, status);
    }
}

#[tokio::test]
async fn health_checks_meet_no_faults() {
    let live = Live::up(
        r#"
        service "dead.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s"
            fault { delay "20s" percent=100; abort 503 percent=100; }
        }
        service "asked.svc" {
            endpoint "10.0.0.1:3001"
            health-check path="/healthz" interval="1s"
            fault { response-rate-limit 1 percent=100; header-control max-percent=100 { abort 503; }; }
        }
        node "alpha" calls="*"
        node "all" { serves "dead.svc" "asked.svc" }
        "#,
    )
    .await;
    for cluster in ["dead_svc", "asked_svc"] {
        let checked = format!("cluster.{cluster}.health_check.success");
        live.wait_for_counter("alpha", &checked, |count| count >= 3).await;
        assert_eq!(live.counter("alpha", &format!("cluster.{cluster}.membership_healthy")).await, 1);
    }
    assert_eq!(live.counter("all", "wasmcustom.meshwright_fault_delays").await, 0);
    // Anybody else's request for the same path is one like any other.
    let begin = Instant::now();
    let client = live.client("alpha").timeout(Duration::from_millis(500));
    assert!({ client }.send(&Request::get("/healthz").host("dead.svc")).await.is_err(), "it is held back");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

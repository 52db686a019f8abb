//! Faults that Envoy's own filter makes are those that ours makes.

use std::time::{Duration, Instant};

use local::{Client, Request, Version};

use super::{Live, service, share};

#[tokio::test]
async fn both_engines_abort_the_same_share() {
    let live = Live::up(
        r#"
        service "ours.svc" {
            endpoint "10.0.0.1:3000"
            fault { abort 501 percent=30 }
        }
        service "envoys.svc" {
            endpoint "10.0.0.1:3001"
            health-check path="/healthz" interval="1s"
            fault { abort 501 percent=30; engine "native" }
        }
        service "sound.svc" { endpoint "10.0.0.1:3002" }
        node "alpha" calls="*"
        node "all" { serves "ours.svc" "envoys.svc" "sound.svc" }
        "#,
    )
    .await;
    for host in ["ours.svc", "envoys.svc"] {
        // A caller's headers and its name change nothing.
        let request = Request::get("/")
            .host(host)
            .header("x-envoy-fault-abort-request", "418")
            .header("x-envoy-fault-abort-request-percentage", "100")
            .header("x-envoy-downstream-service-cluster", "alpha");
        let answers = live.send_many("alpha", request, 5000).await;
        let aborted = answers.iter().filter(|answer| answer.status == 501).count();
        // Five standard deviations of a binomial distribution with n = 5000, p = 0.3 are 162.
        assert!((1338..=1662).contains(&aborted), "{aborted} of 5000 by {host}");
        assert!(answers.iter().all(|answer| [200, 501].contains(&answer.status)));
    }
    for answer in live.send_many("alpha", Request::get("/").host("sound.svc"), 300).await {
        assert_eq!(service(&answer), "sound.svc");
    }
    // Health checks are spared: nothing was found unhealthy in all this time.
    assert_eq!(live.counter("all", "cluster.local_envoys_svc.membership_healthy").await, 1);
    assert_eq!(live.counter("alpha", "cluster.envoys_svc.membership_healthy").await, 1);
}

#[tokio::test]
async fn a_delay_of_envoys_own_is_waited_for() {
    let live = Live::up(
        r#"
        service "slow.svc" {
            endpoint "10.0.0.1:3000"
            fault { delay "200ms" percent=100; abort 503 percent=100; engine "native" }
        }
        node "alpha" calls="*"
        node "all" serves="slow.svc"
        "#,
    )
    .await;
    let begin = Instant::now();
    let answer = live.send("alpha", Request::get("/").host("slow.svc")).await;
    assert_eq!(answer.status, 503);
    // Envoy's timers may be early by a millisecond.
    assert!(begin.elapsed() >= Duration::from_millis(199), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn only_requests_with_the_headers_fail() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            fault {
                abort 418 percent=100
                header "x-chaos" regex="y.s"
            }
        }
        node "alpha" calls="*"
        node "all" serves="beta.svc"
        "#,
    )
    .await;
    let request = || Request::get("/").host("beta.svc");
    assert_eq!(live.send("alpha", request().header("x-chaos", "yes")).await.status, 418);
    assert_eq!(live.send("alpha", request().header("x-chaos", "no")).await.status, 200);
    assert_eq!(live.send("alpha", request()).await.status, 200);
}

#[tokio::test]
async fn a_share_of_grpc_calls_gets_a_grpc_status() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            fault { grpc-abort 14 percent=40; engine "native"; }
        }
        node "all" serves="beta.svc"
        gateway "front" { listen 8080; calls "beta.svc" }
        "#,
    )
    .await;
    let request = Request::new("POST", "/shop.Cart/Get")
        .host("beta.svc")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(vec![0; 5]);
    let mut client = Client::new(live.at("front", 8080)).version(Version::Http2);
    let mut refused = 0;
    for _ in 0..300 {
        let answer = client.send(&request).await.unwrap();
        let status = answer.header("grpc-status").or_else(|| answer.trailer("grpc-status"));
        refused += usize::from(status.as_deref() == Some("14"));
    }
    assert!((80..=160).contains(&refused), "{refused} of 300: {:.1} %", share(refused, 300));
}

#[tokio::test]
async fn responses_are_slowed_down() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            fault { response-rate-limit 1 percent=100 }
        }
        node "alpha" calls="*"
        node "all" serves="beta.svc"
        "#,
    )
    .await;
    // The workload tells what it received: three kibibytes.
    let begin = Instant::now();
    let request = Request::get("/").host("beta.svc").header("x-long", "x".repeat(3 * 1024));
    assert_eq!(service(&live.send("alpha", request).await), "beta.svc");
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
}

//! An endpoint that fails is left out for a while, and comes back.

use local::{Behaviour, Request};

use super::Live;

const EJECTED: &str = "cluster.beta_svc.outlier_detection.ejections_active";

#[tokio::test]
async fn a_failing_endpoint_is_left_out_and_comes_back() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000"
            outlier-detection consecutive-5xx=3 interval="100ms" base-ejection-time="500ms" max-ejection-time="500ms"
        }
        node "alpha" calls="beta.svc"
        "#,
    )
    .await;
    let (broken, sound) = (live.workload("10.0.0.1:3000"), live.workload("10.0.0.2:3000"));
    broken.behave(Behaviour::Status(500));
    let get = || Request::get("/").host("beta.svc");
    while live.counter("alpha", EJECTED).await == 0 {
        live.send("alpha", get()).await;
    }
    broken.reset();
    sound.reset();
    live.wait_for_counter("alpha", EJECTED, |ejected| ejected == 0).await;
    while broken.received_count() == 0 {
        assert_eq!(live.send("alpha", get()).await.status, 200);
    }
    assert!(live.counter("alpha", "cluster.beta_svc.outlier_detection.ejections_enforced_total").await >= 1);
}

#[tokio::test]
async fn while_it_is_left_out_nobody_meets_it() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000"
        }
        node "alpha" {
            calls "beta.svc" {
                outlier-detection consecutive-5xx=50 consecutive-gateway-failure=2 interval="100ms" base-ejection-time="60s"
            }
        }
        node "other" calls="beta.svc"
        "#,
    )
    .await;
    let broken = live.workload("10.0.0.1:3000");
    broken.behave(Behaviour::Status(503));
    let get = || Request::get("/").host("beta.svc");
    while live.counter("alpha", EJECTED).await == 0 {
        live.send("alpha", get()).await;
    }
    let before = broken.received_count();
    // Envoy's workers hear of it a moment later.
    let mut in_a_row = 0;
    while in_a_row < 30 {
        in_a_row = if live.send("alpha", get()).await.status == 200 { in_a_row + 1 } else { 0 };
    }
    assert!(broken.received_count() <= before + 10);
    // Who did not ask for it meets both.
    let answers = live.send_many("other", get(), 40).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 503).count(), 20);
}

#[tokio::test]
async fn so_many_are_left_out_at_most() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000"
            endpoint "10.0.0.3:3000"
            endpoint "10.0.0.4:3000"
            outlier-detection consecutive-5xx=2 interval="100ms" base-ejection-time="60s" max-ejection-percent=50
        }
        node "alpha" calls="beta.svc"
        "#,
    )
    .await;
    for last in 1..=4 {
        live.workload(&format!("10.0.0.{last}:3000")).behave(Behaviour::Status(500));
    }
    let overflow = "cluster.beta_svc.outlier_detection.ejections_overflow";
    while live.counter("alpha", overflow).await == 0 {
        assert_eq!(live.send("alpha", Request::get("/").host("beta.svc")).await.status, 500);
    }
    assert_eq!(live.counter("alpha", EJECTED).await, 2);
}

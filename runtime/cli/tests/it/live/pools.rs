//! Bounds on what is open: of each caller, and of the service's own sidecar; and what connections speak.

use std::collections::BTreeSet;

use ::world::grpc;
use local::client::Version;
use local::{Request, Response};

use super::{Live, service};

fn slow() -> Request {
    Request::get("/").host("beta.svc").header("x-echo-delay", "300")
}

fn refused(answers: &[Response]) -> usize {
    answers.iter().filter(|answer| answer.status == 503).count()
}

#[tokio::test]
async fn what_is_beyond_a_callers_bounds_is_refused_at_once() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            circuit-breaker max-connections=1 max-pending=1
        }
        node "alpha" calls="beta.svc"
        node "patient" { calls "beta.svc" { circuit-breaker max-connections=100 } }
        "#,
    )
    .await;
    let answers = live.send_many("alpha", slow(), 16).await;
    assert!((1..16).contains(&refused(&answers)), "{} of 16 were refused", refused(&answers));
    let overloaded = answers.iter().filter(|answer| answer.header("x-envoy-overloaded").is_some());
    assert_eq!(overloaded.count(), refused(&answers));
    let overflow = live.counter("alpha", "cluster.beta_svc.upstream_rq_pending_overflow").await;
    assert_eq!(overflow, refused(&answers) as u64);
    assert_eq!(refused(&live.send_many("patient", slow(), 16).await), 0);
}

#[tokio::test]
async fn the_services_own_sidecar_holds_its_bounds_whoever_calls() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            circuit-breaker max-requests=1000
            inbound max-connections=1 max-pending=1
        }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        "#,
    )
    .await;
    let answers = live.send_many("alpha", slow(), 16).await;
    assert!((1..16).contains(&refused(&answers)), "{} of 16 were refused", refused(&answers));
    let overflow = live.counter("beta", "cluster.local_beta_svc.upstream_rq_pending_overflow").await;
    assert_eq!(overflow, refused(&answers) as u64);
    assert_eq!(live.counter("alpha", "cluster.beta_svc.upstream_rq_pending_overflow").await, 0);
}

/// A budget lets retries grow with the traffic, where the circuit breaker would stop them at three.
#[tokio::test]
async fn a_budget_replaces_the_bound_on_retries() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            retry attempts=1 on="5xx" { budget percent=100 min-concurrency=100 }
        }
        service "gamma.svc" {
            endpoint "10.0.0.2:3000"
            retry attempts=1 on="5xx" { budget percent=0 min-concurrency=0 }
        }
        node "alpha" calls="*"
        "#,
    )
    .await;
    let failing = |host| Request::get("/").host(host).header("x-echo-status", "500").header("x-echo-delay", "100");
    live.send_many("alpha", failing("beta.svc"), 64).await;
    live.send_many("alpha", failing("gamma.svc"), 64).await;
    assert_eq!(live.counter("alpha", "cluster.beta_svc.upstream_rq_retry").await, 64);
    assert_eq!(live.counter("alpha", "cluster.beta_svc.upstream_rq_retry_overflow").await, 0);
    assert_eq!(live.counter("alpha", "cluster.gamma_svc.upstream_rq_retry").await, 0);
    assert_eq!(live.counter("alpha", "cluster.gamma_svc.upstream_rq_retry_overflow").await, 64);
}

#[tokio::test]
async fn a_connection_is_closed_after_so_many_requests() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            connection-pool max-requests-per-connection=2
        }
        service "gamma.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="*"
        "#,
    )
    .await;
    let (mut client, mut connections) = (live.client("alpha"), BTreeSet::new());
    for host in ["beta.svc", "gamma.svc"] {
        for _ in 0..6 {
            assert_eq!(service(&client.send(&Request::get("/").host(host)).await.unwrap()), host);
        }
    }
    for received in live.workload("10.0.0.1:3000").received() {
        connections.insert(received.peer);
    }
    assert_eq!(connections.len(), 3);
    let kept = live.workload("10.0.0.2:3000").received().into_iter().map(|received| received.peer);
    assert_eq!(kept.collect::<BTreeSet<_>>().len(), 1);
}

#[tokio::test]
async fn a_connection_is_closed_after_so_long_and_no_request_is_lost() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            connection-pool max-connection-duration="300ms"
        }
        node "alpha" calls="beta.svc"
        "#,
    )
    .await;
    let mut client = live.client("alpha");
    let reached = "cluster.beta_svc.upstream_cx_max_duration_reached";
    while live.counter("alpha", reached).await < 3 {
        assert_eq!(client.send(&Request::get("/").host("beta.svc")).await.unwrap().status, 200);
    }
    let received = live.workload("10.0.0.1:3000").received();
    let connections: BTreeSet<_> = received.iter().map(|received| received.peer).collect();
    assert!(connections.len() >= 3, "{connections:?}");
}

/// From the caller's sidecar to the application's, and from there to the application.
#[tokio::test]
async fn http2_and_grpc_are_spoken_to_the_end() {
    let live = Live::up(
        r#"
        service "two.svc" { protocol "http2"; endpoint "10.0.0.1:3000" }
        service "rpc.svc" { protocol "grpc"; endpoint "10.0.0.1:3001" }
        service "one.svc" { endpoint "10.0.0.1:3002" }
        node "alpha" calls="*"
        node "beta" { serves "two.svc" "rpc.svc" "one.svc" }
        "#,
    )
    .await;
    assert_eq!(service(&live.send("alpha", Request::get("/").host("two.svc")).await), "two.svc");
    let mut client = live.client("alpha").version(Version::Http2);
    let reply = grpc::call(&mut client, &grpc::request("rpc.svc", "/shop.v1.Cart/Get", b"x")).await.unwrap();
    assert_eq!(reply.grpc_status, Some(0));
    assert_eq!(reply.echo()["service"], "rpc.svc");
    let refusal = grpc::request("rpc.svc", "/shop.v1.Cart/Get", b"x").header("x-echo-grpc-status", "7");
    assert_eq!(grpc::call(&mut client, &refusal).await.unwrap().grpc_status, Some(7));
    assert_eq!(service(&live.send("alpha", Request::get("/").host("one.svc")).await), "one.svc");
    for service in ["two_svc", "rpc_svc"] {
        assert_eq!(live.counter("alpha", &format!("cluster.{service}.upstream_cx_http2_total")).await, 1, "{service}");
        let at_home = live.counter("beta", &format!("cluster.local_{service}.upstream_cx_http2_total")).await;
        assert_eq!(at_home, 1, "{service}");
    }
    assert_eq!(live.counter("alpha", "cluster.one_svc.upstream_cx_http1_total").await, 1);
}

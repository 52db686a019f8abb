//! Spans come to the collector, as its protocol has them.

use std::time::Instant;

use local::{Received, Request};
use tokio::time::sleep;
use world::{Outside, Serves};

use super::{Live, PATIENCE, POLL};

/// Sends requests until a span with this text has come.
async fn traced(live: &Live, collector: &str, path: &str, text: &str) -> Received {
    let deadline = Instant::now() + PATIENCE;
    loop {
        live.send("alpha", Request::get("/traced").host("beta.svc")).await;
        let received = live.outside().echo(collector).received();
        let found = received.into_iter().find(|it| it.path == path && String::from_utf8_lossy(&it.body).contains(text));
        if let Some(found) = found {
            return found;
        }
        assert!(Instant::now() < deadline, "no span with `{text}` at {path}");
        sleep(POLL).await;
    }
}

fn mesh(tracing: &str) -> String {
    format!(
        r#"
        service "beta.svc" {{ endpoint "10.0.0.1:3000" }}
        node "beta" serves="beta.svc"
        node "alpha" {{ calls "*"; {tracing}; }}
        "#
    )
}

#[tokio::test]
async fn otlp() {
    let mut outside = Outside::new().await;
    outside.add("collector.local:4317", Serves::Http).await;
    let tracing = r#"tracing "otlp" address="collector.local:4317" service-name="shop-front" { tags { stage "production" } }"#;
    let live = Live::of(&mesh(tracing)).outside(outside).up().await;
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let span = traced(&live, "collector.local:4317", path, "shop-front").await;
    assert!(String::from_utf8_lossy(&span.body).contains("production"));
    // The application is told the trace, so that it can pass it on.
    let received = live.workload("10.0.0.1:3000").received();
    assert!(received.iter().any(|it| !it.header("traceparent").is_empty()));
}

#[tokio::test]
async fn zipkin() {
    let mut outside = Outside::new().await;
    outside.add("zipkin.local:9411", Serves::Http).await;
    let tracing = r#"tracing "zipkin" address="zipkin.local:9411""#;
    let live = Live::of(&mesh(tracing)).outside(outside).up().await;
    let span = traced(&live, "zipkin.local:9411", "/api/v2/spans", "\"serviceName\":\"alpha\"").await;
    assert_eq!(span.method, "POST");
}

#[tokio::test]
async fn datadog() {
    let mut outside = Outside::new().await;
    outside.add("agent.local:8126", Serves::Http).await;
    let tracing = r#"tracing "datadog" address="agent.local:8126" service-name="shop-front""#;
    let live = Live::of(&mesh(tracing)).outside(outside).up().await;
    traced(&live, "agent.local:8126", "/v0.4/traces", "shop-front").await;
}

#[tokio::test]
async fn x_ray_gets_the_share_that_is_said() {
    let mut outside = Outside::new().await;
    let daemon = outside.add("198.51.100.7:2000", Serves::Datagrams).await;
    let tracing = format!(r#"tracing "xray" address="{daemon}" percent=50"#);
    let live = Live::of(&mesh(&tracing)).outside(outside).up().await;
    let requests = 400;
    live.send_many("alpha", Request::get("/").host("beta.svc"), requests).await;
    let daemon = live.outside().datagrams("198.51.100.7:2000");
    let segments = || daemon.text().lines().filter(|line| line.contains("\"name\":\"alpha\"")).count();
    // Five standard deviations of a binomial distribution with n = 400, p = 0.5 are 50.
    let deadline = Instant::now() + PATIENCE;
    while segments() < requests / 2 - 50 {
        assert!(Instant::now() < deadline, "{} segments", segments());
        sleep(POLL).await;
    }
    assert!(segments() <= requests / 2 + 50, "{} segments", segments());
}

#[tokio::test]
async fn nothing_is_told_of_a_share_of_nothing() {
    let mut outside = Outside::new().await;
    outside.add("zipkin.local:9411", Serves::Http).await;
    let tracing = r#"tracing "zipkin" address="zipkin.local:9411" percent=0"#;
    let live = Live::of(&mesh(tracing)).outside(outside).up().await;
    live.send_many("alpha", Request::get("/").host("beta.svc"), 100).await;
    assert_eq!(live.counter("alpha", "http.egress_route_http.tracing.random_sampling").await, 0);
    assert_eq!(live.counter("alpha", "http.egress_route_http.tracing.not_traceable").await, 100);
    assert_eq!(live.counter("alpha", "tracing.zipkin.spans_sent").await, 0);
}

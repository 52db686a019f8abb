//! Metrics go where the mesh says, with the tags it says.

use std::time::Instant;

use local::Request;
use tokio::time::sleep;
use world::{Outside, Serves};

use super::{Live, PATIENCE, POLL};

#[tokio::test]
async fn every_sink_gets_metrics() {
    let mut outside = Outside::new().await;
    outside.add("198.51.100.7:8125", Serves::Datagrams).await;
    outside.add("198.51.100.8:9125", Serves::Datagrams).await;
    outside.add("collector.local:4317", Serves::Http).await;
    let live = Live::of(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        node "alpha" {
            calls "*"
            stats {
                prometheus 15091
                sink dog-statsd="198.51.100.7:8125" prefix="shop"
                sink statsd="198.51.100.8:9125" prefix="plain"
                sink otlp="collector.local:4317" prefix="told"
                tags { stage "production" }
            }
        }
        "#,
    )
    .outside(outside)
    .up()
    .await;
    live.send_many("alpha", Request::get("/").host("beta.svc"), 5).await;
    let outside = live.outside();
    let tagged = |line: &str| {
        line.starts_with("shop.cluster.upstream_rq_total:5|c")
            && line.contains("envoy.cluster_name:beta_svc")
            && line.contains("stage:production")
    };
    outside.datagrams("198.51.100.7:8125").wait_for_line(tagged, PATIENCE).await;
    let plain = |line: &str| line.starts_with("plain.cluster.beta_svc.upstream_rq_total:5|c");
    outside.datagrams("198.51.100.8:9125").wait_for_line(plain, PATIENCE).await;
    let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let received = outside.echo("collector.local:4317").received();
        let told = |text: &str| {
            received.iter().any(|it| it.path == path && String::from_utf8_lossy(&it.body).contains(text))
        };
        if told("told.") && told("production") {
            break;
        }
        assert!(Instant::now() < deadline, "no metrics at the collector");
        sleep(POLL).await;
    }
    let metrics = live.send_to("alpha", 15091, Request::get("/stats/prometheus")).await;
    let line = "envoy_cluster_upstream_rq_total{stage=\"production\",envoy_cluster_name=\"beta_svc\"} 5";
    assert!(metrics.text().lines().any(|it| it == line), "{}", metrics.text());
}

//! Access logs have the entries, keys and form that the mesh says.

use std::collections::BTreeSet;
use std::time::Instant;

use local::Request;
use tokio::time::sleep;
use world::{Outside, Serves};

use super::{Live, PATIENCE, POLL};

#[tokio::test]
async fn the_keys_are_those_that_are_said() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "all" serves="beta.svc"
        node "alpha" {
            calls "*"
            access-log "json" min-status=400 {
                fields { status "%RESPONSE_CODE%"; user "%REQ(X-USER)%"; share "100%%" }
            }
        }
        "#,
    )
    .await;
    let request = |host: &str, user: &str| Request::get("/").host(host).header("x-user", user);
    assert_eq!(live.send("alpha", request("beta.svc", "ada")).await.status, 200);
    assert_eq!(live.send("alpha", request("nobody.svc", "grace")).await.status, 404);
    let entry = live.wait_for_log("alpha", |entry| entry["user"] == "grace").await;
    assert_eq!(entry, serde_json::json!({ "status": 404, "user": "grace", "share": "100%" }));
    // What was not refused has no entry, though it came first.
    let entries = live.instance("alpha").access_log().unwrap();
    assert!(entries.iter().all(|entry| entry["status"] != 200), "{entries:?}");
}

#[tokio::test]
async fn lines_go_into_the_file_that_is_said() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "all" serves="beta.svc"
        node "alpha" { calls "*"; access-log "text" path="${folder}/lines.log" line="%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%" }
        "#,
    )
    .await;
    for path in ["/a", "/b"] {
        live.send("alpha", Request::get(path).host("beta.svc")).await;
    }
    let path = live.folder().join("lines.log");
    wait_until(|| std::fs::read_to_string(&path).is_ok_and(|text| text == "GET /a 200\nGET /b 200\n")).await;
}

#[tokio::test]
async fn every_envoy_logs_the_same_share() {
    let live = Live::up(
        r#"
        defaults { access-log "json" percent=20 }
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        node "alpha" calls="*"
        "#,
    )
    .await;
    live.send_many("alpha", Request::get("/").host("beta.svc"), 2000).await;
    let ids = |instance: &str| -> BTreeSet<String> {
        let entries = live.instance(instance).access_log().unwrap();
        entries.iter().filter_map(|entry| Some(entry["request_id"].as_str()?.to_owned())).collect()
    };
    // Five standard deviations of a binomial distribution with n = 2000, p = 0.2 are 89.
    wait_until(|| ids("alpha").len() >= 311 && ids("alpha") == ids("beta")).await;
    assert!(ids("alpha").len() <= 489, "{}", ids("alpha").len());
}

#[tokio::test]
async fn a_collector_gets_entries() {
    let mut outside = Outside::new().await;
    outside.add("collector.local:4317", Serves::Http).await;
    let live = Live::of(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        node "alpha" { calls "*"; access-log "json" otlp="collector.local:4317" { fields { told "%REQ(X-USER)%" } } }
        "#,
    )
    .outside(outside)
    .up()
    .await;
    live.send("alpha", Request::get("/").host("beta.svc").header("x-user", "ada-lovelace")).await;
    let collector = live.outside().echo("collector.local:4317");
    let told = |part: &str| {
        let export = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
        let is_export = |it: &local::Received| it.path == export && it.protocol == "HTTP/2.0";
        collector.received().iter().any(|it| is_export(it) && String::from_utf8_lossy(&it.body).contains(part))
    };
    wait_until(|| ["told", "ada-lovelace", "service.name", "alpha"].iter().all(|part| told(part))).await;
}

async fn wait_until(true_at_last: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !true_at_last() {
        assert!(Instant::now() < deadline, "it never becomes so");
        sleep(POLL).await;
    }
}

//! What it tells of its work: log lines for machines, and traces.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use local::echo::{self, Identity, Tries};
use prost::Message;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::process::{Folder, MESH, PATIENCE, Serve};

#[test]
fn log_lines_for_machines_are_objects() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &["--log-format", "json"]);
    folder.write(&MESH.replace("serves=\"beta.svc\"", "serves=\"betta.svc\""));
    serve.until(|status| !status["stale"].is_null());
    let log = serve.stderr();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let message = |line: &Value| line["message"].as_str().unwrap_or_default().to_owned();
    assert!(lines.iter().any(|line| line["level"] == "INFO" && message(line).starts_with("published ")), "{log}");
    let refused = lines.iter().find(|line| line["level"] == "ERROR").unwrap();
    let findings: Value = serde_json::from_str(refused["findings"].as_str().unwrap()).unwrap();
    assert_eq!(findings["findings"][0]["code"], "unknown-service");
}

#[derive(Clone, PartialEq, Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
}

/// The first message of a gRPC request.
fn spans(body: &[u8]) -> Vec<Span> {
    let Some((_, message)) = body.split_at_checked(5) else { return Vec::new() };
    let Ok(export) = Export::decode(message) else { return Vec::new() };
    export.resources.into_iter().flat_map(|it| it.scopes).flat_map(|it| it.spans).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconcile_is_a_trace_with_a_span_for_each_step() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let identity = Identity { node: None, service: "collector".to_owned(), endpoint: url.clone() };
    let collector = echo::serve(listener, identity, Tries::default()).unwrap();
    let stopped = tokio::task::spawn_blocking(move || {
        let folder = Folder::with(MESH);
        let serve = Serve::start(&folder, &["--otlp", &url]);
        serve.until(|status| status["store_error"].is_null() && status["stale"].is_null());
        serve.stop()
    });
    assert_eq!(stopped.await.unwrap().code(), Some(0));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let received = collector.received();
        let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let exports: Vec<_> = received.iter().filter(|request| request.path == export).collect();
        let spans: Vec<Span> = exports.iter().flat_map(|request| spans(&request.body)).collect();
        let names: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.name.as_str(), span)).collect();
        if let Some(reconcile) = names.get("reconcile")
            && names.len() == 6
        {
            for step in ["read", "compile", "guard", "publish", "store"] {
                let span = names[step];
                assert_eq!((&span.trace, &span.parent), (&reconcile.trace, &reconcile.id), "{step}");
            }
            assert!(String::from_utf8_lossy(&exports[0].body).contains("meshwright-control-plane"));
            return;
        }
        assert!(Instant::now() < deadline, "{names:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_collector_that_is_away_holds_nothing_up() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &["--otlp", "http://127.0.0.1:9"]);
    assert_eq!(serve.get("/readyz").0, 200);
    let begun = Instant::now();
    assert_eq!(serve.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

//! The pages for operators, and the client status service.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use envoy::service::discovery::v3::DiscoveryRequest;
use meshwright_control_plane::admin::{self, Discovery, NotHeld, Pages};
use meshwright_control_plane::csds::{ClientStatusRequest, ClientStatusResponse, ConfigStatus, NodeMatcher};
use meshwright_control_plane::server::Options;
use meshwright_control_plane::status::{From, Seconds, Serving, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Code;

use super::harness::{Server, clusters, eventually, local, start, start_with};
use crate::client::{self, CLUSTER, PATIENCE};

struct Admin {
    running: admin::Running,
    status: watch::Sender<Status>,
    allowed: Arc<Mutex<Vec<String>>>,
}

async fn admin(server: &Server) -> Admin {
    admin_with(server, None).await
}

async fn admin_with(server: &Server, discovery: Option<Arc<dyn Discovery>>) -> Admin {
    let (status, receiver) = watch::channel(Status::default());
    let allowed: Arc<Mutex<Vec<String>>> = Arc::default();
    let said = Arc::clone(&allowed);
    let pages = Pages {
        status: receiver,
        metrics: server.metrics.clone(),
        registry: server.registry.clone(),
        allow: Arc::new(move |digest: String| {
            let said = Arc::clone(&said);
            Box::pin(async move {
                if digest != "right" {
                    return Err(NotHeld);
                }
                said.lock().unwrap().push(digest);
                Ok(())
            })
        }),
        discovery,
    };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = admin::start(admin::Options { listen, insecure: false }, pages).await.unwrap();
    Admin { running, status, allowed }
}

impl Admin {
    /// The status and the body.
    async fn ask(&self, method: &str, path: &str) -> (u16, String) {
        self.ask_as("localhost:18001", method, path).await
    }

    async fn ask_as(&self, host: &str, method: &str, path: &str) -> (u16, String) {
        self.ask_with(&format!("host: {host}"), method, path).await
    }

    async fn ask_with(&self, headers: &str, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.running.address()).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\n{headers}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_plane_is_alive_at_once_and_ready_when_it_has_a_mesh() {
    let server = start(clusters(&[], &[], "0")).await;
    let admin = admin(&server).await;
    assert_eq!(admin.ask("GET", "/healthz").await, (200, "alive\n".into()));
    let (status, why) = admin.ask("GET", "/readyz").await;
    assert_eq!((status, why.as_str()), (503, "no complete state of the mesh was loaded or compiled yet\n"));
    let serving = Serving { digest: "abc".into(), since: Seconds(0), from: From::Compiled, proxies: 1, resources: 1 };
    admin.status.send_replace(Status { serving: Some(serving), ..Status::default() });
    assert_eq!(admin.ask("GET", "/readyz").await, (200, "ready\n".into()));
    let (_, text) = admin.ask("GET", "/status").await;
    assert!(text.starts_with("serving    abc for "), "{text}");
    let (_, json) = admin.ask("GET", "/status?format=json").await;
    assert!(json.contains(r#""serving":{"digest":"abc","since":0,"from":"compiled""#), "{json}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_streams_page_shows_what_was_sent_accepted_and_refused_without_secrets() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let admin = admin(&server).await;
    let channel = server.channel().await;
    let mut settled = client::delta(&channel).await.unwrap();
    settled.subscribe("web~settled", CLUSTER);
    let response = settled.hear().await;
    settled.acknowledge(&response);
    let mut refusing = client::sotw(&channel).await.unwrap();
    refusing.subscribe("web~refusing", CLUSTER);
    let response = refusing.hear().await;
    refusing.refuse(&response, "", "bad cluster: {\"password\": \"hunter2\"}");
    eventually("the refusal arrived", || server.metric("refusals_total{type=\"cds\"}") == 1.0).await;
    eventually("the acknowledgement arrived", || server.metric("acknowledged_total{type=\"cds\"}") == 1.0).await;
    let (_, text) = admin.ask("GET", "/streams").await;
    let line = |node: &str| {
        let line = text.lines().find(|line| line.starts_with(node)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("web~settled")[..3], ["web~settled", "delta", "settled"]);
    assert_eq!(line("web~refusing")[..3], ["web~refusing", "sotw", "refused"]);
    assert!(text.contains("2 streams"), "{text}");
    assert!(text.contains("web~refusing refuses cds"), "{text}");
    let (_, json) = admin.ask("GET", "/streams?format=json").await;
    let streams: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(streams.as_array().unwrap().len(), 2);
    assert_eq!(streams[0]["state"], "refused");
    assert_eq!(streams[1]["types"][0]["acknowledged"], streams[1]["types"][0]["sent"]);
    let (_, metrics) = admin.ask("GET", "/metrics").await;
    for page in [text, json, metrics] {
        assert!(!page.contains("hunter2"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_openmetrics_and_tell_how_far_streams_are() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let admin = admin(&server).await;
    let channel = server.channel().await;
    let mut stream = client::delta(&channel).await.unwrap();
    stream.subscribe("web", CLUSTER);
    let response = stream.hear().await;
    stream.acknowledge(&response);
    eventually("it is settled", || server.metric("unsettled_streams") == 0.0).await;
    server.publish(clusters(&["web"], &["a"], "1"));
    let response = stream.hear().await;
    eventually("it is behind", || server.metric("unsettled_streams") == 1.0).await;
    stream.acknowledge(&response);
    eventually("it is settled again", || server.metric("unsettled_streams") == 0.0).await;
    assert_eq!(server.metric("convergence_seconds_count"), 1.0);
    let (status, text) = admin.ask("GET", "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"), "{text}");
    for series in [
        "meshwright_control_plane_streams{variant=\"delta\"} 1",
        "meshwright_control_plane_pushes_total{type=\"cds\"} 2",
        "meshwright_control_plane_acknowledged_total{type=\"cds\"} 2",
        "meshwright_control_plane_refusals_total{type=\"cds\"} 0",
        "meshwright_control_plane_publications_total 2",
        "meshwright_control_plane_reconciles_total{outcome=\"published\"} 0",
        "meshwright_control_plane_stale 0",
    ] {
        assert!(text.lines().any(|line| line == series), "no {series} in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_state_is_published_by_its_digest_and_by_no_other_request() {
    let server = start(clusters(&[], &[], "0")).await;
    let admin = admin(&server).await;
    assert_eq!(admin.ask("POST", "/allow/wrong").await.0, 404);
    assert_eq!(admin.ask("GET", "/allow/right").await.0, 405);
    assert_eq!(admin.ask_as("evil.example", "POST", "/allow/right").await.0, 421);
    assert_eq!(admin.allowed.lock().unwrap().len(), 0);
    assert_eq!(admin.ask("POST", "/allow/right").await, (200, "published\n".into()));
    assert_eq!(*admin.allowed.lock().unwrap(), ["right"]);
}

/// A browser sends such a request for any page, without asking anybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_page_in_a_browser_on_this_machine_publishes_nothing() {
    let server = start(clusters(&[], &[], "0")).await;
    let admin = admin(&server).await;
    for header in [
        "origin: https://evil.example",
        "origin: null",
        "sec-fetch-site: cross-site",
        "sec-fetch-site: same-site",
        "sec-fetch-site:",
    ] {
        let headers = format!("host: 127.0.0.1:18001\r\n{header}");
        assert_eq!(admin.ask_with(&headers, "POST", "/allow/right").await.0, 403, "{header}");
    }
    assert_eq!(admin.allowed.lock().unwrap().len(), 0);
    let (status, _) = admin.ask_with("host: localhost\r\nsec-fetch-site: none", "POST", "/allow/right").await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_for_what_does_not_exist_is_not_behind() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let admin = admin(&server).await;
    let channel = server.channel().await;
    let stream = client::sotw(&channel).await.unwrap();
    stream.say(DiscoveryRequest {
        node: Some(client::named("web")),
        type_url: CLUSTER.into(),
        resource_names: vec!["missing".into()],
        ..Default::default()
    });
    eventually("it is served", || server.metric("streams_opened_total{variant=\"sotw\"}") == 1.0).await;
    eventually("it is settled", || server.metric("unsettled_streams") == 0.0).await;
    let (_, text) = admin.ask("GET", "/streams").await;
    assert!(text.lines().any(|line| line.starts_with("web") && line.contains("settled")), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_was_refused_earlier_counts_as_refused_when_it_comes_again() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut stream = client::delta(&channel).await.unwrap();
    stream.subscribe("web", CLUSTER);
    let response = stream.hear().await;
    stream.acknowledge(&response);
    server.publish(clusters(&["web"], &["a"], "bad"));
    let response = stream.hear().await;
    stream.refuse(&response, "no");
    eventually("it refuses", || server.metric("refusing_streams") == 1.0).await;
    server.publish(clusters(&["web"], &["a"], "0"));
    let response = stream.hear().await;
    stream.acknowledge(&response);
    eventually("it refuses nothing", || server.metric("refusing_streams") == 0.0).await;
    server.publish(clusters(&["web"], &["a"], "bad"));
    eventually("it refuses again", || server.metric("refusing_streams") == 1.0).await;
}

/// Keeps what vanished until it is released.
struct Keeping(AtomicBool);

impl Discovery for Keeping {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![("discovery", "3 tasks are kept".to_owned())]
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "retained": 3 })
    }

    fn release(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_is_a_part_of_the_status_and_lets_go_what_it_keeps_when_an_operator_says_so() {
    let server = start(clusters(&[], &[], "0")).await;
    let admin = admin_with(&server, Some(Arc::new(Keeping(AtomicBool::new(true))))).await;
    let (_, text) = admin.ask("GET", "/status").await;
    assert!(text.contains("discovery  3 tasks are kept\n"), "{text}");
    let (_, json) = admin.ask("GET", "/status?format=json").await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["discovery"]["retained"], &json["tombstones"]), (&3.into(), &0.into()));
    let page = "host: localhost:18001\r\norigin: http://localhost:18001";
    assert_eq!(admin.ask_with(page, "POST", "/release").await.0, 403);
    assert_eq!(admin.ask("GET", "/release").await.0, 405);
    assert_eq!(admin.ask("POST", "/release").await, (200, "released\n".into()));
    assert_eq!(admin.ask("POST", "/release").await, (404, "nothing is kept that vanished\n".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_are_for_this_machine_alone() {
    let server = start(clusters(&[], &[], "0")).await;
    let admin = admin(&server).await;
    assert_eq!(admin.ask_as("rebound.example:18001", "GET", "/status").await.0, 421);
    assert_eq!(admin.ask_as("127.0.0.1:18001", "GET", "/status").await.0, 200);
    assert_eq!(admin.ask_as("[::1]:18001", "GET", "/status").await.0, 200);
    let pages = Pages {
        status: admin.status.subscribe(),
        metrics: server.metrics.clone(),
        registry: server.registry.clone(),
        allow: Arc::new(|_| Box::pin(async { Err(NotHeld) })),
        discovery: None,
    };
    let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let error = admin::start(admin::Options { listen, insecure: false }, pages.clone()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "0.0.0.0:0 can be reached from other machines, and the pages ask nobody who they are: listen on 127.0.0.1, or \
         say `--insecure`"
    );
    admin::start(admin::Options { listen, insecure: true }, pages).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_does_not_end_or_is_too_long_takes_nothing_from_the_pages() {
    let server = start(clusters(&[], &[], "0")).await;
    let admin = admin(&server).await;
    let mut slow = TcpStream::connect(admin.running.address()).await.unwrap();
    slow.write_all(b"GET /status HTTP/1.1\r\nhost: local").await.unwrap();
    let mut long = TcpStream::connect(admin.running.address()).await.unwrap();
    let _ = long.write_all(format!("GET / HTTP/1.1\r\nx: {}\r\n", "y".repeat(1 << 20)).as_bytes()).await;
    assert_eq!(admin.ask("GET", "/healthz").await.0, 200);
    let mut rest = Vec::new();
    // Closed by the server, whatever it says before.
    timeout(PATIENCE, slow.read_to_end(&mut rest)).await.expect("a slow request ends").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csds_tells_for_each_stream_which_version_of_which_resource_was_accepted() {
    let server = start(clusters(&["web"], &["a", "b"], "7")).await;
    let channel = server.channel().await;
    let mut accepted = client::sotw(&channel).await.unwrap();
    accepted.subscribe("web~1", CLUSTER);
    let response = accepted.hear().await;
    accepted.acknowledge(&response);
    let mut silent = client::sotw(&channel).await.unwrap();
    silent.subscribe("web~2", CLUSTER);
    silent.hear().await;
    let mut refusing = client::sotw(&channel).await.unwrap();
    refusing.subscribe("web~3", CLUSTER);
    let response = refusing.hear().await;
    refusing.refuse(&response, "", "duplicate cluster");
    eventually("it was counted", || {
        server.metric("acknowledged_total{type=\"cds\"}") == 1.0 && server.metric("refusals_total{type=\"cds\"}") == 1.0
    })
    .await;
    let all: ClientStatusResponse = client::call(&channel, CSDS, ClientStatusRequest::default()).await.unwrap();
    let told: Vec<_> = all
        .config
        .iter()
        .map(|config| {
            let node = config.node.as_ref().unwrap().id.as_str();
            let resources = config.generic_xds_configs.iter();
            let resources: Vec<_> = resources
                .map(|of| (of.name.as_str(), of.version_info.as_str(), of.config_status(), of.error_state.is_some()))
                .collect();
            (node, resources)
        })
        .collect();
    let of = |status, error| vec![("a", "7", status, error), ("b", "7", status, error)];
    assert_eq!(
        told,
        [
            ("web~1", of(ConfigStatus::Synced, false)),
            ("web~2", of(ConfigStatus::Stale, false)),
            ("web~3", of(ConfigStatus::Error, true)),
        ]
    );
    let mut stream: client::Stream<ClientStatusRequest, ClientStatusResponse> =
        client::open(&channel, "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus")
            .await
            .unwrap();
    for node in ["web~2", "nobody"] {
        stream.say(ClientStatusRequest { node_matchers: vec![exactly(node)], node: None });
        let response = stream.hear().await;
        let nodes: Vec<_> = response.config.iter().map(|config| config.node.as_ref().unwrap().id.as_str()).collect();
        assert_eq!(nodes, if node == "nobody" { vec![] } else { vec![node] });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csds_makes_no_answer_that_is_larger_than_anybody_can_read() {
    let names: Vec<String> = (0..18_000).map(|number| format!("{number:01000}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = start(clusters(&["web"], &names, "7")).await;
    let channel = server.channel().await;
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("web", CLUSTER);
    stream.hear().await;
    let all: Result<ClientStatusResponse, _> = client::call(&channel, CSDS, ClientStatusRequest::default()).await;
    let status = all.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.message(), "the answer has more than 16777216 bytes: ask for fewer nodes with `node_matchers`");
    let other = ClientStatusRequest { node_matchers: vec![exactly("nobody")], node: None };
    let none: ClientStatusResponse = client::call(&channel, CSDS, other).await.unwrap();
    assert_eq!(none.config, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_and_the_pages_stay_when_the_server_stops() {
    let drain = Duration::from_millis(100);
    let server = start_with(Options { drain, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let admin = admin(&server).await;
    let channel = server.channel().await;
    let mut stream = client::delta(&channel).await.unwrap();
    stream.subscribe("web", CLUSTER);
    stream.hear().await;
    server.running.stop().await;
    assert!(server.registry.is_empty());
    assert_eq!(admin.ask("GET", "/streams").await.0, 200);
}

const CSDS: &str = "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";

fn exactly(node: &str) -> NodeMatcher {
    use envoy::r#type::matcher::v3::StringMatcher;
    use envoy::r#type::matcher::v3::string_matcher::MatchPattern;
    let exact = MatchPattern::Exact(node.to_owned());
    NodeMatcher { node_id: Some(StringMatcher { match_pattern: Some(exact), ..StringMatcher::default() }) }
}

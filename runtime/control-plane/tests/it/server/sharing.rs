//! Many clients at a time: what one does is of no consequence for the others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use compiler::snapshot::ResourceKind;

use meshwright_control_plane::server::{Listen, Options};
use meshwright_control_plane::{Limits, Served, View};
use tonic::Code;

use super::harness::{clusters, eventually, local, published, start, start_with, try_start};
use crate::client::{self, CLUSTER};

/// A8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_refuses_everything_is_sent_each_version_once_and_others_notice_nothing() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let mut others = Vec::new();
    for number in 0..49 {
        let channel = server.channel().await;
        let mut stream = client::sotw(&channel).await.unwrap();
        stream.subscribe(&format!("web~{number}"), CLUSTER);
        let response = stream.hear().await;
        stream.acknowledge(&response);
        others.push(stream);
    }
    let channel = server.channel().await;
    let mut refusing = client::sotw(&channel).await.unwrap();
    refusing.subscribe("web~refusing", CLUSTER);
    let response = refusing.hear().await;
    refusing.refuse(&response, "", "no");
    for version in ["1", "2", "3"] {
        server.publish(clusters(&["web"], &["a"], version));
        let published = Instant::now();
        for stream in &mut others {
            let response = stream.hear().await;
            stream.acknowledge(&response);
        }
        assert!(published.elapsed() < Duration::from_secs(1), "{:?}", published.elapsed());
        let response = refusing.hear().await;
        refusing.refuse(&response, "", "no");
    }
    eventually("every refusal was counted", || {
        server.metric("refusals_total{type=\"cds\"}") == 4.0
            && server.metric("acknowledged_total{type=\"cds\"}") == 49.0 * 4.0
    })
    .await;
    assert_eq!(server.metric("pushes_total{type=\"cds\"}"), 50.0 * 4.0);
    assert!(refusing.is_silent(Duration::from_millis(300)).await);
    assert_eq!((server.metric("unsettled_streams"), server.metric("refusing_streams")), (1.0, 1.0));
    server.publish(clusters(&["web"], &["a"], "4"));
    let response = refusing.hear().await;
    refusing.acknowledge(&response);
    eventually("what is good is accepted", || server.metric("refusing_streams") == 0.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tasks_of_one_node_and_two_streams_of_one_task_are_all_served() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut streams = Vec::new();
    for node in ["web~1", "web~2", "web~2", "web"] {
        let mut stream = client::sotw(&channel).await.unwrap();
        stream.subscribe(node, CLUSTER);
        assert_eq!(stream.hear().await.resources.len(), 1);
        streams.push(stream);
    }
    assert_eq!(server.registry.len(), 4);
    drop(streams);
    eventually("the streams are off the list", || server.registry.is_empty()).await;
    assert_eq!(server.metric("streams{variant=\"sotw\"}"), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_is_not_in_the_mesh_is_told_nothing_until_it_is() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut sotw = client::sotw(&channel).await.unwrap();
    let mut delta = client::delta(&channel).await.unwrap();
    sotw.subscribe("later~1", CLUSTER);
    delta.subscribe("later~2", CLUSTER);
    eventually("both are known to be strangers", || server.metric("unknown_streams") == 2.0).await;
    assert!(sotw.is_silent(Duration::from_millis(200)).await);
    server.publish(clusters(&["web", "later"], &["a"], "1"));
    assert_eq!(sotw.hear().await.resources.len(), 1);
    assert_eq!(delta.hear().await.resources.len(), 1);
    assert_eq!(server.metric("unknown_streams"), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_leaves_the_mesh_keeps_what_it_has() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("web", CLUSTER);
    let response = stream.hear().await;
    stream.acknowledge(&response);
    server.publish(clusters(&["other"], &["a"], "1"));
    assert!(stream.is_silent(Duration::from_millis(200)).await);
    server.publish(clusters(&["web"], &["a", "b"], "2"));
    assert_eq!(stream.hear().await.resources.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_make_the_server_remember_much() {
    let server = start(clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("stranger", CLUSTER);
    for _ in 0..100 {
        stream.ask(CLUSTER, &["a"]);
    }
    assert_eq!(stream.end().await.code(), Code::ResourceExhausted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_above_the_limit_are_refused_and_the_others_stay() {
    let limits = Limits { streams: 2, ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = client::sotw(&channel).await.unwrap();
        stream.subscribe("web", CLUSTER);
        stream.hear().await;
        streams.push(stream);
    }
    assert_eq!(client::sotw(&channel).await.err().unwrap().code(), Code::ResourceExhausted);
    assert_eq!(server.metric("streams_refused_total{reason=\"max_streams\"}"), 1.0);
    streams.pop();
    eventually("a place is free", || server.registry.len() == 1).await;
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("web", CLUSTER);
    stream.hear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_streams_above_the_rate_wait_for_their_turn_and_then_are_refused() {
    let limits = Limits { streams_per_second: 5, turn: Duration::from_millis(500), ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut streams = Vec::new();
    for _ in 0..14 {
        let stream = client::sotw(&channel).await.unwrap();
        stream.subscribe("web", CLUSTER);
        streams.push(stream);
    }
    // 5 at once, 2 in the half second after; one more where that is over by a moment.
    eventually("some were refused", || server.metric("streams_refused_total{reason=\"rate\"}") >= 6.0).await;
    let waited = server.metric("streams_waited_total");
    assert!((1.0..=4.0).contains(&waited), "{waited}");
    assert_eq!(server.metric("streams{variant=\"sotw\"}"), 5.0 + waited);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_is_told_however_long_nothing_changed_before() {
    let limits = Limits { send: Duration::from_millis(200), ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = client::delta(&channel).await.unwrap();
        stream.subscribe("web", CLUSTER);
        let response = stream.hear().await;
        stream.acknowledge(&response);
        streams.push(stream);
    }
    for version in ["1", "2"] {
        assert!(streams[0].is_silent(Duration::from_millis(500)).await);
        server.publish(clusters(&["web"], &["a"], version));
        for stream in &mut streams {
            let response = stream.hear().await;
            stream.acknowledge(&response);
        }
    }
    assert!(streams[0].is_silent(Duration::from_millis(500)).await);
    assert_eq!(server.registry.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_serves_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("xds.sock");
    // One that a process left behind is replaced.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let options = Options { listen: Listen::Unix(path.clone()), ..Options::default() };
    let server = start_with(options.clone(), clusters(&["web"], &["a"], "0")).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("unix://{}", path.display())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    assert_eq!(client::try_sotw(&channel, "web", CLUSTER).await.unwrap().resources.len(), 1);
    assert_eq!(server.running.address(), None);
    // One that is in use is not.
    assert!(try_start(options).await.unwrap_err().to_string().starts_with("cannot listen on unix:"));
    server.running.stop().await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_read_keep_nobody_from_being_told() {
    // Were a turn kept until the client reads, each of the others would cost a minute.
    let (push, send) = (Duration::from_millis(50), Duration::from_secs(60));
    let limits = Limits { pushes: 1, push, send, ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let mut stalled = Vec::new();
    for _ in 0..10 {
        let channel = server.channel().await;
        let mut stream = client::sotw(&channel).await.unwrap();
        stream.subscribe("web", CLUSTER);
        let response = stream.hear().await;
        stream.acknowledge(&response);
        stalled.push((stream, channel));
    }
    let channel = server.channel().await;
    let mut reading = client::delta(&channel).await.unwrap();
    reading.subscribe("web", CLUSTER);
    let response = reading.hear().await;
    reading.acknowledge(&response);
    eventually("all are settled", || server.metric("unsettled_streams") == 0.0).await;
    // More than the windows of a client that does not read.
    let large = Served::new(ResourceKind::Cluster, "a", "1", vec![0; 4 << 20].into());
    let view = Arc::new(View::new([(ResourceKind::Cluster, Arc::new(large))]));
    let publication = published([("web", view)]);
    server.publish(publication);
    reading.hear().await;
}

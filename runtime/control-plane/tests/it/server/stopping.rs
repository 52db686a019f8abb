//! How a stream ends: when the server stops, when a connection is old, and when the server itself is at fault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use envoy::service::discovery::v3::DiscoveryRequest;
use meshwright_control_plane::server::{Machine, Options};
use meshwright_control_plane::stream::{Refusal, Request, Step, Stream, TypeStatus};
use meshwright_control_plane::{Limits, View};
use prost::Message as _;
use tonic::Code;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use super::harness::{clusters, eventually, local, start, start_with};
use super::raw::{self, Raw};
use crate::client::{self, CLUSTER};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_ends_its_streams_one_after_the_other() {
    let drain = Duration::from_secs(1);
    let server = start_with(Options { drain, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let address = server.address();
    let mut streams = Vec::new();
    for _ in 0..20 {
        let channel = server.channel().await;
        let mut stream = client::sotw(&channel).await.unwrap();
        stream.subscribe("web", CLUSTER);
        let response = stream.hear().await;
        stream.acknowledge(&response);
        streams.push((stream, channel));
    }
    let began = Instant::now();
    let ends = streams.into_iter().map(|(stream, _channel)| {
        tokio::spawn(async move {
            let status = stream.end().await;
            (status, began.elapsed())
        })
    });
    let ends: Vec<_> = ends.collect();
    server.running.stop().await;
    assert!(began.elapsed() < drain + Duration::from_secs(3), "{:?}", began.elapsed());
    let mut times = Vec::new();
    for end in ends {
        let (status, after) = end.await.unwrap();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "this control plane is shutting down"));
        times.push(after);
    }
    times.sort();
    assert!(times[19] - times[0] > drain / 2, "{times:?}");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_goaway_before_it_ends_a_stream() {
    let drain = Duration::from_millis(300);
    let server = start_with(Options { drain, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let mut client = Raw::connect(server.address()).await;
    client.ads(1, client::SOTW, &subscribe()).await;
    eventually("the stream is open", || server.registry.len() == 1).await;
    let registry = server.registry.clone();
    let stopping = tokio::spawn(server.running.stop());
    assert!(client.next(raw::GOAWAY).await.is_some());
    client.closed().await;
    stopping.await.unwrap();
    assert!(registry.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_answers_no_ping_is_gone() {
    let (keepalive, keepalive_timeout) = (Duration::from_millis(200), Duration::from_millis(200));
    let limits = Limits { keepalive, keepalive_timeout, ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let mut frozen = Raw::connect(server.address()).await;
    frozen.ads(1, client::SOTW, &subscribe()).await;
    let channel = server.channel().await;
    let mut alive = client::sotw(&channel).await.unwrap();
    alive.subscribe("web", CLUSTER);
    let response = alive.hear().await;
    alive.acknowledge(&response);
    eventually("both are served", || server.metric("streams_opened_total{variant=\"sotw\"}") == 2.0).await;
    eventually("one is gone", || server.registry.len() == 1).await;
    server.publish(clusters(&["web"], &["a"], "1"));
    alive.hear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_connection_is_closed_so_that_clients_spread() {
    let max_connection_age = Duration::from_millis(500);
    let server = start_with(Options { max_connection_age, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("web", CLUSTER);
    stream.hear().await;
    assert_eq!(stream.end().await.code(), Code::Unavailable);
    // The same channel connects again; a stream that it opens on the connection that is just closing is lost.
    let until = Instant::now() + client::PATIENCE;
    while client::try_sotw(&channel, "web", CLUSTER).await.is_err() {
        assert!(Instant::now() < until, "the client does not get in again");
    }
}

/// A13.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_the_stream_in_which_it_happens_and_no_other() {
    let machine = |variant, view| -> Box<dyn Machine> { Box::new(Fragile(Stream::new(variant, view))) };
    let server = start_with(Options { machine, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let channel = server.channel().await;
    let mut healthy = client::sotw(&channel).await.unwrap();
    healthy.subscribe("web", CLUSTER);
    let response = healthy.hear().await;
    healthy.acknowledge(&response);
    let broken = client::sotw(&channel).await.unwrap();
    broken.subscribe("web", "panic");
    assert_eq!(broken.end().await.code(), Code::Internal);
    assert_eq!(server.metric("panics_total"), 1.0);
    server.publish(clusters(&["web"], &["a"], "1"));
    healthy.hear().await;
    assert_eq!(server.registry.streams().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_a_request_and_a_connection_without_a_stream_end() {
    let limits = Limits { first_request: Duration::from_millis(300), ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, clusters(&["web"], &["a"], "0")).await;
    let _silent = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let channel = server.channel().await;
    let stream = client::sotw(&channel).await.unwrap();
    assert_eq!(stream.end().await.code(), Code::DeadlineExceeded);
    drop(channel);
    eventually("both connections are closed", || server.metric("connections") == 0.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_whether_there_is_something_to_serve() {
    let server = start(clusters(&[], &[], "0")).await;
    let mut health = HealthClient::new(server.channel().await);
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    // Before the server looked for the first time the service is not known.
    let mut status = watch.message().await.unwrap().unwrap().status();
    while status == ServingStatus::ServiceUnknown {
        status = watch.message().await.unwrap().unwrap().status();
    }
    assert_eq!(status, ServingStatus::NotServing);
    server.publish(clusters(&["web"], &["a"], "0"));
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let ads = HealthCheckRequest { service: "envoy.service.discovery.v3.AggregatedDiscoveryService".into() };
    eventually("ADS is served", || server.metric("publications_total") >= 2.0).await;
    let answer = health.check(ads).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
}

fn subscribe() -> Vec<u8> {
    DiscoveryRequest { node: Some(client::named("web")), type_url: CLUSTER.into(), ..Default::default() }
        .encode_to_vec()
}

/// Panics when it is asked for the type `panic`.
#[derive(Debug)]
struct Fragile(Stream);

impl Machine for Fragile {
    fn on_request(&mut self, request: Request, now: Duration) -> Result<Step, Refusal> {
        let Request::StateOfTheWorld(asked) = &request else { panic!("only one variant is tested") };
        assert_ne!(asked.type_url, "panic");
        self.0.on_request(request, now)
    }

    fn on_view(&mut self, view: Arc<View>, now: Duration) -> Step {
        self.0.on_view(view, now)
    }

    fn deadline(&self) -> Option<Duration> {
        self.0.deadline()
    }

    fn on_time(&mut self, now: Duration) -> Step {
        self.0.on_time(now)
    }

    fn status(&self) -> Vec<TypeStatus> {
        self.0.status()
    }
}

use std::path::Path;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use control_plane::Served;
use envoy::config::core::v3::Node;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};
use http::uri::PathAndQuery;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::client::Grpc;
use tonic::service::Routes;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status, Streaming};

use super::*;
use crate::last_good::LastGood;
use crate::link::{ControlPlanes, State, Up};

const SOON: Duration = Duration::from_secs(10);

/// A relay of `beta` without a control plane, whose last good state is of one cluster.
async fn relay(folder: &Path) -> (Relay, Record) {
    relay_to(folder, ControlPlanes::default()).await
}

async fn relay_to(folder: &Path, control_planes: ControlPlanes) -> (Relay, Record) {
    let metrics = Arc::new(Metrics::new());
    let cluster = Arc::new(Served::new(ResourceKind::Cluster, "a", "1", Bytes::from_static(b"\x0a\x01a")));
    let by_name = [(Arc::clone(&cluster.name), cluster)].into_iter().collect();
    let types = [(ResourceKind::Cluster, by_name)].into_iter().collect();
    let state = LastGood { proxy: "beta".to_owned(), acknowledged: Some(1), types };
    let record = Record::new(Some(state), Arc::clone(&metrics));
    let link = Link::new(control_planes, Arc::clone(&metrics));
    let door = Door::at("xds.sock", folder).await.expect("a door");
    (Relay::start("beta", door, link, record.clone(), metrics), record)
}

/// The stream of an Envoy that has its cluster in this version.
struct Envoy {
    responses: Streaming<Bytes>,
    _requests: mpsc::Sender<Bytes>,
}

impl Envoy {
    async fn ask(folder: &Path, id: &str, version: Option<&str>) -> Result<Self, Status> {
        let socket = format!("unix:{}", folder.join("xds.sock").display());
        let channel = Endpoint::from_shared(socket).expect("an address").connect().await.expect("the relay");
        let (requests, sent) = mpsc::channel(4);
        let has = version.map(|version| ("a".to_owned(), version.to_owned()));
        let first = DeltaDiscoveryRequest {
            node: Some(Node { id: id.to_owned(), ..Node::default() }),
            type_url: ResourceKind::Cluster.type_url(),
            initial_resource_versions: has.into_iter().collect(),
            ..DeltaDiscoveryRequest::default()
        };
        requests.send(first.encode_to_vec().into()).await.expect("room");
        let mut client = Grpc::new(channel);
        client.ready().await.expect("a connection");
        let path = PathAndQuery::from_static(service::DELTA);
        let responses = client.streaming(Request::new(ReceiverStream::new(sent)), path, codec::AsItIs).await?;
        Ok(Self { responses: responses.into_inner(), _requests: requests })
    }

    /// The names of the first response.
    async fn is_told(&mut self) -> Result<Vec<String>, Status> {
        let bytes = tokio::time::timeout(SOON, self.responses.message()).await.expect("an answer")?;
        let response = DeltaDiscoveryResponse::decode(bytes.expect("a response")).expect("a message");
        Ok(response.resources.into_iter().map(|resource| resource.name).collect())
    }
}

#[tokio::test]
async fn an_envoy_of_another_proxy_is_turned_away_and_leaves_no_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let (relay, record) = relay(folder.path()).await;
    let mut stranger = Envoy::ask(folder.path(), "gamma~1", None).await.expect("a stream");
    assert_eq!(stranger.is_told().await.expect_err("refused").code(), Code::PermissionDenied);
    assert!(record.current().is_some_and(|state| state.proxy == "beta"));
    let mut ours = Envoy::ask(folder.path(), "beta~1", None).await.expect("a stream");
    assert_eq!(ours.is_told().await.expect("told"), ["a"]);
    drop(relay);
}

#[tokio::test]
async fn an_envoy_that_has_what_nobody_knows_is_not_taken_back_to_the_last_good_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let (relay, _) = relay(folder.path()).await;
    let mut mode = relay.mode();
    let mut newer = Envoy::ask(folder.path(), "beta", Some("2")).await.expect("a stream");
    let waiting = mode.wait_for(|mode| *mode == Mode::Waiting);
    drop(tokio::time::timeout(SOON, waiting).await.expect("soon").expect("the relay lives"));
    let told = tokio::time::timeout(3 * PATIENCE_OF_THE_EMPTY, newer.responses.message()).await;
    assert!(told.is_err(), "it is told something");
    assert_eq!(*mode.borrow(), Mode::Waiting);
    drop(newer);
    let same = Envoy::ask(folder.path(), "beta", Some("1")).await.expect("a stream");
    tokio::time::timeout(SOON, mode.wait_for(|mode| *mode == Mode::LastGood)).await.expect("soon").expect("lives");
    drop((same, relay));
}

/// A control plane that takes connections, answers pings, and says nothing else. It tells when it is asked.
async fn silent(asked: mpsc::Sender<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let pages = axum::Router::new().fallback(move || async move {
        let _ = asked.send(()).await;
        std::future::pending::<()>().await;
    });
    let server = Server::builder().add_routes(Routes::from(pages));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

#[tokio::test]
async fn a_control_plane_that_says_nothing_is_left_for_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let (asked, mut is_asked) = mpsc::channel(8);
    let servers = vec![silent(asked.clone()).await, silent(asked).await];
    let (relay, _) = relay_to(folder.path(), ControlPlanes { servers, tls: None }).await;
    let mut link = relay.shared.link.state();
    let first = match &*link.wait_for(|state| matches!(state, State::Up(_))).await.expect("the link lives") {
        State::Up(up) => Arc::clone(&up.server),
        _ => unreachable!("waited for"),
    };
    // With a configuration that is not the last good state: it has no hurry, and nothing else is there for it.
    let asking = async { Envoy::ask(folder.path(), "beta", Some("2")).await };
    let (envoy, ()) = tokio::join!(asking, async { is_asked.recv().await.expect("asked") });
    tokio::time::pause();
    tokio::time::advance(PATIENCE).await;
    tokio::time::resume();
    let other = |state: &State| matches!(state, State::Up(Up { server, .. }) if *server != first);
    tokio::time::timeout(SOON, link.wait_for(other)).await.expect("soon").expect("the link lives");
    tokio::time::timeout(SOON, is_asked.recv()).await.expect("the other is asked");
    drop((envoy, relay));
}

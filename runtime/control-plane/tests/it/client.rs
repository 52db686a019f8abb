//! An xDS client over tonic: what it is told, it records and acknowledges, unless a test wants otherwise.

use std::net::SocketAddr;
use std::time::Duration;

use envoy::config::core::v3::Node;
use envoy::google::rpc;
use envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use http::uri::PathAndQuery;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

pub(crate) const SOTW: &str = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
pub(crate) const DELTA: &str = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

pub(crate) const CLUSTER: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

/// Longer than anything that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A stream whose other end is the server's.
pub(crate) struct Stream<Q, A> {
    requests: mpsc::UnboundedSender<Q>,
    responses: Streaming<A>,
}

pub(crate) type Sotw = Stream<DiscoveryRequest, DiscoveryResponse>;
pub(crate) type Delta = Stream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

pub(crate) async fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// A stream without TLS.
pub(crate) async fn try_plain(address: SocketAddr) -> Result<Sotw, Status> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let stream = sotw(&channel).await?;
    stream.subscribe("alpha", CLUSTER);
    Ok(stream)
}

pub(crate) async fn sotw(channel: &Channel) -> Result<Sotw, Status> {
    open(channel, SOTW).await
}

pub(crate) async fn delta(channel: &Channel) -> Result<Delta, Status> {
    open(channel, DELTA).await
}

/// Subscribes, and returns what came first.
pub(crate) async fn try_sotw(channel: &Channel, node: &str, type_url: &str) -> Result<DiscoveryResponse, Status> {
    let mut stream = sotw(channel).await?;
    stream.subscribe(node, type_url);
    stream.next().await
}

/// One request, one answer.
pub(crate) async fn call<Q, A>(channel: &Channel, path: &'static str, request: Q) -> Result<A, Status>
where
    Q: Message + Default + Send + Sync + 'static,
    A: Message + Default + Send + Sync + 'static,
{
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let answer = grpc.unary(Request::new(request), PathAndQuery::from_static(path), ProstCodec::<Q, A>::default());
    timeout(PATIENCE, answer).await.unwrap().map(tonic::Response::into_inner)
}

pub(crate) async fn open<Q, A>(channel: &Channel, path: &'static str) -> Result<Stream<Q, A>, Status>
where
    Q: Message + Default + Send + Sync + 'static,
    A: Message + Default + Send + Sync + 'static,
{
    let (requests, receiver) = mpsc::unbounded_channel();
    let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(64 << 20);
    grpc.ready().await.unwrap();
    let stream = Request::new(UnboundedReceiverStream::new(receiver));
    let codec = ProstCodec::<Q, A>::default();
    let opening = grpc.streaming(stream, PathAndQuery::from_static(path), codec);
    let responses = timeout(PATIENCE, opening).await.expect("the stream opens")?.into_inner();
    Ok(Stream { requests, responses })
}

impl<Q, A> Stream<Q, A> {
    pub(crate) fn say(&self, request: Q) {
        // A stream that the server ended tells so when it is listened to.
        let _ = self.requests.send(request);
    }

    /// The next response.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> impl Future<Output = A> {
        let place = std::panic::Location::caller();
        async move {
            match timeout(PATIENCE, self.responses.message()).await {
                Ok(Ok(Some(response))) => response,
                Ok(other) => panic!("no response at {place}: {:?}", other.err()),
                Err(_) => panic!("no response in time at {place}"),
            }
        }
    }

    /// The next response, or the status with which the stream ends instead.
    pub(crate) async fn next(&mut self) -> Result<A, Status> {
        let next = timeout(PATIENCE, self.responses.message()).await.expect("something comes");
        next?.ok_or_else(|| Status::ok("the stream ended"))
    }

    /// Nothing comes for this long.
    pub(crate) async fn is_silent(&mut self, time: Duration) -> bool {
        timeout(time, self.responses.message()).await.is_err()
    }

    /// The status with which the server ends the stream, after whatever it says before.
    pub(crate) async fn end(mut self) -> Status {
        let end = async {
            loop {
                match self.responses.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return Status::ok(""),
                    Err(status) => return status,
                }
            }
        };
        timeout(PATIENCE, end).await.expect("the server ends the stream")
    }
}

impl Sotw {
    /// The first request for all of a type.
    pub(crate) fn subscribe(&self, node: &str, type_url: &str) {
        self.say(DiscoveryRequest { node: Some(named(node)), type_url: type_url.into(), ..Default::default() });
    }

    pub(crate) fn ask(&self, type_url: &str, names: &[&str]) {
        let resource_names = names.iter().map(|name| (*name).to_owned()).collect();
        self.say(DiscoveryRequest { type_url: type_url.into(), resource_names, ..Default::default() });
    }

    pub(crate) fn acknowledge(&self, response: &DiscoveryResponse) {
        self.say(DiscoveryRequest {
            type_url: response.type_url.clone(),
            version_info: response.version_info.clone(),
            response_nonce: response.nonce.clone(),
            ..Default::default()
        });
    }

    pub(crate) fn refuse(&self, response: &DiscoveryResponse, accepted: &str, message: &str) {
        self.say(DiscoveryRequest {
            type_url: response.type_url.clone(),
            version_info: accepted.into(),
            response_nonce: response.nonce.clone(),
            error_detail: Some(rpc::Status { message: message.into(), ..Default::default() }),
            ..Default::default()
        });
    }
}

impl Delta {
    pub(crate) fn subscribe(&self, node: &str, type_url: &str) {
        self.say(DeltaDiscoveryRequest { node: Some(named(node)), type_url: type_url.into(), ..Default::default() });
    }

    pub(crate) fn refuse(&self, response: &DeltaDiscoveryResponse, message: &str) {
        self.say(DeltaDiscoveryRequest {
            type_url: response.type_url.clone(),
            response_nonce: response.nonce.clone(),
            error_detail: Some(rpc::Status { message: message.into(), ..Default::default() }),
            ..Default::default()
        });
    }

    pub(crate) fn acknowledge(&self, response: &DeltaDiscoveryResponse) {
        self.say(DeltaDiscoveryRequest {
            type_url: response.type_url.clone(),
            response_nonce: response.nonce.clone(),
            ..Default::default()
        });
    }
}

pub(crate) fn named(id: &str) -> Node {
    Node { id: id.into(), user_agent_name: "test".into(), ..Default::default() }
}

//! A client of ADS, in the state of the world, that does only what a trial says: it may refuse everything, or never read.

use std::net::SocketAddr;

use anyhow::Context as _;
use control_plane::Variant;
use envoy::config::core::v3::Node;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};
use tonic_prost::ProstCodec;

const STATE_OF_THE_WORLD: &str = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
/// Requests on their way.
const QUEUE: usize = 16;

/// A stream in the state of the world.
pub struct Stream {
    requests: mpsc::Sender<DiscoveryRequest>,
    responses: Streaming<DiscoveryResponse>,
}

/// A connection of its own.
pub async fn connect(server: SocketAddr) -> anyhow::Result<Channel> {
    Ok(Endpoint::from_shared(format!("http://{server}"))?.connect().await?)
}

/// Asks for everything of a type, as the node of this id.
pub async fn subscribe(channel: Channel, id: &str, type_url: String) -> anyhow::Result<Stream> {
    let node = Some(Node { id: id.to_owned(), ..Node::default() });
    raw(channel, vec![DiscoveryRequest { node, type_url, ..DiscoveryRequest::default() }]).await
}

/// A stream that begins with whatever is given.
pub async fn raw(channel: Channel, first: Vec<DiscoveryRequest>) -> anyhow::Result<Stream> {
    let (requests, receiver) = mpsc::channel(QUEUE.max(first.len()));
    for request in first {
        requests.send(request).await?;
    }
    let mut grpc = Grpc::new(channel);
    grpc.ready().await?;
    let codec = ProstCodec::<DiscoveryRequest, DiscoveryResponse>::default();
    let asked = Request::new(ReceiverStream::new(receiver));
    let answered = grpc.streaming(asked, STATE_OF_THE_WORLD.parse()?, codec).await?;
    Ok(Stream { requests, responses: answered.into_inner() })
}

/// What a client thinks of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Takes,
    Refuses,
}

impl Stream {
    /// The next response.
    pub async fn next(&mut self) -> anyhow::Result<DiscoveryResponse> {
        self.responses.message().await?.context("the server ended the stream")
    }

    /// Says what the client thinks of a response; `has` is the version that it had before.
    pub async fn answer(&self, response: &DiscoveryResponse, verdict: Verdict, has: &str) -> anyhow::Result<()> {
        let refusal = Status { code: 3, message: "no".to_owned(), ..Status::default() };
        let (version, error_detail) = match verdict {
            Verdict::Takes => (response.version_info.as_str(), None),
            Verdict::Refuses => (has, Some(refusal)),
        };
        let request = DiscoveryRequest {
            version_info: version.to_owned(),
            response_nonce: response.nonce.clone(),
            type_url: response.type_url.clone(),
            error_detail,
            ..DiscoveryRequest::default()
        };
        Ok(self.requests.send(request).await?)
    }
}

/// The variant's name, for tables.
pub fn name(variant: Variant) -> &'static str {
    match variant {
        Variant::StateOfTheWorld => "sotw",
        Variant::Delta => "delta",
    }
}

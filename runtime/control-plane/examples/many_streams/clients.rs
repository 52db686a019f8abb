//! Clients that subscribe as an Envoy does: clusters, their endpoints, listeners, routes. They read no more of a response
//! than an acknowledgement needs, and come back as an Envoy of ours does: after 0.2 to 5 s, with jitter.

use std::error::Error;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use envoy::config::core::v3::Node;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use http::uri::PathAndQuery;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::client::Grpc;
use tonic::transport::Endpoint;
use tonic_prost::ProstCodec;

use crate::PROXY;

const CLUSTER: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const ENDPOINTS: &str = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
const ROUTES: &str = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";

/// Of a `DiscoveryResponse` what an acknowledgement needs.
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(string, tag = "1")]
    version_info: String,
    #[prost(message, repeated, tag = "2")]
    resources: Vec<Empty>,
    #[prost(string, tag = "4")]
    type_url: String,
    #[prost(string, tag = "5")]
    nonce: String,
}

#[derive(Clone, PartialEq, Message)]
struct Empty {}

/// Of a `DeltaDiscoveryResponse`.
#[derive(Clone, PartialEq, Message)]
struct DeltaResponse {
    #[prost(message, repeated, tag = "2")]
    resources: Vec<Named>,
    #[prost(string, tag = "4")]
    type_url: String,
    #[prost(string, tag = "5")]
    nonce: String,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "3")]
    name: String,
}

pub(crate) async fn run(address: SocketAddr, streams: usize) -> Result<(), Box<dyn Error>> {
    for number in 0..streams {
        tokio::spawn(async move {
            let mut wait = Duration::from_millis(200);
            loop {
                let _ = if number % 2 == 0 { sotw(address, number).await } else { delta(address, number).await };
                // Jitter without a source of chance: each client has a share of its own.
                let share = ((number * 7_919) % 1_000) as f64 / 1_000.0;
                sleep(wait.mul_f64(share)).await;
                wait = (wait * 2).min(Duration::from_secs(5));
            }
        });
    }
    pending().await
}

async fn sotw(address: SocketAddr, number: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (requests, mut responses) = open::<DiscoveryRequest, Response>(address, "StreamAggregatedResources").await?;
    let ask = |type_url: &str, names: Vec<String>| DiscoveryRequest {
        type_url: type_url.into(),
        resource_names: names,
        ..DiscoveryRequest::default()
    };
    requests.send(DiscoveryRequest { node: Some(node(number)), ..ask(CLUSTER, Vec::new()) })?;
    requests.send(ask(LISTENER, Vec::new()))?;
    let (mut endpoints, mut routes) = (Vec::new(), Vec::new());
    while let Some(response) = responses.message().await? {
        let names = match response.type_url.as_str() {
            CLUSTER if endpoints.len() != response.resources.len() => {
                endpoints = (0..response.resources.len()).map(|n| format!("service-{n}.mesh.example")).collect();
                requests.send(ask(ENDPOINTS, endpoints.clone()))?;
                Vec::new()
            }
            LISTENER if routes.is_empty() => {
                routes = vec!["outbound".to_owned()];
                requests.send(ask(ROUTES, routes.clone()))?;
                Vec::new()
            }
            ENDPOINTS => endpoints.clone(),
            ROUTES => routes.clone(),
            _ => Vec::new(),
        };
        requests.send(DiscoveryRequest {
            version_info: response.version_info,
            response_nonce: response.nonce,
            ..ask(&response.type_url, names)
        })?;
    }
    Ok(())
}

async fn delta(address: SocketAddr, number: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (requests, mut responses) =
        open::<DeltaDiscoveryRequest, DeltaResponse>(address, "DeltaAggregatedResources").await?;
    let ask = |type_url: &str, names: Vec<String>| DeltaDiscoveryRequest {
        type_url: type_url.into(),
        resource_names_subscribe: names,
        ..DeltaDiscoveryRequest::default()
    };
    requests.send(DeltaDiscoveryRequest { node: Some(node(number)), ..ask(CLUSTER, Vec::new()) })?;
    requests.send(ask(LISTENER, Vec::new()))?;
    let mut subscribed = (false, false);
    while let Some(response) = responses.message().await? {
        match response.type_url.as_str() {
            CLUSTER if !subscribed.0 => {
                subscribed.0 = true;
                requests.send(ask(ENDPOINTS, response.resources.into_iter().map(|of| of.name).collect()))?;
            }
            LISTENER if !subscribed.1 => {
                subscribed.1 = true;
                requests.send(ask(ROUTES, vec!["outbound".to_owned()]))?;
            }
            _ => {}
        }
        requests
            .send(DeltaDiscoveryRequest { response_nonce: response.nonce, ..ask(&response.type_url, Vec::new()) })?;
    }
    Ok(())
}

async fn open<Q, A>(
    address: SocketAddr,
    method: &str,
) -> Result<(mpsc::UnboundedSender<Q>, tonic::Streaming<A>), Box<dyn Error + Send + Sync>>
where
    Q: Message + Default + Send + Sync + 'static,
    A: Message + Default + Send + Sync + 'static,
{
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    let (requests, receiver) = mpsc::unbounded_channel();
    let mut grpc = Grpc::new(channel);
    grpc.ready().await?;
    let path = format!("/envoy.service.discovery.v3.AggregatedDiscoveryService/{method}");
    let stream = tonic::Request::new(UnboundedReceiverStream::new(receiver));
    let path: PathAndQuery = path.parse()?;
    let responses = grpc.streaming(stream, path, ProstCodec::<Q, A>::default()).await?.into_inner();
    Ok((requests, responses))
}

fn node(number: usize) -> Node {
    Node { id: format!("{PROXY}~{number}"), cluster: PROXY.into(), user_agent_name: "envoy".into(), ..Node::default() }
}

//! The gRPC service that Envoy calls: both variants of the aggregated discovery service.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use control_plane::Variant;
use http_body::Body as HttpBody;
use local::stream::BoxFuture;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Code, Request, Response, Status, Streaming};

use super::codec::{AsItIs, LARGEST_REQUEST, LARGEST_RESPONSE};
use super::{Shared, stream};

pub(super) const STATE_OF_THE_WORLD: &str =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
pub(super) const DELTA: &str = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

/// One response waits to be taken; what comes after it waits where it comes from.
const RESPONSES: usize = 1;

#[derive(Clone)]
pub(super) struct Service {
    shared: Arc<Shared>,
}

impl Service {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl NamedService for Service {
    const NAME: &'static str = "envoy.service.discovery.v3.AggregatedDiscoveryService";
}

impl<B> tower::Service<http::Request<B>> for Service
where
    B: HttpBody + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let variant = match request.uri().path() {
            STATE_OF_THE_WORLD => Variant::StateOfTheWorld,
            DELTA => Variant::Delta,
            _ => return Box::pin(async { Ok(Status::new(Code::Unimplemented, "").into_http()) }),
        };
        let method = Method { shared: Arc::clone(&self.shared), variant };
        Box::pin(async move {
            let mut grpc = Grpc::new(AsItIs)
                .max_decoding_message_size(LARGEST_REQUEST)
                .max_encoding_message_size(LARGEST_RESPONSE);
            Ok(grpc.streaming(method, request).await)
        })
    }
}

struct Method {
    shared: Arc<Shared>,
    variant: Variant,
}

impl StreamingService<Bytes> for Method {
    type Response = Bytes;
    type ResponseStream = ReceiverStream<Result<Bytes, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let (responses, taken) = mpsc::channel(RESPONSES);
        let work = stream::carry(Arc::clone(&self.shared), self.variant, request.into_inner(), responses);
        tokio::spawn(work);
        Box::pin(async { Ok(Response::new(ReceiverStream::new(taken))) })
    }
}

//! Which service a request is for.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body::Body;
use hyper::body::Incoming;
use tonic::{Code, Status};
use tower::ServiceExt as _;

use super::connection::Connection;
use super::requests::Requests;
use super::{Server, conversation, responses};
use crate::csds;
use crate::stream::Variant;

pub(super) const ADS: &str = "envoy.service.discovery.v3.AggregatedDiscoveryService";

pub(super) async fn answer(
    server: &Arc<Server>,
    connection: &Arc<Connection>,
    request: Request<Incoming>,
) -> Response<tonic::body::Body> {
    let Some(active) = connection.open() else {
        return responses::status(&Status::resource_exhausted("too many streams on one connection"));
    };
    if request.method() != Method::POST || !is_grpc(&request) {
        let mut response = Response::new(tonic::body::Body::empty());
        *response.status_mut() = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    let path = request.uri().path().to_owned();
    let (service, method) = path.strip_prefix('/').and_then(|path| path.split_once('/')).unwrap_or_default();
    match (service, method) {
        (ADS, "StreamAggregatedResources") => {
            conversation::open(server, connection, active, Variant::StateOfTheWorld, request.into_body())
        }
        (ADS, "DeltaAggregatedResources") => {
            conversation::open(server, connection, active, Variant::Delta, request.into_body())
        }
        ("grpc.health.v1.Health", _) => {
            // An answer of this service ends when its client does: `Watch` counts as long as its body lives.
            let response = server.health.clone().oneshot(request).await;
            let response = response.unwrap_or_else(|never| match never {});
            response.map(|body| tonic::body::Body::new(HeldBody { body, _active: active }))
        }
        (csds::SERVICE, "FetchClientStatus" | "StreamClientStatus") => {
            let (sender, body) = responses::channel();
            let requests = Requests::new(request.into_body(), server.bounds.clone());
            let (server, connection) = (Arc::clone(server), Arc::clone(connection));
            let once = method == "FetchClientStatus";
            tokio::spawn(async move {
                let _active = active;
                let status = super::inspection::answer(&server, &connection, requests, &sender, once).await;
                sender.end(status.err().unwrap_or_else(responses::ok));
            });
            responses::stream(body)
        }
        _ => responses::status(&Status::new(
            Code::Unimplemented,
            "this control plane serves aggregated discovery (ADS) alone: use `ads` as the source of every type",
        )),
    }
}

fn is_grpc<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    content_type.is_some_and(|value| {
        let rest = value.strip_prefix(b"application/grpc");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+proto") || rest.starts_with(b";"))
    })
}

/// A body that keeps its stream counted.
struct HeldBody {
    body: tonic::body::Body,
    _active: super::connection::Active,
}

impl Body for HeldBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        ctx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(ctx)
    }
}

//! A stream that a control plane answers: bytes go through both ways, and are read along.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use control_plane::Variant;
use http::uri::PathAndQuery;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::{Request, Status, Streaming};

use super::Shared;
use super::codec::{AsItIs, LARGEST_REQUEST, LARGEST_RESPONSE};
use super::service::{DELTA, STATE_OF_THE_WORLD};
use super::stream::{Attempt, Ends, Opening, another_link};
use crate::link::{Report, Up};
use crate::metrics::{From, OfType, Origin};
use crate::record::{Noticed, Recorder};

/// Requests on their way to the control plane: more than come before its first answer.
const REQUESTS: usize = 128;

/// A stream of a control plane that has answered.
pub(super) struct Passing {
    generation: u64,
    requests: mpsc::Sender<Bytes>,
    responses: Streaming<Bytes>,
    first: Bytes,
}

/// Asks a control plane what Envoy has asked so far, and waits for its first response.
pub(super) async fn open(
    up: &Up,
    opening: &mut Opening,
    recorder: &mut Recorder,
    shared: &Shared,
    ends: &mut Ends,
) -> Attempt {
    let (requests, to_be_sent) = mpsc::channel(REQUESTS);
    for request in &opening.unanswered {
        // There is room for all of them.
        drop(requests.try_send(request.clone()));
    }
    let answer = first_response(up.clone(), opening.variant, to_be_sent);
    tokio::pin!(answer);
    loop {
        tokio::select! {
            answered = &mut answer => return match answered {
                Ok((responses, first)) => {
                    Attempt::Answered(Box::new(Passing { generation: up.generation, requests, responses, first }))
                }
                Err(status) => Attempt::Failed(said(&status)),
            },
            request = ends.requests.message() => match request {
                Ok(Some(request)) => {
                    if let Err(status) = opening.add(request.clone(), recorder, shared.now()) {
                        return Attempt::EnvoyFailed(status);
                    }
                    drop(requests.try_send(request));
                }
                Ok(None) => return Attempt::EnvoyIsGone,
                Err(status) => return Attempt::EnvoyFailed(status),
            },
        }
    }
}

async fn first_response(
    up: Up,
    variant: Variant,
    requests: mpsc::Receiver<Bytes>,
) -> Result<(Streaming<Bytes>, Bytes), Status> {
    let path = match variant {
        Variant::StateOfTheWorld => STATE_OF_THE_WORLD,
        Variant::Delta => DELTA,
    };
    let mut client =
        Grpc::new(up.channel).max_decoding_message_size(LARGEST_RESPONSE).max_encoding_message_size(LARGEST_REQUEST);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let request = Request::new(ReceiverStream::new(requests));
    let mut responses = client.streaming(request, PathAndQuery::from_static(path), AsItIs).await?.into_inner();
    match responses.message().await? {
        Some(first) => Ok((responses, first)),
        None => Err(Status::unavailable("the control plane ended the stream without an answer")),
    }
}

/// Until either end goes away.
pub(super) async fn pass(
    shared: &Arc<Shared>,
    passing: Passing,
    recorder: Recorder,
    ends: &mut Ends,
) -> Result<(), Status> {
    shared.metrics.streams.get_or_create(&From { from: Origin::ControlPlane }).inc();
    let Passing { generation, requests, mut responses, first } = passing;
    let recorder = Mutex::new(recorder);
    let record = || recorder.lock().unwrap_or_else(PoisonError::into_inner);
    let Ends { requests: from_envoy, responses: to_envoy } = ends;
    let up = async {
        while let Some(request) = from_envoy.message().await? {
            let noticed = record().on_request(&request, shared.now());
            count(shared, noticed);
            if noticed.acknowledged.is_some() {
                remember(shared, &record());
            }
            if requests.send(request).await.is_err() {
                // The other direction tells why.
                std::future::pending::<()>().await;
            }
        }
        Ok::<(), Status>(())
    };
    let down = async {
        let mut response = first;
        loop {
            record().on_response(&response);
            if to_envoy.send(Ok(response)).await.is_err() {
                return None;
            }
            match responses.message().await {
                Ok(Some(next)) => response = next,
                Ok(None) => return Some("the control plane ended the stream".to_owned()),
                Err(status) => return Some(said(&status)),
            }
        }
    };
    // Names that Envoy gave up waiting for are told by nothing but time.
    let tick = async {
        loop {
            tokio::time::sleep(crate::record::LOOK_AGAIN).await;
            remember(shared, &record());
        }
    };
    let mut link = shared.link.state();
    let ended = tokio::select! {
        ended = up => ended,
        lost = down => match lost {
            Some(error) => {
                shared.link.report(Report::Failed { generation, error });
                Err(Status::unavailable("the control plane is lost"))
            }
            None => Ok(()),
        },
        () = tick => Ok(()),
        () = another_link(&mut link, Some(generation)) => {
            Err(Status::unavailable("there is a newer connection to a control plane"))
        }
    };
    shared.set_seen(record().seen());
    ended
}

fn remember(shared: &Shared, recorder: &Recorder) {
    if let Some(state) = recorder.state(shared.now()) {
        shared.record.acknowledged(state);
    }
}

fn count(shared: &Shared, noticed: Noticed) {
    let label = |kind: compiler::snapshot::ResourceKind| OfType { r#type: kind.short_name() };
    if let Some(kind) = noticed.acknowledged {
        shared.metrics.acknowledged.get_or_create(&label(kind)).inc();
    }
    if let Some(kind) = noticed.refused {
        shared.metrics.refused.get_or_create(&label(kind)).inc();
        tracing::warn!(r#type = kind.short_name(), "Envoy refused what the control plane told it");
    }
}

/// What a control plane gives as its reason holds nothing of resources.
fn said(status: &Status) -> String {
    match status.message() {
        "" => format!("{:?}", status.code()),
        message => format!("{:?}: {message}", status.code()),
    }
}

//! A stream that is answered from the last good state, until a control plane is there again.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use control_plane::{Event, Outgoing, Refusal, Request, Step, Stream, Variant};
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::Shared;
use super::stream::{Ends, Opening, another_link};
use crate::last_good::LastGood;
use crate::metrics::{From, Origin};

/// An Envoy that has not taken everything by then is handed over all the same.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn answer(
    shared: &Arc<Shared>,
    state: &LastGood,
    opening: Opening,
    not_before: Instant,
    ends: &mut Ends,
) -> Result<(), Status> {
    shared.metrics.streams.get_or_create(&From { from: Origin::LastGood }).inc();
    tracing::info!(proxy = state.proxy, resources = state.len(), "no control plane: Envoy gets the last good state");
    let begun = Instant::now();
    let Opening { variant, unanswered } = opening;
    let mut machine = Stream::new(variant, Arc::new(state.view()));
    let mut settled = false;
    for request in unanswered {
        let step = machine.on_request(read(variant, request)?, begun.elapsed()).map_err(refused)?;
        settled |= send(step, &ends.responses).await?;
    }
    let mut link = shared.link.state();
    loop {
        let pause = if settled { Duration::ZERO } else { SETTLED_WITHIN };
        let hand_over = async {
            sleep_until(not_before.max(begun + pause)).await;
            another_link(&mut link, None).await;
        };
        let wake = machine.deadline().map(|at| begun + at);
        let step = tokio::select! {
            request = ends.requests.message() => match request? {
                Some(request) => machine.on_request(read(variant, request)?, begun.elapsed()).map_err(refused)?,
                None => return Ok(()),
            },
            () = sleep_until(wake.unwrap_or(begun)), if wake.is_some() => machine.on_time(begun.elapsed()),
            () = hand_over => return Err(Status::unavailable("a control plane answers again")),
        };
        settled |= send(step, &ends.responses).await?;
    }
}

fn read(variant: Variant, request: Bytes) -> Result<Request, Status> {
    let unreadable = |_| Status::invalid_argument("a request cannot be read");
    Ok(match variant {
        Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest::decode(request).map_err(unreadable)?),
        Variant::Delta => Request::Delta(DeltaDiscoveryRequest::decode(request).map_err(unreadable)?),
    })
}

/// Returns whether Envoy now has everything.
async fn send(step: Step, responses: &mpsc::Sender<Result<Bytes, Status>>) -> Result<bool, Status> {
    for outgoing in step.send {
        if responses.send(Ok(whole(&outgoing))).await.is_err() {
            return Err(Status::cancelled("Envoy is gone"));
        }
    }
    Ok(step.events.contains(&Event::Settled))
}

fn whole(outgoing: &Outgoing) -> Bytes {
    let mut message = BytesMut::with_capacity(outgoing.parts.iter().map(Bytes::len).sum());
    for part in &outgoing.parts {
        message.extend_from_slice(part);
    }
    message.freeze()
}

fn refused(refusal: Refusal) -> Status {
    match refusal {
        Refusal::InvalidArgument(reason) => Status::invalid_argument(reason),
        Refusal::ResourceExhausted(reason) => Status::resource_exhausted(reason),
    }
}

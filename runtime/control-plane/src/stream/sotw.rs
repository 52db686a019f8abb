//! What a request means in the state-of-the-world variant: every request names all that the client wants of a type.

use std::time::Duration;

use compiler::snapshot::ResourceKind;
use envoy::service::discovery::v3::DiscoveryRequest;

use super::{Refusal, Step, Stream, limits, response, transition};

pub(super) fn on_request(
    stream: &mut Stream,
    request: DiscoveryRequest,
    now: Duration,
    step: &mut Step,
) -> Result<(), Refusal> {
    let Some(kind) = kind_of(&request.type_url)? else { return Ok(()) };
    let talk = &stream.talks[kind];
    let first = !talk.opened;
    // Nonces belong to a stream: that of a first request means nothing.
    if !first && !request.response_nonce.is_empty() {
        let stale = talk.latest.to_string() != request.response_nonce;
        response::on_answer(stream, kind, &request.response_nonce, request.error_detail.as_ref(), step);
        if stale {
            // The client names what it wants once more when it answers our latest response.
            return Ok(());
        }
    }
    let names = limits::names(stream, kind, request.resource_names)?;
    let talk = &mut stream.talks[kind];
    talk.opened = true;
    let unsubscribes = !names.is_superset(&talk.subscription.names) || talk.subscription.everything;
    let ask = talk.subscription.replace(names, everything_by_default(kind));
    if unsubscribes {
        talk.forget();
    }
    let everything = talk.subscription.everything;
    if !ask.names.is_empty() {
        limits::remembered(stream)?;
    }
    limits::unanswered(stream, kind)?;
    transition::on_subscription(stream, kind, everything, first && !request.version_info.is_empty(), now);
    response::on_ask(stream, kind, ask, step);
    Ok(())
}

/// None for types that are not served: whoever asks for them waits.
pub(super) fn kind_of(type_url: &str) -> Result<Option<ResourceKind>, Refusal> {
    if type_url.is_empty() {
        return Err(Refusal::InvalidArgument("a request without a type".to_owned()));
    }
    Ok(ResourceKind::ALL.into_iter().find(|kind| kind.type_url() == type_url))
}

/// Whether a first request without names asks for everything.
pub(super) fn everything_by_default(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Cluster | ResourceKind::Listener)
}

//! What a request means in the delta variant: it names what changes of what the client wants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use envoy::service::discovery::v3::DeltaDiscoveryRequest;

use super::subscription::ALL;
use super::talk::{Held, State};
use super::{Refusal, Step, Stream, limits, response, sotw, transition};

pub(super) fn on_request(
    stream: &mut Stream,
    request: DeltaDiscoveryRequest,
    now: Duration,
    step: &mut Step,
) -> Result<(), Refusal> {
    let Some(kind) = sotw::kind_of(&request.type_url)? else {
        response::nothing_of(stream, request.type_url, request.resource_names_subscribe, step);
        return Ok(());
    };
    let first = !stream.talks[kind].opened;
    if !first && !request.response_nonce.is_empty() {
        response::on_answer(stream, kind, &request.response_nonce, request.error_detail.as_ref(), step);
    }
    let subscribe = limits::names(stream, kind, request.resource_names_subscribe)?;
    let unsubscribe = limits::names(stream, kind, request.resource_names_unsubscribe)?;
    let talk = &mut stream.talks[kind];
    talk.opened = true;
    let by_default = first && sotw::everything_by_default(kind);
    let ask = talk.subscription.update(subscribe, &unsubscribe, by_default);
    if !unsubscribe.is_empty() {
        talk.forget();
    }
    let everything = talk.subscription.everything;
    if first {
        claim(stream, kind, &request.initial_resource_versions)?;
    }
    if first || !ask.names.is_empty() {
        limits::remembered(stream)?;
    }
    limits::unanswered(stream, kind)?;
    let back = first && !request.initial_resource_versions.is_empty();
    transition::on_subscription(stream, kind, everything, back, now);
    response::on_ask(stream, kind, ask, step);
    Ok(())
}

/// What a client that comes back says it has.
fn claim(stream: &mut Stream, kind: ResourceKind, versions: &BTreeMap<String, String>) -> Result<(), Refusal> {
    limits::claims(versions.keys())?;
    let offered = Arc::clone(&stream.offered[kind]);
    let talk = &mut stream.talks[kind];
    for (name, version) in versions {
        limits::check(name)?;
        if name == ALL || !talk.subscription.covers(name) {
            continue;
        }
        let served = offered.get(name);
        let version = served.filter(|served| *served.version == **version).map(|served| Arc::clone(&served.version));
        let known = served.map(|served| &served.name).or_else(|| talk.subscription.names.get(name.as_str()));
        let name = known.map_or_else(|| Arc::from(name.as_str()), Arc::clone);
        talk.held.insert(name, Held { version, nonce: 0, state: State::Acknowledged, again: false, claimed: true });
    }
    talk.claimed = talk.held.values().filter(|held| held.version.is_none()).count();
    Ok(())
}

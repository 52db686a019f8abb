//! What is owed to a client, and how it is said.

use std::sync::Arc;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::{DeltaDiscoveryResponse, DiscoveryResponse};
use prost::Message as _;

use super::subscription::Ask;
use super::talk::{Answer, State, Talk};
use super::{Event, Outgoing, Step, Stream, Variant, redact, transition};
use crate::view::{Resources, Served};

/// What one response says.
#[derive(Default)]
struct Message {
    resources: Vec<Arc<Served>>,
    removed: Vec<Arc<str>>,
    /// `resources` are all that the client subscribes to.
    complete: bool,
}

/// The client acknowledges or refuses a response.
pub(super) fn on_answer(
    stream: &mut Stream,
    kind: ResourceKind,
    nonce: &str,
    refusal: Option<&Status>,
    step: &mut Step,
) {
    let Stream { talks, offered, .. } = stream;
    let known = |word: &str, talk: &Talk| talk.held.contains_key(word) || offered[kind].get(word).is_some();
    let error = refusal.map(|status| |talk: &Talk| redact::error(&status.message, |word| known(word, talk)));
    let talk = &mut talks[kind];
    match talk.hear(nonce, error) {
        None => {}
        Some(Answer::Acknowledged(version)) => step.events.push(Event::Acknowledged { kind, version }),
        Some(Answer::Refused(version)) => {
            let error = talk.refused().unwrap_or_default().to_owned();
            step.events.push(Event::Refused { kind, version, error });
        }
    }
}

/// The client asks for something, and is answered whatever it has.
pub(super) fn on_ask(stream: &mut Stream, kind: ResourceKind, ask: Ask, step: &mut Step) {
    if transition::withholds(stream, kind) {
        stream.talks[kind].deferred.add(ask);
        return;
    }
    let (offered, talk) = (Arc::clone(&stream.offered[kind]), &stream.talks[kind]);
    // Answers that were held back may have been given up meanwhile.
    let asked = || ask.names.iter().filter(|name| talk.subscription.covers(name));
    let named = || asked().filter_map(|name| offered.get(name)).map(Arc::clone);
    let message = match stream.variant {
        Variant::StateOfTheWorld if is_complete(kind) => {
            let resources: Vec<_> = covered(talk, &offered).map(Arc::clone).collect();
            let owed = ask.everything || named().next().is_some();
            owed.then_some(Message { resources, complete: true, ..Message::default() })
        }
        Variant::StateOfTheWorld => {
            let resources: Vec<_> =
                if ask.everything { offered.iter().map(Arc::clone).collect() } else { named().collect() };
            (!resources.is_empty()).then_some(Message { resources, ..Message::default() })
        }
        Variant::Delta => {
            let mut resources: Vec<_> = named().collect();
            let mut removed: Vec<_> = asked().filter(|name| offered.get(name).is_none()).map(Arc::clone).collect();
            removed.retain(|name| !keeps(stream, kind, name));
            if ask.everything {
                let others = covered(talk, &offered).filter(|served| !ask.names.contains(&served.name));
                resources.extend(others.filter(|served| differs(talk, served)).map(Arc::clone));
                removed.extend(gone(stream, kind).filter(|name| !ask.names.contains(&***name)).map(Arc::clone));
            }
            let owed = ask.everything || !resources.is_empty() || !removed.is_empty();
            owed.then_some(Message { resources, removed, complete: false })
        }
    };
    if let Some(message) = message {
        send(stream, kind, message, step);
    }
}

/// Sends what the client is owed of one type, unless it still has to answer.
pub(super) fn push(stream: &mut Stream, kind: ResourceKind, step: &mut Step) {
    let talk = &stream.talks[kind];
    if !talk.dirty || !(talk.unanswered.is_empty() || talk.urgent) || transition::withholds(stream, kind) {
        return;
    }
    let (message, blocked) = owed(stream, kind);
    let talk = &mut stream.talks[kind];
    talk.urgent = false;
    talk.dirty = blocked;
    talk.blocked = blocked;
    if blocked {
        talk.blocks(stream.offered[kind].shared_version());
    }
    if let Some(message) = message {
        send(stream, kind, message, step);
    }
}

/// A type that is not served. In delta the client can be told so.
pub(super) fn nothing_of(stream: &mut Stream, type_url: String, names: Vec<String>, step: &mut Step) {
    let removed_resources: Vec<String> = names.into_iter().filter(|name| name != super::subscription::ALL).collect();
    if removed_resources.is_empty() {
        return;
    }
    stream.nonce += 1;
    let nonce = stream.nonce.to_string();
    let response = DeltaDiscoveryResponse { removed_resources, type_url, nonce, ..Default::default() };
    let parts = vec![Bytes::from(response.encode_to_vec())];
    step.send.push(Outgoing { kind: None, type_url: response.type_url, parts });
}

/// What differs between what is offered and what the client has; and whether something more differs that the client
/// refused and must not see again.
fn owed(stream: &Stream, kind: ResourceKind) -> (Option<Message>, bool) {
    let (offered, talk) = (&stream.offered[kind], &stream.talks[kind]);
    let refused = talk.was_refused(offered.shared_version());
    if stream.variant == Variant::StateOfTheWorld && is_complete(kind) {
        let resources: Vec<_> = covered(talk, offered).map(Arc::clone).collect();
        let same = !talk.doubt
            && resources.len() == talk.held.len()
            && !resources.iter().any(|served| differs(talk, served) || is_again(talk, &served.name));
        if same || refused {
            return (None, !same);
        }
        return (Some(Message { resources, complete: true, ..Message::default() }), false);
    }
    let (mut message, mut blocked) = (Message::default(), false);
    for served in covered(talk, offered) {
        match (differs(talk, served), is_again(talk, &served.name)) {
            (true, _) if refused => blocked = true,
            (false, false) => {}
            _ => message.resources.push(Arc::clone(served)),
        }
    }
    if stream.variant == Variant::Delta {
        message.removed = gone(stream, kind).map(Arc::clone).collect();
        if refused && !message.removed.is_empty() {
            blocked = true;
            message.removed.clear();
        }
    }
    let owed = !message.resources.is_empty() || !message.removed.is_empty();
    (owed.then_some(message), blocked)
}

/// Says it, and remembers that it was said.
fn send(stream: &mut Stream, kind: ResourceKind, message: Message, step: &mut Step) {
    let Message { resources, removed, complete } = message;
    let offered = Arc::clone(&stream.offered[kind]);
    stream.nonce += 1;
    stream.busy = true;
    step.send.push(encode(stream, kind, &resources, &removed));
    let version = Arc::clone(offered.shared_version());
    step.events.push(Event::Sent {
        kind,
        version: Arc::clone(&version),
        resources: resources.len(),
        removed: removed.len(),
    });
    let nonce = stream.nonce;
    let mut changed = Vec::new();
    let talk = &mut stream.talks[kind];
    if complete {
        // What is not in a complete set is gone.
        talk.doubt = false;
        talk.held.retain(|name, _| offered.get(name).is_some());
    }
    // Only what the client has needs to come back if it refuses this. Nobody else remembers names that it gives up.
    let removed = removed.into_iter().filter(|name| talk.held.remove(name).is_some()).collect();
    for served in resources {
        let differs = differs(talk, &served);
        if !complete || differs || is_again(talk, &served.name) {
            talk.hold(&served, nonce);
        }
        if differs {
            changed.push(served);
        }
    }
    talk.say(nonce, &version, removed, complete);
    for served in changed {
        for (dependent, name) in served.dependents() {
            stream.talks[dependent].again(name);
            if kind == ResourceKind::Listener {
                transition::expect(stream, dependent, name);
            }
        }
    }
}

fn encode(stream: &Stream, kind: ResourceKind, resources: &[Arc<Served>], removed: &[Arc<str>]) -> Outgoing {
    let offered = &stream.offered[kind];
    let (version, type_url, nonce) = (offered.version().to_owned(), kind.type_url(), stream.nonce.to_string());
    // A message is its fields in any order.
    let envelope = match stream.variant {
        Variant::StateOfTheWorld => {
            DiscoveryResponse { version_info: version, type_url, nonce, ..Default::default() }.encode_to_vec()
        }
        Variant::Delta => DeltaDiscoveryResponse {
            system_version_info: version,
            type_url,
            nonce,
            removed_resources: removed.iter().map(ToString::to_string).collect(),
            ..Default::default()
        }
        .encode_to_vec(),
    };
    let mut parts = vec![Bytes::from(envelope)];
    // Never all of it in one piece: most proxies have a view of their own, and each would keep such a piece.
    parts.extend(resources.iter().flat_map(|served| served.field(stream.variant)).cloned());
    Outgoing { kind: Some(kind), type_url: kind.type_url(), parts }
}

/// Whether a response of the state-of-the-world variant says all that there is: what it does not hold is deleted.
fn is_complete(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Cluster | ResourceKind::Listener)
}

/// What a client subscribes to of what there is.
fn covered<'a>(talk: &'a Talk, offered: &'a Resources) -> Box<dyn Iterator<Item = &'a Arc<Served>> + 'a> {
    if talk.subscription.everything {
        return Box::new(offered.iter());
    }
    Box::new(talk.subscription.names.iter().filter_map(|name| offered.get(name)))
}

/// Whether the client has something else, or may have.
fn differs(talk: &Talk, served: &Served) -> bool {
    talk.held
        .get(&served.name)
        .is_none_or(|held| held.state == State::Unsure || held.version.as_ref() != Some(&served.version))
}

fn is_again(talk: &Talk, name: &str) -> bool {
    talk.held.get(name).is_some_and(|held| held.again)
}

/// What the client has and should not have any more. Delta alone must say so.
fn gone(stream: &Stream, kind: ResourceKind) -> impl Iterator<Item = &Arc<str>> {
    let offered = &stream.offered[kind];
    stream.talks[kind].held.keys().filter(move |name| offered.get(name).is_none() && !keeps(stream, kind, name))
}

/// Whether the client may keep what does not exist any more. Listeners that drain go on using their routes, filters and
/// secrets, and nobody else does; clusters stay as long as routes may lead to them that we do not know.
fn keeps(stream: &Stream, kind: ResourceKind, name: &str) -> bool {
    stream.talks[kind].held.get(name).is_some_and(|held| match kind {
        ResourceKind::Cluster | ResourceKind::Endpoints => held.claimed && transition::only_adds(stream),
        ResourceKind::Listener => false,
        ResourceKind::Secret | ResourceKind::Extension | ResourceKind::Routes => true,
    })
}

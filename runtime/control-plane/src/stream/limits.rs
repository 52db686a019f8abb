//! How much one client may make a stream remember.

use std::collections::BTreeSet;
use std::sync::Arc;

use compiler::snapshot::ResourceKind;

use super::{Refusal, Stream};

/// Names of all types together.
const NAMES: usize = 100_000;
/// Bytes of all names together.
const BYTES: usize = 8 << 20;
/// Bytes of one name.
const NAME: usize = 4 << 10;
/// Responses of one type that were not answered. Whoever subscribes one by one may be far ahead of its answers.
const UNANSWERED: usize = 10_000;

/// Names of a request; those that a view has are the view's own.
pub(super) fn names(stream: &Stream, kind: ResourceKind, names: Vec<String>) -> Result<BTreeSet<Arc<str>>, Refusal> {
    if names.len() > NAMES {
        return Err(too_many_names());
    }
    let newest = stream.newest.of(kind);
    let mut known = BTreeSet::new();
    for name in names {
        check(&name)?;
        let served = stream.offered[kind].get(&name).or_else(|| newest.get(&name));
        known.insert(served.map_or_else(|| Arc::from(name), |served| Arc::clone(&served.name)));
    }
    Ok(known)
}

pub(super) fn check(name: &str) -> Result<(), Refusal> {
    if name.len() > NAME {
        return Err(Refusal::InvalidArgument(format!("a name of more than {NAME} bytes")));
    }
    Ok(())
}

/// What a stream remembers of its client, after a request that named something.
pub(super) fn remembered(stream: &Stream) -> Result<(), Refusal> {
    let talks = || ResourceKind::ALL.into_iter().map(|kind| &stream.talks[kind]);
    // What waits for an answer may have been given up.
    let names = || talks().flat_map(|talk| talk.subscription.names.union(&talk.deferred.names));
    let count = names().count() + talks().map(|talk| talk.claimed).sum::<usize>();
    let bytes: usize = names().map(|name| name.len()).sum();
    if count > NAMES || bytes > BYTES {
        return Err(too_many_names());
    }
    Ok(())
}

pub(super) fn unanswered(stream: &Stream, kind: ResourceKind) -> Result<(), Refusal> {
    if stream.talks[kind].unanswered.len() > UNANSWERED {
        return Err(Refusal::ResourceExhausted(format!("more than {UNANSWERED} responses are not answered")));
    }
    Ok(())
}

fn too_many_names() -> Refusal {
    Refusal::ResourceExhausted(format!("more than {NAMES} names, or {BYTES} bytes of them"))
}

/// Names that a client says it has.
pub(super) fn claims<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Result<(), Refusal> {
    if names.len() > NAMES || names.map(String::len).sum::<usize>() > BYTES {
        return Err(too_many_names());
    }
    Ok(())
}

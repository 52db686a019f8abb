//! Endpoints and secrets do not wait for a transition that takes long: a cluster that never gets warm must not keep the
//! others from hearing where their endpoints went.

use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;

use super::{Stream, are_calm, offer};
use crate::stream::talk::State;
use crate::view::Resources;

/// How long a transition may take before the newest endpoints and secrets are told within it, and then again between two
/// such times. In between it can go on: news every moment would keep it from ever being done.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What may be told at any moment: nothing new leads to it.
const FRESH: [ResourceKind; 2] = [ResourceKind::Endpoints, ResourceKind::Secret];

/// Offers what is newest of these within a transition that is overdue. Whether there is something to tell.
pub(super) fn refresh(stream: &mut Stream, now: Duration) -> bool {
    if deadline(stream).is_none_or(|overdue| now < overdue) {
        return false;
    }
    for kind in FRESH {
        let fresh = Resources::union(&stream.offered[kind], &stream.newest.of(kind));
        offer(stream, kind, fresh);
    }
    stream.refreshed = true;
    if let Some(transition) = &mut stream.transition {
        transition.overdue = now + PATIENCE;
    }
    true
}

/// When [`refresh`] has something to do.
pub(super) fn deadline(stream: &Stream) -> Option<Duration> {
    let transition = stream.transition.as_ref().filter(|it| !Arc::ptr_eq(&it.to, &stream.newest))?;
    let has_news = !FRESH.into_iter().all(|kind| {
        let (offered, newest, talk) = (&stream.offered[kind], stream.newest.of(kind), &stream.talks[kind]);
        newest
            .iter()
            .filter(|served| talk.subscription.covers(&served.name))
            .all(|served| offered.get(&served.name).is_some_and(|known| known.version == served.version))
    });
    (has_news && are_calm(stream, &FRESH)).then_some(transition.overdue)
}

/// What of `old` the client was told, where that is newer.
pub(super) fn as_told(stream: &Stream, kind: ResourceKind, old: Arc<Resources>) -> Arc<Resources> {
    if !stream.refreshed || !FRESH.contains(&kind) {
        return old;
    }
    let (offered, talk) = (&stream.offered[kind], &stream.talks[kind]);
    let refused = |name: &str| talk.held.get(name).is_some_and(|held| held.state == State::Unsure);
    let told = old.iter().map(|served| offered.get(&served.name).filter(|it| !refused(&it.name)).unwrap_or(served));
    Arc::new(Resources::new(told.map(Arc::clone)))
}

/// What to tell in the end instead of `to`, where something newer was told already.
pub(super) fn to_tell(stream: &Stream, kind: ResourceKind, to: Arc<Resources>) -> Arc<Resources> {
    if !stream.refreshed || !FRESH.contains(&kind) {
        return to;
    }
    Resources::union(&as_told(stream, kind, to), &stream.newest.of(kind))
}

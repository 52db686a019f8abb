//! In which order a new view is told, so that at every moment every route leads to a cluster that the proxy has.
//!
//! 1. Clusters, endpoints and secrets of the old view and the new one together. Envoy acknowledges clusters once they are
//!    warm, for which it needs their endpoints: neither waits for the other.
//! 2. When these are acknowledged: listeners, filters and routes of the new view.
//! 3. When those are acknowledged too: what only the old view had is taken away.
//!
//! What is running is finished before the next view is told, or a mesh that changes all the time never gets past the first
//! step. Only a refusal, after which nothing can be finished, lets the next view begin at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;

use super::{Step, Stream, response};
use crate::view::{Resources, View};

mod refresh;

/// What traffic needs, and what leads traffic to it.
const TARGETS: [ResourceKind; 3] = [ResourceKind::Cluster, ResourceKind::Endpoints, ResourceKind::Secret];
const WAYS: [ResourceKind; 3] = [ResourceKind::Listener, ResourceKind::Extension, ResourceKind::Routes];

/// How long listeners, filters and routes are held back from a client that came back.
const GATE: Duration = Duration::from_secs(3);
/// How long clusters may take to be acknowledged before the next view is told instead: it may not have the one that does
/// not get warm.
const WARMING: Duration = Duration::from_secs(5);
/// How many responses with clusters may wait to be acknowledged.
const WARMINGS: usize = 16;
/// How long a client may take to follow routes that it has acknowledged.
const FOLLOWING: Duration = Duration::from_secs(2);
/// How many views a proxy may be half following.
const FOLLOWED: usize = 16;

#[derive(Debug)]
pub(super) struct Transition {
    to: Arc<View>,
    phase: Phase,
    /// What listeners that were sent ask for by name. Until the client has it, it uses the old ones, and their clusters.
    awaited: BTreeSet<(ResourceKind, Arc<str>)>,
    /// Until when that is waited for, once everything else is done.
    awaits_until: Option<Duration>,
    /// When endpoints and secrets do not wait for this any longer.
    overdue: Duration,
    /// When the next view is told instead, if this one's clusters are not acknowledged.
    hopeless: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Add,
    Switch,
    Remove,
}

impl Transition {
    fn new(to: Arc<View>, now: Duration) -> Self {
        let overdue = now + refresh::PATIENCE;
        Self { to, phase: Phase::Add, awaited: BTreeSet::new(), awaits_until: None, overdue, hopeless: now + WARMING }
    }
}

/// Does all that can be done now.
pub(super) fn proceed(stream: &mut Stream, now: Duration, step: &mut Step) {
    loop {
        for kind in ResourceKind::ALL {
            response::push(stream, kind, step);
        }
        if !advance(stream, now, step) && !refresh::refresh(stream, now) {
            return;
        }
    }
}

pub(super) fn deadline(stream: &Stream) -> Option<Duration> {
    let gate = stream.gate.filter(|_| !is_stuck(stream, Phase::Add));
    let awaits = stream.transition.as_ref().and_then(|it| it.awaits_until);
    let awaits = awaits.filter(|_| are_calm(stream, &ResourceKind::ALL));
    [gate, awaits, hopeless(stream), refresh::deadline(stream)].into_iter().flatten().min()
}

/// A subscription changed; `back` if the client had the type on an earlier stream.
///
/// An Envoy that comes back follows routes that we do not know, and asks for all types at once: it is told in the order
/// of a transition. Others ask for one type after the other, and must not be kept waiting.
pub(super) fn on_subscription(stream: &mut Stream, kind: ResourceKind, everything: bool, back: bool, now: Duration) {
    match kind {
        ResourceKind::Cluster | ResourceKind::Listener if back && everything && stream.transition.is_none() => {
            stream.transition = Some(Transition::new(Arc::clone(&stream.newest), now));
            stream.followed.clear();
            stream.gate = Some(now + GATE);
        }
        ResourceKind::Listener if !everything && stream.gate.is_some() => stream.gate = Some(now),
        _ => {}
    }
}

/// Whether answers of this type are held back.
pub(super) fn withholds(stream: &Stream, kind: ResourceKind) -> bool {
    stream.gate.is_some() && WAYS.contains(&kind)
}

/// Whether nothing may be taken away yet.
pub(super) fn only_adds(stream: &Stream) -> bool {
    stream.transition.as_ref().is_some_and(|transition| transition.phase != Phase::Remove)
}

/// Whether only a new view can help: the client refused something that the next phase would build on.
fn is_stuck(stream: &Stream, phase: Phase) -> bool {
    let kinds: &[ResourceKind] = if phase == Phase::Add { &TARGETS } else { &ResourceKind::ALL };
    kinds.iter().any(|kind| stream.talks[*kind].blocked)
}

/// When the next view is told instead of this one, although nothing was refused.
fn hopeless(stream: &Stream) -> Option<Duration> {
    let transition = stream.transition.as_ref().filter(|it| it.phase == Phase::Add)?;
    let warming = stream.talks[ResourceKind::Cluster].unanswered.len();
    let has_next = !transition.to.tells_the_same(&stream.newest);
    ((1..WARMINGS).contains(&warming) && has_next).then_some(transition.hopeless)
}

/// Goes on to the next phase, or the next view. Whether there may be more to do.
fn advance(stream: &mut Stream, now: Duration, step: &mut Step) -> bool {
    let Some(transition) = &stream.transition else {
        stream.proven |= stream.talks[ResourceKind::Cluster].opened && are_calm(stream, &TARGETS);
        let current = stream.followed.last().is_some_and(|view| view.tells_the_same(&stream.newest));
        if !current {
            start(stream, now);
        }
        return !current;
    };
    let (to, phase) = (Arc::clone(&transition.to), transition.phase);
    let is_newest = to.tells_the_same(&stream.newest);
    let is_stuck = is_stuck(stream, phase);
    if is_stuck || hopeless(stream).is_some_and(|hopeless| hopeless <= now) {
        let again = !is_newest || (is_stuck && is_spoilt(stream));
        if again {
            start(stream, now);
            // Endpoints that were refused keep their cluster from getting warm, and all clusters from being acknowledged.
            let clusters = &mut stream.talks[ResourceKind::Cluster];
            clusters.urgent = clusters.unanswered.len() < WARMINGS;
        }
        return again;
    }
    match phase {
        Phase::Add => {
            let timed_out = stream.gate.is_some_and(|gate| gate <= now);
            // A client that came back may name its listeners before its clusters.
            let asked = stream.gate.is_none() || stream.talks[ResourceKind::Cluster].opened;
            let is_added = asked && are_calm(stream, &TARGETS);
            if !timed_out && !is_added {
                return false;
            }
            switch(stream, &to, step);
        }
        _ if !are_calm(stream, &ResourceKind::ALL) => return false,
        Phase::Switch if awaits(stream, now) => return false,
        Phase::Switch => {
            stream.followed = vec![Arc::clone(&to)];
            stream.proven = true;
            enter(stream, Phase::Remove);
            for kind in TARGETS {
                let to = refresh::to_tell(stream, kind, to.of(kind));
                offer(stream, kind, to);
            }
        }
        Phase::Remove => {
            stream.transition = None;
            stream.refreshed &= !is_newest;
        }
    }
    true
}

/// Whether the client may still follow old routes, although it acknowledged the new ones: it has not asked yet for what
/// its new listeners need, or it asks by name for a cluster that is gone, which it gives up when it needs it no more.
fn awaits(stream: &mut Stream, now: Duration) -> bool {
    let Stream { transition: Some(transition), talks, offered, .. } = stream else { return false };
    let (clusters, to) = (&talks[ResourceKind::Cluster], transition.to.of(ResourceKind::Cluster));
    let uses = clusters.held.keys().any(|name| !clusters.subscription.everything && to.get(name).is_none());
    transition
        .awaited
        .retain(|(kind, name)| !talks[*kind].subscription.covers(name) && offered[*kind].get(name).is_some());
    let until = *transition.awaits_until.get_or_insert(now + FOLLOWING);
    let awaits = (uses || !transition.awaited.is_empty()) && now < until;
    transition.awaits_until = awaits.then_some(until);
    awaits
}

/// A listener was sent that asks for this.
pub(super) fn expect(stream: &mut Stream, kind: ResourceKind, name: &Arc<str>) {
    if let Some(transition) = &mut stream.transition {
        transition.awaited.insert((kind, Arc::clone(name)));
    }
}

/// Begins to tell the newest view.
fn start(stream: &mut Stream, now: Duration) {
    let to = Arc::clone(&stream.newest);
    for kind in TARGETS {
        let targets = targets(stream, kind);
        offer(stream, kind, targets);
    }
    stream.gate = stream.gate.map(|_| now + GATE);
    stream.transition = Some(Transition::new(to, now));
}

/// What the old views and the newest one need together.
fn targets(stream: &Stream, kind: ResourceKind) -> Arc<Resources> {
    let old = stream.followed.iter().map(|view| view.of(kind)).reduce(|old, new| Resources::union(&old, &new));
    let old = refresh::as_told(stream, kind, old.unwrap_or_default());
    Resources::union(&without_refused(stream, kind, old), &stream.newest.of(kind))
}

/// Whether something is offered that the client refused only afterwards, and that no view needs.
fn is_spoilt(stream: &Stream) -> bool {
    (stream.refreshed || !stream.proven)
        && TARGETS.into_iter().any(|kind| targets(stream, kind).version() != stream.offered[kind].version())
}

/// What of `old` the client has. What a stream begins with may be refused, and would be refused again; every later view
/// is followed only after its clusters were acknowledged.
fn without_refused(stream: &Stream, kind: ResourceKind, old: Arc<Resources>) -> Arc<Resources> {
    let talk = &stream.talks[kind];
    if stream.proven || !old.iter().any(|served| talk.refuses(served)) {
        return old;
    }
    Arc::new(Resources::new(old.iter().filter(|served| !talk.refuses(served)).map(Arc::clone)))
}

/// Lets traffic follow the new view.
fn switch(stream: &mut Stream, to: &Arc<View>, step: &mut Step) {
    if !stream.followed.iter().any(|view| Arc::ptr_eq(view, to)) {
        stream.followed.push(Arc::clone(to));
    }
    if stream.followed.len() > FOLLOWED {
        // The first was followed in full: of the others only parts may be left.
        stream.followed.remove(1);
    }
    stream.gate = None;
    enter(stream, Phase::Switch);
    for kind in WAYS {
        offer(stream, kind, to.of(kind));
        let deferred = std::mem::take(&mut stream.talks[kind].deferred);
        response::on_ask(stream, kind, deferred, step);
    }
}

fn enter(stream: &mut Stream, phase: Phase) {
    if let Some(transition) = &mut stream.transition {
        transition.phase = phase;
    }
}

fn offer(stream: &mut Stream, kind: ResourceKind, resources: Arc<Resources>) {
    stream.offered[kind] = resources;
    stream.talks[kind].dirty = true;
}

fn are_calm(stream: &Stream, kinds: &[ResourceKind]) -> bool {
    kinds.iter().all(|kind| stream.talks[*kind].is_calm())
}

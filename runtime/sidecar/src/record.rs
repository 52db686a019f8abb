//! What Envoy acknowledged on one stream, and whether that is a whole state that it could be started with.
//!
//! Requests and responses are read beside those who pass them on. A state is whole when clusters and listeners are
//! acknowledged, and everything that Envoy asks for by name was given or is known to be missing. So an Envoy that was
//! told half of something, or refuses it, leaves the record before it as it is.

mod delta;
mod state_of_the_world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use control_plane::{Served, Variant};
use envoy::config::core::v3::Node;
use envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use prost::Message as _;

use crate::last_good::{ByName, LastGood};

/// Envoy waits 15 s for what it asked for by name, and goes on without it.
const MISSING_AFTER: Duration = Duration::from_secs(20);
/// Responses that wait for their acknowledgement. A control plane that sends more of one type is misbehaving.
const MOST_PENDING: usize = 64;
/// How often a state that waits for nothing but time is looked at.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What an earlier stream carried, by type, name and version, whether Envoy acknowledged it or the stream ended before
/// it could: it may have taken it all the same, and then begins the next stream with it.
pub(crate) type Seen = BTreeMap<(ResourceKind, Arc<str>, Arc<str>), Arc<Served>>;

/// One stream, read along.
pub(crate) struct Recorder {
    variant: Variant,
    /// What is known from before: a delta stream begins with names and versions only.
    known: Option<Arc<LastGood>>,
    seen: Arc<Seen>,
    proxy: Option<String>,
    types: BTreeMap<ResourceKind, TypeRecord>,
}

/// What a message told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noticed {
    pub acknowledged: Option<ResourceKind>,
    pub refused: Option<ResourceKind>,
}

#[derive(Default)]
struct TypeRecord {
    /// Whether a response was acknowledged.
    answered: bool,
    wildcard: bool,
    /// Whether anything was ever asked for by name: from then on nothing named means nothing.
    named: bool,
    /// By name: since when.
    subscribed: BTreeMap<Arc<str>, Duration>,
    kept: ByName,
    absent: BTreeSet<Arc<str>>,
    /// What Envoy said that it has, and nobody here has seen.
    unseen: BTreeSet<Arc<str>>,
    pending: VecDeque<(String, Change)>,
}

/// What becomes of the record when a response is acknowledged.
struct Change {
    /// Whether everything that is not named is gone.
    whole: bool,
    resources: Vec<Arc<Served>>,
    removed: Vec<Arc<str>>,
}

impl Recorder {
    pub(crate) fn new(variant: Variant, known: Option<Arc<LastGood>>, seen: Arc<Seen>) -> Self {
        Self { variant, known, seen, proxy: None, types: BTreeMap::new() }
    }

    /// What cannot be read is nothing to record: it is for the two ends to judge.
    pub(crate) fn on_request(&mut self, bytes: &Bytes, now: Duration) -> Noticed {
        match self.variant {
            Variant::StateOfTheWorld => match DiscoveryRequest::decode(bytes.clone()) {
                Ok(request) => state_of_the_world::on_request(self, request, now),
                Err(_) => Noticed::default(),
            },
            Variant::Delta => match DeltaDiscoveryRequest::decode(bytes.clone()) {
                Ok(request) => delta::on_request(self, request, now),
                Err(_) => Noticed::default(),
            },
        }
    }

    pub(crate) fn on_response(&mut self, bytes: &Bytes) {
        match self.variant {
            Variant::StateOfTheWorld => {
                if let Ok(response) = DiscoveryResponse::decode(bytes.clone()) {
                    state_of_the_world::on_response(self, response);
                }
            }
            Variant::Delta => {
                if let Ok(response) = DeltaDiscoveryResponse::decode(bytes.clone()) {
                    delta::on_response(self, response);
                }
            }
        }
    }

    /// What Envoy has, if that is whole.
    pub(crate) fn state(&self, now: Duration) -> Option<LastGood> {
        let proxy = self.proxy.clone()?;
        let answered = |kind| self.types.get(&kind).is_some_and(|record| record.answered);
        if !answered(ResourceKind::Cluster) || !answered(ResourceKind::Listener) {
            return None;
        }
        if !self.types.values().all(|record| record.is_whole(now)) {
            return None;
        }
        let kept = self.types.iter().filter(|(_, record)| !record.kept.is_empty());
        let types = kept.map(|(kind, record)| (*kind, record.kept.clone())).collect();
        Some(LastGood { proxy, acknowledged: None, types })
    }

    /// Whether Envoy has something that nobody here knows. No record says what it has, then.
    pub(crate) fn has_unseen(&self) -> bool {
        self.types.values().any(|record| !record.unseen.is_empty())
    }

    /// What Envoy has or may have taken. Replaces what was seen before, so it grows with one stream alone.
    pub(crate) fn seen(&self) -> Seen {
        let of = |(kind, record): (&ResourceKind, &TypeRecord)| {
            let pending = record.pending.iter().flat_map(|(_, change)| &change.resources);
            let all = record.kept.values().chain(pending);
            let kind = *kind;
            all.map(|it| ((kind, Arc::clone(&it.name), Arc::clone(&it.version)), Arc::clone(it))).collect::<Vec<_>>()
        };
        self.types.iter().flat_map(of).collect()
    }

    fn meet(&mut self, node: Option<Node>) {
        if let (None, Some(node)) = (&self.proxy, node) {
            self.proxy = Some(proxy_name(&node.id).to_owned());
        }
    }

    fn of(&mut self, kind: ResourceKind) -> &mut TypeRecord {
        self.types.entry(kind).or_default()
    }

    fn known(&self, kind: ResourceKind, name: &str, version: &str) -> Option<Arc<Served>> {
        let known = self.known.as_ref().filter(|known| Some(&known.proxy) == self.proxy.as_ref());
        let kept = known.and_then(|known| known.types.get(&kind)?.get(name)).filter(|it| &*it.version == version);
        // Versions are digests: the same version is the same bytes.
        kept.or_else(|| self.seen.get(&(kind, name.into(), version.into()))).cloned()
    }
}

/// The part of a node's id that is the proxy's name in the mesh.
pub(crate) fn proxy_name(id: &str) -> &str {
    id.split_once('~').map_or(id, |(name, _)| name)
}

impl TypeRecord {
    fn is_whole(&self, now: Duration) -> bool {
        let settled = |(name, since): (&Arc<str>, &Duration)| {
            self.kept.contains_key(name) || self.absent.contains(name) || now.saturating_sub(*since) > MISSING_AFTER
        };
        self.unseen.is_empty() && self.subscribed.iter().all(settled)
    }

    fn sent(&mut self, nonce: String, change: Change) {
        if self.pending.len() >= MOST_PENDING
            && let Some((_, dropped)) = self.pending.pop_front()
        {
            // Envoy may have it; the record will not.
            self.unseen.extend(dropped.resources.into_iter().map(|served| Arc::clone(&served.name)));
            self.unseen.extend(dropped.removed);
        }
        self.pending.push_back((nonce, change));
    }

    /// The response of this nonce. Those before it are settled, too.
    fn settle(&mut self, nonce: &str) -> Option<Change> {
        let place = self.pending.iter().position(|(sent, _)| sent == nonce)?;
        self.pending.drain(..=place).next_back().map(|(_, change)| change)
    }

    fn apply(&mut self, change: Change) {
        self.answered = true;
        if change.whole {
            self.kept.clear();
            self.unseen.clear();
        }
        for served in change.resources {
            self.absent.remove(&served.name);
            self.unseen.remove(&served.name);
            self.kept.insert(Arc::clone(&served.name), served);
        }
        for name in change.removed {
            self.kept.remove(&name);
            self.unseen.remove(&name);
            if self.subscribed.contains_key(&name) {
                self.absent.insert(name);
            }
        }
        self.forget_the_rest();
    }

    /// What is not asked for is not kept.
    fn forget_the_rest(&mut self) {
        if !self.wildcard {
            self.kept.retain(|name, _| self.subscribed.contains_key(name));
            self.unseen.retain(|name| self.subscribed.contains_key(name));
        }
        self.absent.retain(|name| self.subscribed.contains_key(name));
    }
}

#[cfg(test)]
mod tests;

//! What was said about one type on one stream: what the client holds, what it has not answered yet, what it refused.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use compiler::snapshot::ResourceKind;

use super::TypeStatus;
use super::subscription::{Ask, Subscription};
use crate::view::Served;

/// How many refused versions are remembered.
const REFUSED: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Talk {
    /// The client asked for this type.
    pub(super) opened: bool,
    pub(super) subscription: Subscription,
    /// By name: what the client has, as far as we know. Nothing that it does not subscribe to.
    pub(super) held: BTreeMap<Arc<str>, Held>,
    /// How many of `held` are the client's word alone.
    pub(super) claimed: usize,
    /// Responses that were neither acknowledged nor refused, oldest first.
    pub(super) unanswered: VecDeque<Unanswered>,
    /// The nonce of the last response.
    pub(super) latest: u64,
    /// Something may be owed to the client.
    pub(super) dirty: bool,
    /// All that is owed was refused before, and is not said again.
    pub(super) blocked: bool,
    /// What is owed is said although the client has not answered yet.
    pub(super) urgent: bool,
    /// What the client has of a complete set is not known.
    pub(super) doubt: bool,
    /// What was asked for while answers were held back.
    pub(super) deferred: Ask,
    sent: Option<Arc<str>>,
    acknowledged: Option<Arc<str>>,
    refused: Option<(Arc<str>, String)>,
    /// Versions that must never be sent again, and why.
    refusals: VecDeque<(Arc<str>, String)>,
}

/// A resource that a client has, or was sent.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Unknown if it is one that we do not have.
    pub(super) version: Option<Arc<str>>,
    /// Of the last response that had it.
    pub(super) nonce: u64,
    pub(super) state: State,
    /// To be sent again although it did not change.
    pub(super) again: bool,
    /// The client had it before this stream, and may be using it.
    pub(super) claimed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Sent,
    Acknowledged,
    /// It was in a response that was refused: all, part or nothing of that response may have been applied.
    Unsure,
}

#[derive(Debug)]
pub(super) struct Unanswered {
    nonce: u64,
    version: Arc<str>,
    /// What it took away.
    removed: Vec<Arc<str>>,
    /// It said all that there is.
    complete: bool,
}

/// What a client said to a response.
#[derive(Debug)]
pub(super) enum Answer {
    Acknowledged(Arc<str>),
    Refused(Arc<str>),
}

impl Talk {
    /// Nothing is owed, and nothing waits for an answer.
    pub(super) fn is_calm(&self) -> bool {
        self.unanswered.is_empty() && !self.dirty
    }

    pub(super) fn was_refused(&self, version: &Arc<str>) -> bool {
        self.refusals.iter().any(|(refused, _)| refused == version)
    }

    /// What is offered was refused before, if not by its latest answer: the reason is shown as long as it holds things up.
    pub(super) fn blocks(&mut self, version: &Arc<str>) {
        self.refused = self.refusals.iter().find(|(refused, _)| refused == version).cloned();
    }

    /// A response goes out.
    pub(super) fn say(&mut self, nonce: u64, version: &Arc<str>, removed: Vec<Arc<str>>, complete: bool) {
        self.latest = nonce;
        self.sent = Some(Arc::clone(version));
        self.unanswered.push_back(Unanswered { nonce, version: Arc::clone(version), removed, complete });
    }

    /// The client answers a response. None if it did so before, or if there is no such response. `error` where it refuses.
    pub(super) fn hear(&mut self, nonce: &str, error: Option<impl FnOnce(&Self) -> String>) -> Option<Answer> {
        let nonce = nonce.parse::<u64>().ok().filter(|it| it.to_string() == nonce)?;
        let place = self.unanswered.iter().position(|it| it.nonce == nonce)?;
        // Answers come in order: who says nothing to an older response has no objection.
        let Unanswered { version, removed, complete, .. } = self.unanswered.drain(..=place).next_back()?;
        // Who accepts a complete set has all of it, if parts of it came before, in a response that was refused.
        let has_all = complete && error.is_none();
        let is_meant = |held: &Held| held.nonce <= nonce && (has_all || held.state == State::Sent);
        for held in self.held.values_mut().filter(|held| is_meant(held)) {
            let refused = error.is_some() && held.nonce == nonce;
            held.state = if refused { State::Unsure } else { State::Acknowledged };
        }
        let Some(error) = error else {
            self.acknowledged = Some(Arc::clone(&version));
            self.refused = None;
            return Some(Answer::Acknowledged(version));
        };
        for name in removed.into_iter().filter(|name| self.subscription.covers(name)) {
            let held = Held { version: None, nonce, state: State::Unsure, again: false, claimed: false };
            self.held.entry(name).or_insert(held);
        }
        let error = error(self);
        self.refused = Some((Arc::clone(&version), error.clone()));
        // A later response says it all anyway.
        self.doubt |= nonce == self.latest;
        self.dirty = true;
        if !self.was_refused(&version) {
            self.refusals.push_back((Arc::clone(&version), error));
        }
        if self.refusals.len() > REFUSED {
            self.refusals.pop_front();
        }
        Some(Answer::Refused(version))
    }

    /// A resource goes out with it.
    pub(super) fn hold(&mut self, served: &Served, nonce: u64) {
        let held = Held {
            version: Some(Arc::clone(&served.version)),
            nonce,
            state: State::Sent,
            again: false,
            claimed: self.held.get(&served.name).is_some_and(|held| held.claimed),
        };
        self.held.insert(Arc::clone(&served.name), held);
    }

    /// Whether the client refused this version of a resource.
    pub(super) fn refuses(&self, served: &Served) -> bool {
        let held = self.held.get(&served.name).filter(|held| held.state == State::Unsure);
        held.is_some_and(|held| held.version.as_ref() == Some(&served.version))
    }

    /// Forgets what the client does not want any more: it throws it away.
    pub(super) fn forget(&mut self) {
        let subscription = &self.subscription;
        self.held.retain(|name, _| subscription.covers(name));
        self.deferred.names.retain(|name| subscription.covers(name));
    }

    /// What depends on something that changed must be sent again.
    pub(super) fn again(&mut self, name: &str) {
        if let Some(held) = self.held.get_mut(name) {
            held.again = true;
            self.dirty = true;
        }
    }

    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_ref().map(|(_, error)| error.as_str())
    }

    pub(super) fn status(&self, kind: ResourceKind) -> Option<TypeStatus> {
        let resources = self.held.iter().filter_map(|(name, held)| {
            Some((Arc::clone(name), Arc::clone(held.version.as_ref()?), held.state == State::Acknowledged))
        });
        self.opened.then(|| TypeStatus {
            kind,
            subscribed: self.subscription.names.len(),
            wildcard: self.subscription.everything,
            sent: self.sent.clone(),
            acknowledged: self.acknowledged.clone(),
            refused: self.refused.clone(),
            resources: resources.collect(),
        })
    }
}

//! What is served, what is held back, and why what is served is not what the sources say.

use std::sync::Arc;
use std::time::Duration;

use crate::guard::{self, Reason};
use crate::published::{Changes, Names, Published, Views, changes, digest, hexadecimal};

/// When states follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long what left the mesh is served after that.
    pub grace: Duration,
    /// Nothing means that whatever was compiled may be published.
    pub limits: Option<guard::Limits>,
}

/// Between the compiler and the streams.
#[derive(Debug, Default)]
pub struct State {
    pub published: Arc<Published>,
    pub held: Option<Held>,
}

/// A state that waits until somebody says that it is meant.
#[derive(Clone, Debug)]
pub struct Held {
    pub digest: String,
    pub reasons: Vec<Reason>,
    said: Said,
}

/// What the sources say.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub views: Views,
    pub names: Names,
    /// A digest of the files that people edit; nothing where that is not known.
    pub edited: Option<[u8; 32]>,
}

/// What became of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Unchanged,
    Published(Changes),
    Held,
}

/// What the sources say now.
///
/// The guard is for files that people edit. Where they are as they were for what is served, something else made the
/// difference: what runs, which is published unless it is nothing at all.
pub fn offer(state: &mut State, said: Said, now: Duration, policy: &Policy) -> Decision {
    // The newest input counts, whatever was held before.
    state.held = None;
    let digest = digest(&said.views, &said.names);
    if digest == state.published.digest && !state.published.is_empty() {
        if said.edited != state.published.edited {
            state.published = Arc::new((*state.published).clone().edited_as(said.edited));
        }
        return Decision::Unchanged;
    }
    let as_edited = said.edited.is_some() && said.edited == state.published.edited;
    let reasons = match policy.limits {
        None => Vec::new(),
        Some(_) if as_edited => guard::nothing(&said.views),
        Some(limits) => guard::objections(state.published.mesh(), &said.views, limits),
    };
    if !reasons.is_empty() {
        state.held = Some(Held { digest, reasons, said });
        return Decision::Held;
    }
    Decision::Published(publish(state, said, now, policy))
}

/// Publishes what is held, if it is this state, or what this edit makes of whatever runs.
pub fn allow(state: &mut State, digest: &str, now: Duration, policy: &Policy) -> Option<Changes> {
    let held = state.held.take_if(|held| held.digest == digest || held.edit().as_deref() == Some(digest))?;
    Some(publish(state, held.said, now, policy))
}

/// Lets tombstones go whose time has come.
pub fn expire(state: &mut State, now: Duration) -> Option<Changes> {
    let next = state.published.expired(now)?;
    let changes = changes(&state.published, &next);
    state.published = Arc::new(next);
    Some(changes)
}

fn publish(state: &mut State, said: Said, now: Duration, policy: &Policy) -> Changes {
    let next = state.published.followed_by(said.views, now, policy.grace).named(said.names).edited_as(said.edited);
    let changes = changes(&state.published, &next);
    state.published = Arc::new(next);
    changes
}

impl Held {
    /// A digest of what people edited, which stays the same whatever runs meanwhile. Nothing where that is not known.
    pub fn edit(&self) -> Option<String> {
        self.said.edited.as_ref().map(|edited| hexadecimal(edited))
    }

    /// The reasons in one line.
    pub fn reason(&self) -> String {
        self.reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ")
    }
}

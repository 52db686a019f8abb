//! Which resources of a type a client wants.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The name that means everything.
pub(super) const ALL: &str = "*";

/// Names, everything, or both.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    pub(super) everything: bool,
    pub(super) names: BTreeSet<Arc<str>>,
    /// A name was given once, if only `*`: from then on no names are none, and not everything.
    named: bool,
}

/// What a request asks for, to be answered whether or not the client has it.
#[derive(Debug, Default)]
pub(super) struct Ask {
    pub(super) everything: bool,
    pub(super) names: BTreeSet<Arc<str>>,
}

impl Subscription {
    pub(super) fn covers(&self, name: &str) -> bool {
        self.everything || self.names.contains(name)
    }

    /// State of the world: a request says all that the client wants. With `by_default`, no names mean everything as long
    /// as none was ever given.
    pub(super) fn replace(&mut self, mut names: BTreeSet<Arc<str>>, by_default: bool) -> Ask {
        let starred = names.remove(ALL);
        let everything = starred || (names.is_empty() && by_default && !self.named);
        self.named |= starred || !names.is_empty();
        let ask = Ask {
            everything: everything && !self.everything,
            names: names.difference(&self.names).map(Arc::clone).collect(),
        };
        self.everything = everything;
        self.names = names;
        ask
    }

    /// Delta: a request says what changes. With `by_default`, the first request without names means everything.
    pub(super) fn update(
        &mut self,
        subscribe: BTreeSet<Arc<str>>,
        unsubscribe: &BTreeSet<Arc<str>>,
        by_default: bool,
    ) -> Ask {
        let mut ask = Ask::default();
        if by_default && subscribe.is_empty() {
            self.everything = true;
            ask.everything = true;
        }
        for name in unsubscribe {
            if &**name == ALL {
                self.everything = false;
            } else if self.names.remove(name) && self.everything {
                // It still belongs to everything, if it exists: the client must hear which.
                ask.names.insert(Arc::clone(name));
            }
        }
        for name in subscribe {
            if &*name == ALL {
                self.everything = true;
                ask.everything = true;
            } else {
                self.names.insert(Arc::clone(&name));
                ask.names.insert(name);
            }
        }
        ask
    }
}

impl Ask {
    pub(super) fn add(&mut self, other: Self) {
        self.everything |= other.everything;
        self.names.extend(other.names);
    }
}

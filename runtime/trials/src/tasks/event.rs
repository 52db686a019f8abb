//! What happens to tasks under load, and what it came to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::load::{Answers, Load, Tally};

/// Something that happened while requests went on.
#[derive(Clone, Debug)]
pub struct Event {
    pub what: String,
    /// From what AWS says to requests that obey it.
    pub obeyed: Option<Duration>,
    /// How often AWS was asked meanwhile.
    pub polls: Option<u64>,
    pub requests: u64,
    pub lost: u64,
    pub losses: Vec<String>,
    /// How many requests each answered.
    pub answered: BTreeMap<String, u64>,
    /// What else was to be so, and was not.
    pub wrong: Vec<String>,
}

/// A moment of a load, from which on is counted.
#[derive(Clone, Debug)]
pub struct Mark {
    tally: Tally,
    answers: BTreeMap<String, Answers>,
    polls: u64,
}

impl Mark {
    pub fn of(load: &Load, polls: u64) -> Self {
        Self { tally: load.tally(), answers: load.answers(), polls }
    }

    /// What happened since, as an event.
    pub fn event(&self, what: &str, load: &Load) -> Event {
        let tally = load.tally();
        let before = |who: &String| self.answers.get(who).map_or(0, |answers| answers.count);
        let answers = load.answers().into_iter();
        let answered = answers.map(|(who, answers)| (who.clone(), answers.count.saturating_sub(before(&who))));
        Event {
            what: what.to_owned(),
            obeyed: None,
            polls: None,
            requests: tally.requests.saturating_sub(self.tally.requests),
            lost: tally.lost.saturating_sub(self.tally.lost),
            losses: tally.losses.into_iter().skip(self.tally.losses.len()).map(|(_, why)| why).collect(),
            answered: answered.filter(|(_, count)| *count > 0).collect(),
            wrong: Vec::new(),
        }
    }

    /// How often AWS was asked since.
    pub fn polls(&self, polls: u64) -> u64 {
        polls.saturating_sub(self.polls)
    }
}

impl Event {
    /// Nothing was lost, and nothing else was wrong.
    pub fn is_well(&self) -> bool {
        self.lost == 0 && self.wrong.is_empty()
    }
}

//! What happens to tasks under load, and what it came to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::load::{Answers, Load, Tally};

/// So many requests an event is judged by, at least: of what nobody asks, nothing is lost.
pub const AT_LEAST: u64 = 100;
/// So often AWS may be asked until an event is obeyed: two whole reads, and the one that is under way by then.
pub const POLLS: u64 = 3;

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
        let answers = load.answers().into_iter();
        let answered = answers.map(|(who, answers)| (who.clone(), answers.count.saturating_sub(self.of_one(&who))));
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

    /// How many requests were sent since.
    pub fn requests(&self, load: &Load) -> u64 {
        load.tally().requests.saturating_sub(self.tally.requests)
    }

    /// How many of them were lost.
    pub fn lost(&self, load: &Load) -> u64 {
        load.tally().lost.saturating_sub(self.tally.lost)
    }

    /// How many of them this one answered.
    pub fn answered(&self, load: &Load, who: &str) -> u64 {
        load.answers().get(who).map_or(0, |answers| answers.count).saturating_sub(self.of_one(who))
    }

    fn of_one(&self, who: &str) -> u64 {
        self.answers.get(who).map_or(0, |answers| answers.count)
    }
}

impl Event {
    pub fn is_well(&self) -> bool {
        self.problems().is_empty()
    }

    /// Whatever was not as it was to be, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.wrong.clone();
        if self.lost > 0 {
            problems.push(format!("{} of {} requests failed", self.lost, self.requests));
        }
        if self.requests < AT_LEAST {
            problems.push(format!("{} requests are too few to tell", self.requests));
        }
        if let Some(polls) = self.polls.filter(|polls| *polls > POLLS) {
            problems.push(format!("AWS was asked {polls} times before it was obeyed"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_well_only_if_it_was_asked_enough_and_obeyed_in_time() {
        let (answered, losses) = (BTreeMap::new(), Vec::new());
        let (what, wrong) = ("a task stops".to_owned(), Vec::new());
        let well =
            Event { what, obeyed: None, polls: Some(POLLS), requests: AT_LEAST, lost: 0, losses, answered, wrong };
        assert!(well.is_well());
        assert!(!Event { requests: AT_LEAST - 1, ..well.clone() }.is_well());
        assert!(!Event { polls: Some(POLLS + 1), ..well.clone() }.is_well());
        assert!(!Event { lost: 1, ..well.clone() }.is_well());
        assert!(!Event { wrong: vec!["nobody was told".to_owned()], ..well }.is_well());
    }
}

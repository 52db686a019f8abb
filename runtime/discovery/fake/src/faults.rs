//! Every way in which calls go wrong, by script: which calls, how many of them, and how.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::page;

/// A rule; the first that meets a call has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Such as `ListTasks`; any, if none.
    #[serde(default)]
    pub action: Option<String>,
    /// Actions that it does not meet.
    #[serde(default)]
    pub except: Vec<String>,
    /// A text in the request, such as a family.
    #[serde(default)]
    pub matching: Option<String>,
    /// The page of a list, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// Of the calls that fit, from 0 to 1.
    #[serde(default = "all")]
    pub share: f64,
    /// How many calls it meets before it is over.
    #[serde(default)]
    pub times: Option<u64>,
    pub kind: Kind,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Kind {
    Throttled,
    ServerError,
    Unavailable,
    ExpiredCredentials,
    Denied,
    /// The token of this page is not valid any more.
    ExpiredPage,
    Error {
        code: String,
        message: String,
        status: u16,
    },
    /// The connection is reset before an answer.
    Reset,
    /// No answer, ever.
    Silence,
    /// The answer comes late.
    Delay {
        millis: u64,
    },
    /// The answer trickles.
    Slow {
        bytes_per_second: u64,
    },
    /// Half of the answer, then the connection ends.
    Truncated,
    /// Status 200, and a body that is not what it says.
    WrongJson,
    /// The token of the next page is the one of this page.
    LoopingToken,
    /// Everything is in the list twice.
    Duplicates,
    /// DescribeTasks has never heard of some of them: those that are named, and a share of the others.
    Missing {
        #[serde(default)]
        tasks: Vec<String>,
        #[serde(default)]
        share: f64,
    },
    /// The answer of the world as it was remembered, see [`crate::Fake::remember`].
    Stale,
}

impl Fault {
    /// Meets every call of every action.
    pub fn every(kind: Kind) -> Self {
        Fault { action: None, except: Vec::new(), matching: None, page: None, share: 1.0, times: None, kind }
    }

    /// Meets every call of one action.
    pub fn of(action: &str, kind: Kind) -> Self {
        Fault { action: Some(action.to_owned()), ..Fault::every(kind) }
    }

    /// Not these actions.
    pub fn except(self, actions: impl IntoIterator<Item = String>) -> Self {
        Fault { except: actions.into_iter().collect(), ..self }
    }

    pub fn matching(self, text: &str) -> Self {
        Fault { matching: Some(text.to_owned()), ..self }
    }

    pub fn page(self, page: u64) -> Self {
        Fault { page: Some(page), ..self }
    }

    pub fn share(self, share: f64) -> Self {
        Fault { share, ..self }
    }

    pub fn times(self, times: u64) -> Self {
        Fault { times: Some(times), ..self }
    }

    fn fits(&self, action: &str, request: &Value) -> bool {
        self.times != Some(0)
            && self.action.as_ref().is_none_or(|wanted| wanted == action)
            && !self.except.iter().any(|spared| spared == action)
            && self.page.is_none_or(|wanted| wanted == page::number(request))
            && self.matching.as_ref().is_none_or(|text| request.to_string().contains(text.as_str()))
    }
}

/// The rules in force. What is left to chance is drawn from a seed: the same calls, the same faults.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Fault>,
    chance: fastrand::Rng,
}

impl Default for Faults {
    fn default() -> Self {
        Faults { rules: Vec::new(), chance: fastrand::Rng::with_seed(7) }
    }
}

impl Faults {
    pub(crate) fn set(&mut self, rules: Vec<Fault>) {
        self.rules = rules;
    }

    /// What happens to this call, if anything does.
    pub(crate) fn meet(&mut self, action: &str, request: &Value) -> Option<Kind> {
        let chance = &mut self.chance;
        let mut fits = |fault: &&mut Fault| fault.fits(action, request) && chance.f64() < fault.share;
        let fault = self.rules.iter_mut().find(|fault| fits(fault))?;
        fault.times = fault.times.map(|times| times - 1);
        Some(fault.kind.clone())
    }

    /// Makes an answer what the fault says; faults of other kinds leave it.
    pub(crate) fn distort(&mut self, kind: &Kind, request: &Value, age: u64, answer: &mut Value) {
        match kind {
            Kind::LoopingToken => {
                let token = request["nextToken"].as_str().map_or_else(|| page::begin_again(age), str::to_owned);
                answer["nextToken"] = json!(token);
            }
            Kind::Duplicates => {
                for list in answer.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
                    let Some(list) = list.as_array_mut() else { continue };
                    list.extend(list.clone());
                }
            }
            Kind::Missing { tasks, share } => self.lose(tasks, *share, answer),
            _ => {}
        }
    }

    fn lose(&mut self, named: &[String], share: f64, answer: &mut Value) {
        let Some(tasks) = answer["tasks"].as_array().cloned() else { return };
        let lost = |task: &Value| {
            let arn = task["taskArn"].as_str().unwrap_or_default();
            named.iter().any(|name| arn.ends_with(name.as_str())) || self.chance.f64() < share
        };
        let (lost, kept): (Vec<Value>, Vec<Value>) = tasks.into_iter().partition(lost);
        answer["tasks"] = Value::Array(kept);
        let failures = lost.iter().map(|task| json!({ "arn": task["taskArn"], "reason": "MISSING" }));
        if let Some(list) = answer["failures"].as_array_mut() {
            list.extend(failures);
        }
    }
}

impl Kind {
    /// What is answered in place of an answer.
    pub(crate) fn failure(&self, action: &str) -> Option<Failure> {
        Some(match self {
            Kind::Throttled => Failure::throttled(),
            Kind::ServerError => Failure::server(),
            Kind::Unavailable => Failure::unavailable(),
            Kind::ExpiredCredentials => Failure::expired_credentials(),
            Kind::ExpiredPage => Failure::invalid("Invalid token."),
            Kind::Denied => Failure::denied(action),
            Kind::Error { code, message, status } => {
                Failure { code: code.clone(), message: message.clone(), status: *status }
            }
            _ => return None,
        })
    }

    /// How calls that end this way are counted, where there is no code for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kind::Reset => "reset",
            Kind::Silence => "silence",
            Kind::Slow { .. } => "slow",
            Kind::Truncated => "truncated",
            Kind::WrongJson => "wrongJson",
            Kind::LoopingToken => "loopingToken",
            Kind::Duplicates => "duplicates",
            Kind::Missing { .. } => "missing",
            Kind::Stale => "stale",
            _ => "ok",
        }
    }
}

fn all() -> f64 {
    1.0
}

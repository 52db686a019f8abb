//! What must happen to a request, and what did.

use std::format;
use std::string::String;
use std::vec::Vec;

use crate::Header;

/// What must happen to a request. What is not listed is not compared.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The delay; none is no delay.
    pub delay_millis: Option<u32>,
    /// The status of the filter's own answer; none is a forwarded request.
    pub status: Option<u16>,
    /// Of the answer.
    pub headers: HeaderExpectations,
    /// The answer's body.
    pub body: Option<String>,
    /// The answer's response code details.
    pub details: Option<String>,
    /// Of the forwarded request.
    pub forwarded: HeaderExpectations,
    /// Of the response to the forwarded request.
    pub response: HeaderExpectations,
}

/// What headers must be.
#[derive(Clone, Debug, Default)]
pub struct HeaderExpectations {
    /// Every value of these names.
    pub exact: Vec<Header>,
    /// One value of these names, like the pattern.
    pub like: Vec<Header>,
    /// Names that are not there.
    pub absent: Vec<String>,
}

/// What an engine did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The delay before anything else.
    pub delay_millis: Option<u32>,
    /// Where the request ended.
    pub end: End,
}

/// Where a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was forwarded.
    Forwarded {
        /// With these headers.
        headers: Vec<Header>,
        /// The client got these.
        response: Vec<Header>,
    },
    /// It was answered.
    Replied {
        /// The HTTP status.
        status: u16,
        /// The headers of the answer.
        headers: Vec<Header>,
        /// The body of the answer.
        body: Vec<u8>,
        /// The response code details.
        details: String,
    },
}

impl Expect {
    pub(super) fn check(&self, observed: &Observed) -> Result<(), String> {
        let problem = self.problem(observed);
        problem.map_or(Ok(()), |problem| Err(format!("{problem}\n  observed {}", describe(observed))))
    }

    fn problem(&self, observed: &Observed) -> Option<String> {
        if self.delay_millis != observed.delay_millis {
            return Some(format!("expected a delay of {:?}", self.delay_millis));
        }
        match (&observed.end, self.status) {
            (End::Forwarded { headers, response }, None) => self
                .forwarded
                .problem(headers)
                .or_else(|| self.response.problem(response).map(|problem| format!("in the response: {problem}"))),
            (End::Replied { status, headers, body, details }, Some(expected)) => {
                if *status != expected {
                    return Some(format!("expected status {expected}"));
                }
                if self.body.as_ref().is_some_and(|expected| expected.as_bytes() != body) {
                    return Some(format!("expected the body {:?}", self.body));
                }
                if self.details.as_ref().is_some_and(|expected| expected != details) {
                    return Some(format!("expected the details {:?}", self.details));
                }
                self.headers.problem(headers)
            }
            (End::Forwarded { .. }, Some(expected)) => Some(format!("expected status {expected}")),
            (End::Replied { .. }, None) => Some("expected the request to be forwarded".into()),
        }
    }
}

impl HeaderExpectations {
    fn problem(&self, headers: &[Header]) -> Option<String> {
        let values = |list: &[Header], name: &[u8]| -> Vec<Vec<u8>> {
            list.iter().filter(|(n, _)| n == name).map(|(_, value)| value.clone()).collect()
        };
        for (name, _) in &self.exact {
            let expected = values(&self.exact, name);
            if values(headers, name) != expected {
                return Some(format!("expected {}: {}", name.escape_ascii(), expected.join(&b"|"[..]).escape_ascii()));
            }
        }
        for (name, pattern) in &self.like {
            let fits = matches!(&values(headers, name)[..], [only] if is_like(only, pattern));
            if !fits {
                return Some(format!("expected {}: like {}", name.escape_ascii(), pattern.escape_ascii()));
            }
        }
        let there = self.absent.iter().find(|name| headers.iter().any(|(n, _)| n == name.as_bytes()))?;
        Some(format!("expected no {there}"))
    }
}

/// Whether a text is like a pattern: `*` is anything, `?` one byte.
fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((b'*', pattern)), _) => {
            (0..=text.len()).any(|start| text.get(start..).is_some_and(|rest| is_like(rest, pattern)))
        }
        (Some((b'?', pattern)), Some((_, text))) => is_like(text, pattern),
        (Some((byte, pattern)), Some((first, text))) => byte == first && is_like(text, pattern),
        (Some(_), None) => false,
    }
}

fn describe(observed: &Observed) -> String {
    let lines = |headers: &[Header]| -> Vec<String> {
        let line = |(name, value): &Header| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
        headers.iter().map(line).collect()
    };
    let delay = observed.delay_millis;
    match &observed.end {
        End::Forwarded { headers, response } => {
            format!("delay {delay:?}, forwarded {:?}, response {:?}", lines(headers), lines(response))
        }
        End::Replied { status, headers, body, details } => {
            format!("delay {delay:?}, {status} {:?} `{}` ({details})", lines(headers), body.escape_ascii())
        }
    }
}

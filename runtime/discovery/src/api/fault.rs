//! Why a call failed: what to do about it, and one line for people.

use std::fmt;

use thiserror::Error;

/// A call that failed. Its text is one line, without keys.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{action}: {reason}")]
pub struct Fault {
    pub kind: Kind,
    /// What was asked, in AWS's words: `ListTasks`.
    pub action: &'static str,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Too many calls, ours or somebody else's in this account.
    Throttled,
    /// AWS failed.
    Unavailable,
    /// Nothing came in time.
    Timeout,
    /// Nobody was reached, or the connection broke.
    Connection,
    /// An answer that cannot be whole.
    Unusable,
    /// The token of a page is not valid any more: the list has to be read from its start.
    PageExpired,
    /// Credentials are missing, expired or refused.
    Credentials,
    /// The role may not do this.
    Denied,
    /// What was asked for does not exist.
    Missing,
    /// AWS does not take the request.
    Refused,
}

impl Fault {
    pub fn new(kind: Kind, action: &'static str, reason: impl fmt::Display) -> Self {
        Self { kind, action, reason: one_line(&reason.to_string()) }
    }
}

impl Kind {
    /// Whether the same call may do better a moment later.
    pub fn passes(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Timeout | Self::Connection | Self::Unusable)
    }

    /// For metrics and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Unusable => "unusable",
            Self::PageExpired => "page-expired",
            Self::Credentials => "credentials",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Refused => "refused",
        }
    }

    /// What an error of AWS means, by its code and the status of the answer.
    pub fn of(code: &str, status: u16) -> Self {
        match code {
            "ThrottlingException"
            | "Throttling"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown" => Self::Throttled,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "AuthFailure"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException" => Self::Credentials,
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "OptInRequired" => Self::Denied,
            "ClusterNotFoundException" | "NamespaceNotFound" | "ServiceNotFound" => Self::Missing,
            _ if status == 429 => Self::Throttled,
            _ if status >= 500 => Self::Unavailable,
            _ => Self::Refused,
        }
    }
}

/// Control characters and line ends are spaces, key ids and tokens are left out, and it has an end.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 240;
    let words = text.split(|char: char| char.is_whitespace() || char.is_control()).filter(|word| !word.is_empty());
    let line = words.map(|word| if is_secret(word) { "…" } else { word }).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

/// Ids of access keys, and anything that is as long as a session's token.
fn is_secret(word: &str) -> bool {
    let word = word.trim_matches(|char: char| !char.is_ascii_alphanumeric());
    let id = |prefix: &str| word.contains(prefix) && word.len() >= 16 && !word.starts_with("arn");
    id("AKIA") || id("ASIA") || id("AROA") || word.contains("X-Amz-") || (word.len() > 120 && !word.starts_with("arn"))
}

#[cfg(test)]
mod tests {
    use super::{Fault, Kind};

    #[test]
    fn a_fault_is_one_line_without_keys() {
        let fault =
            Fault::new(Kind::Denied, "ListTasks", "no\nkey 'ASIAIOSFODNN7EXAMPLE'\twith\u{7} `arn:aws:iam::1:role/x`");
        assert_eq!(fault.to_string(), "ListTasks: no key … with `arn:aws:iam::1:role/x`");
        let long = Fault::new(Kind::Refused, "ListTasks", "a ".repeat(9_999)).to_string();
        assert!(long.chars().count() < 300 && long.ends_with('…'), "{long}");
    }
}

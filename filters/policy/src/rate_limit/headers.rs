//! What clients are told of limits.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Serialize;

use super::bucket::Level;
use crate::{Decode, Invalid};

/// The headers that say how much is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateLimitHeaders {
    /// None; a refusal has `Retry-After` in any case.
    None,
    /// `RateLimit-Policy` and `RateLimit`, a member for each limit (draft-ietf-httpapi-ratelimit-headers-10).
    Standard,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset`, of the limit with the least left.
    Legacy,
    /// All of them.
    Both,
}

impl Decode for RateLimitHeaders {
    fn decode(value: serde_json::Value) -> Result<RateLimitHeaders, Invalid> {
        match value.as_str() {
            Some("none") => Ok(RateLimitHeaders::None),
            Some("standard") => Ok(RateLimitHeaders::Standard),
            Some("legacy") => Ok(RateLimitHeaders::Legacy),
            Some("both") => Ok(RateLimitHeaders::Both),
            _ => Err(Invalid::new("`none`, `standard`, `legacy` or `both` is expected")),
        }
    }
}

/// What is said of one limit.
pub(super) struct Said<'l> {
    pub name: &'l str,
    pub headers: RateLimitHeaders,
    /// Of a whole bucket.
    pub burst: u32,
    /// In which an empty bucket fills.
    pub window_seconds: u64,
    pub level: Level,
}

/// The headers about some limits. Names are in lower case.
pub(super) fn of(limits: &[Said<'_>]) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let mut policies = String::new();
    let mut levels = String::new();
    let mut least: Option<&Said<'_>> = None;
    for said in limits {
        if matches!(said.headers, RateLimitHeaders::Standard | RateLimitHeaders::Both) {
            let separator = if policies.is_empty() { "" } else { ", " };
            let name = quoted(said.name);
            policies.push_str(&format!("{separator}{name};q={};w={}", said.burst, said.window_seconds));
            let Level { remaining, full_in_seconds, .. } = said.level;
            levels.push_str(&format!("{separator}{name};r={remaining};t={full_in_seconds}"));
        }
        let is_legacy = matches!(said.headers, RateLimitHeaders::Legacy | RateLimitHeaders::Both);
        if is_legacy && least.is_none_or(|least| said.level.remaining < least.level.remaining) {
            least = Some(said);
        }
    }
    if !policies.is_empty() {
        headers.push(("ratelimit-policy", policies));
        headers.push(("ratelimit", levels));
    }
    if let Some(least) = least {
        headers.push(("x-ratelimit-limit", least.burst.to_string()));
        headers.push(("x-ratelimit-remaining", least.level.remaining.to_string()));
        headers.push(("x-ratelimit-reset", least.level.full_in_seconds.to_string()));
    }
    headers
}

/// A string as structured fields write it (RFC 9651, 3.3.3), which hold printable ASCII only.
fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len().saturating_add(2));
    quoted.push('"');
    for character in name.chars().filter(|character| matches!(character, ' '..='~')) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

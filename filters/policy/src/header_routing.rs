//! Routing by headers: the first rule whose headers match names the route.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use crate::decode::config;
use crate::scope::{authority_in_lower_case, host_matches};
use crate::{Counter, Decode, Env, HeaderEdit, Headers, HttpPolicy, Invalid, Request, Verdict};

/// The filter's root id in the wasm module.
pub const HEADER_ROUTING_ROOT_ID: &str = "header-routing";

/// The internal header that tells the route table which route was chosen. What clients send in it
/// is always removed.
pub const ROUTE_HEADER: &str = "x-meshwright-route";

config! {
    /// One header-routing plugin. The first rule that matches the request's host and headers wins.
    pub struct HeaderRoutingConfig {
        /// The rules, in order.
        pub rules: Vec<HeaderRoutingRule>,
    }
}

config! {
    /// When to take a route.
    pub struct HeaderRoutingRule {
        /// Lower-case authorities as in a virtual host's domains; `*`, or none, is any.
        pub hosts: Vec<String>,
        /// What the headers must be like: all of it.
        pub headers: Vec<HeaderMatch>,
        /// The value for [`ROUTE_HEADER`].
        pub route: String,
    }
}

config! {
    /// What one header must be like.
    ///
    /// A value is compared only if the header comes exactly once. Missing or repeated, it matches
    /// neither a value nor, with `invert`, the absence of that value: a request must not choose its
    /// route by showing one value here and another to the upstream.
    pub struct HeaderMatch {
        /// The header's name, in any case.
        pub name: String,
        /// What its value must be like.
        pub value: HeaderValueMatch,
        /// Whether the opposite must hold: another value, or, for presence, no such header.
        pub invert: bool = false,
    }
}

/// What a header's value must be like, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderValueMatch {
    /// The whole value.
    Exact(String),
    /// How the value starts.
    Prefix(String),
    /// How the value ends.
    Suffix(String),
    /// Any value, any number of times.
    Present,
}

impl Decode for HeaderValueMatch {
    fn decode(value: serde_json::Value) -> Result<HeaderValueMatch, Invalid> {
        if value == "present" {
            return Ok(HeaderValueMatch::Present);
        }
        let (variant, text) = crate::Fields::of(value)?.variant()?;
        let text = String::decode(text)?;
        match variant.as_str() {
            "exact" => Ok(HeaderValueMatch::Exact(text)),
            "prefix" => Ok(HeaderValueMatch::Prefix(text)),
            "suffix" => Ok(HeaderValueMatch::Suffix(text)),
            _ => Err(Invalid::new("`exact`, `prefix`, `suffix` or `present` is expected")),
        }
    }
}

/// A prepared [`HeaderRoutingConfig`].
#[derive(Debug)]
pub struct HeaderRouting {
    rules: Vec<HeaderRoutingRule>,
}

impl HttpPolicy for HeaderRouting {
    type Config = HeaderRoutingConfig;
    const ROOT_ID: &'static str = HEADER_ROUTING_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::HeaderRoutingRouted];

    fn new(config: HeaderRoutingConfig) -> HeaderRouting {
        let mut rules = config.rules;
        for header in rules.iter_mut().flat_map(|rule| &mut rule.headers) {
            header.name.make_ascii_lowercase();
        }
        HeaderRouting { rules }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let headers = request.all();
        let authority = authority_in_lower_case(headers.values(b":authority").next());
        let rule = self.rules.iter().find(|rule| rule.matches(authority.as_deref(), &headers));
        let name = ROUTE_HEADER.to_owned();
        if let Some(rule) = rule {
            env.count(Counter::HeaderRoutingRouted);
            let value = rule.route.clone().into_bytes();
            return Verdict::Continue(vec![HeaderEdit::Replace { name, value }].into());
        }
        // Without any header the request could not be read, and might carry the forbidden one.
        if headers.is_empty() || headers.values(ROUTE_HEADER.as_bytes()).next().is_some() {
            return Verdict::Continue(vec![HeaderEdit::Remove { name }].into());
        }
        Verdict::PASS
    }
}

impl HeaderRoutingRule {
    fn matches(&self, authority: Option<&[u8]>, headers: &Headers) -> bool {
        let host_matches = |host: &String| match authority {
            Some(authority) => host_matches(host, authority),
            None => host == "*",
        };
        (self.hosts.is_empty() || self.hosts.iter().any(host_matches))
            && self.headers.iter().all(|header| header.matches(headers))
    }
}

impl HeaderMatch {
    fn matches(&self, headers: &Headers) -> bool {
        let mut values = headers.values(self.name.as_bytes());
        let matches = match (&self.value, values.next(), values.next()) {
            (HeaderValueMatch::Present, first, _) => first.is_some(),
            (value, Some(only), None) => value.matches(only),
            (_, None, _) | (_, Some(_), Some(_)) => return false,
        };
        matches != self.invert
    }
}

impl HeaderValueMatch {
    fn matches(&self, value: &[u8]) -> bool {
        match self {
            HeaderValueMatch::Exact(exact) => value == exact.as_bytes(),
            HeaderValueMatch::Prefix(prefix) => value.starts_with(prefix.as_bytes()),
            HeaderValueMatch::Suffix(suffix) => value.ends_with(suffix.as_bytes()),
            HeaderValueMatch::Present => true,
        }
    }
}

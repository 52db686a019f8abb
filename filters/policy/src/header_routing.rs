//! Routing by headers: the first rule whose headers match names the route.

use serde::{Deserialize, Serialize};

use crate::scope::{authority_in_lower_case, host_matches};
use crate::{Counter, Env, Header, HeaderEdit, HttpPolicy, Request, Verdict};

/// The filter's root id in the wasm module.
pub const HEADER_ROUTING_ROOT_ID: &str = "header-routing";

/// The internal header that tells the route table which route was chosen. What clients send in it
/// is always removed.
pub const ROUTE_HEADER: &str = "x-meshwright-route";

/// One header-routing plugin. The first rule that matches the request's host and headers wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderRoutingConfig {
    /// The rules, in order.
    pub rules: Vec<HeaderRoutingRule>,
}

/// When to take a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderRoutingRule {
    /// Lower-case authorities as in a virtual host's domains; `*`, or none, is any.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What the headers must be like: all of it.
    pub headers: Vec<HeaderMatch>,
    /// The value for [`ROUTE_HEADER`].
    pub route: String,
}

/// What one header must be like.
///
/// A value is compared only if the header comes exactly once. Missing or repeated, it matches
/// neither a value nor, with `invert`, the absence of that value: a request must not choose its
/// route by showing one value here and another to the upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderMatch {
    /// The header's name, in any case.
    pub name: String,
    /// What its value must be like.
    pub value: HeaderValueMatch,
    /// Whether the opposite must hold: another value, or, for presence, no such header.
    #[serde(default)]
    pub invert: bool,
}

/// What a header's value must be like, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    fn on_request(&self, request: &mut dyn Request, env: &mut Env<'_>) -> Verdict {
        let headers = request.all();
        let authority = authority_in_lower_case(values(&headers, ":authority").next().cloned());
        let rule = self.rules.iter().find(|rule| rule.matches(authority.as_deref(), &headers));
        if let Some(rule) = rule {
            (env.count)(Counter::HeaderRoutingRouted);
            return Verdict::Continue(vec![HeaderEdit::Replace {
                name: ROUTE_HEADER.to_owned(),
                value: rule.route.clone().into_bytes(),
            }]);
        }
        // Without any header the request could not be read, and might carry the forbidden one.
        if headers.is_empty() || values(&headers, ROUTE_HEADER).next().is_some() {
            return Verdict::Continue(vec![HeaderEdit::Remove { name: ROUTE_HEADER.to_owned() }]);
        }
        Verdict::Continue(Vec::new())
    }
}

impl HeaderRoutingRule {
    fn matches(&self, authority: Option<&[u8]>, headers: &[Header]) -> bool {
        let host_matches = |host: &String| match authority {
            Some(authority) => host_matches(host, authority),
            None => host == "*",
        };
        (self.hosts.is_empty() || self.hosts.iter().any(host_matches))
            && self.headers.iter().all(|header| header.matches(headers))
    }
}

impl HeaderMatch {
    fn matches(&self, headers: &[Header]) -> bool {
        let mut values = values(headers, &self.name);
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

fn values<'h>(headers: &'h [Header], name: &str) -> impl Iterator<Item = &'h Vec<u8>> {
    let wanted = headers.iter().filter(move |(known, _)| known == name.as_bytes());
    wanted.map(|(_, value)| value)
}

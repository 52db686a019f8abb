//! Routing by headers: the first rule whose headers match names the route.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::condition::{Condition, View, all_hold};
use crate::decode::config;
use crate::scope::{authority_in_lower_case, host_matches};
use crate::{Counter, Env, HeaderEdit, HttpPolicy, Request, Verdict};

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
        /// All must hold; none holds always.
        pub when: Vec<Condition>,
        /// The value for [`ROUTE_HEADER`].
        pub route: String,
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
        HeaderRouting { rules: config.rules }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let mut view = View::of(request);
        let authority = authority_in_lower_case(view.headers().values(b":authority").next());
        let rule = self.rules.iter().find(|rule| rule.matches(authority.as_deref(), &mut view));
        let headers = view.headers();
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
    fn matches(&self, authority: Option<&[u8]>, view: &mut View<'_>) -> bool {
        let host_matches = |host: &String| match authority {
            Some(authority) => host_matches(host, authority),
            None => host == "*",
        };
        (self.hosts.is_empty() || self.hosts.iter().any(host_matches)) && all_hold(&self.when, view).certainly()
    }
}

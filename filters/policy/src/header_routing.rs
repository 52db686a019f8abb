//! Routing by what a request carries: the first rule that takes the request names its route.

mod choice;
mod visitor;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use self::choice::Chooser;
pub use self::visitor::{CookieText, SameSite, VisitorCookie};
use crate::chance::MILLION;
use crate::condition::{Condition, Holds, View, all_hold};
use crate::decode::config;
use crate::{Counter, Decode, Edits, Env, Fields, HeaderEdit, HttpPolicy, Invalid, Request, Verdict};

/// The filter's root id in the wasm module.
pub const HEADER_ROUTING_ROOT_ID: &str = "header-routing";

/// The internal header that tells the route table which route was chosen. What clients send in it
/// is always removed.
pub const ROUTE_HEADER: &str = "x-meshwright-route";

/// The header that tells the upstream which route a dry run would have chosen. What clients send in it is always
/// removed, and nothing of it is in a response: names of routes are nothing for the outside world.
pub const DRY_RUN_HEADER: &str = "x-meshwright-route-dry-run";

config! {
    /// One header-routing plugin. The first rule that takes the request wins.
    pub struct HeaderRoutingConfig {
        /// The rules, in order.
        pub rules: Vec<HeaderRoutingRule>,
    }
}

config! {
    /// Which requests go where.
    ///
    /// Conditions that hold for one reader of the request and not for another, because something is repeated, do not
    /// hold: a request must not choose its route by showing one value here and another to the upstream.
    pub struct HeaderRoutingRule {
        /// All must hold; none holds always.
        pub when: Vec<Condition>,
        /// How many of these requests of a million; more is all of them.
        pub per_million: u32 = MILLION,
        /// Which requests share one decision; without it, each has its own.
        pub sticky: Option<Sticky>,
        /// Where they go, by weight; never empty.
        pub to: RouteShares,
        /// Whether the rule only counts, and tells the upstream in [`DRY_RUN_HEADER`] what it would have done.
        pub dry_run: bool = false,
    }
}

config! {
    /// A share of a rule's requests.
    pub struct RouteShare {
        /// The value for [`ROUTE_HEADER`].
        pub route: String,
        /// Relative to the other destinations; 0 is no request.
        pub weight: u32 = 1,
    }
}

config! {
    /// Requests that are alike share one decision about the share and the destination.
    pub struct Sticky {
        /// In what they are alike.
        pub by: StickyBy,
        /// Rules with equal seeds take the same requests: those of a smaller share are among those of a larger one.
        pub seed: String = String::new(),
    }
}

/// In what requests must be alike to share a decision. A request that has no such thing, an empty one or several is not
/// taken at all, but for [`StickyBy::Visitor`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StickyBy {
    /// The value of a header: every Envoy decides alike.
    Header(String),
    /// The value of a cookie of the application's.
    Cookie(String),
    /// The value of a parameter of the query.
    Query(String),
    /// The client's address; of IPv6 the first 64 bits.
    SourceAddress,
    /// A cookie that keeps what chance decided at the first visit.
    Visitor(VisitorCookie),
}

/// At least one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RouteShares(pub Vec<RouteShare>);

/// A prepared [`HeaderRoutingConfig`].
#[derive(Debug)]
pub struct HeaderRouting {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    when: Vec<Condition>,
    chooser: Chooser,
    dry_run: bool,
}

impl HttpPolicy for HeaderRouting {
    type Config = HeaderRoutingConfig;
    const ROOT_ID: &'static str = HEADER_ROUTING_ROOT_ID;
    const COUNTERS: &'static [Counter] =
        &[Counter::HeaderRoutingRouted, Counter::HeaderRoutingDryRun, Counter::HeaderRoutingUndecided];

    fn new(config: HeaderRoutingConfig) -> HeaderRouting {
        let rule = |rule: HeaderRoutingRule| Rule {
            when: rule.when,
            chooser: Chooser::new(rule.per_million, rule.sticky, rule.to.0),
            dry_run: rule.dry_run,
        };
        HeaderRouting { rules: config.rules.into_iter().map(rule).collect() }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let mut view = View::of(request);
        // The internal headers may be repeated, so all headers are needed in any case.
        view.headers();
        let mut response = Vec::new();
        let mut undecided = false;
        let mut taken = None;
        let mut would_be_taken = None;
        for rule in &self.rules {
            match all_hold(&rule.when, &mut view) {
                Holds::Yes => {}
                Holds::No => continue,
                Holds::Undecided => {
                    undecided = true;
                    continue;
                }
            }
            if rule.dry_run {
                would_be_taken = would_be_taken.or_else(|| rule.chooser.choose(&mut view, env, &mut Vec::new()));
                continue;
            }
            taken = rule.chooser.choose(&mut view, env, &mut response);
            if taken.is_some() {
                break;
            }
        }
        for (counted, counter) in [
            (taken.is_some(), Counter::HeaderRoutingRouted),
            (would_be_taken.is_some(), Counter::HeaderRoutingDryRun),
            (undecided, Counter::HeaderRoutingUndecided),
        ] {
            if counted {
                env.count(counter);
            }
        }
        let mut request = Vec::new();
        write(ROUTE_HEADER, taken, &mut view, &mut request);
        write(DRY_RUN_HEADER, would_be_taken, &mut view, &mut request);
        Verdict::Continue(Edits { request, response })
    }
}

/// Says the route in an internal header, or removes what the client has said there.
fn write(name: &str, route: Option<&str>, view: &mut View<'_>, edits: &mut Vec<HeaderEdit>) {
    let headers = view.headers();
    // Without any header the request could not be read, and might carry the forbidden one.
    let forged = headers.is_empty() || headers.values(name.as_bytes()).next().is_some();
    let name = name.to_owned();
    match route {
        Some(route) => edits.push(HeaderEdit::Replace { name, value: route.as_bytes().to_vec() }),
        None if forged => edits.push(HeaderEdit::Remove { name }),
        None => {}
    }
}

impl RouteShare {
    /// The only one.
    pub fn all(route: impl Into<String>) -> RouteShares {
        RouteShares(vec![RouteShare { route: route.into(), weight: 1 }])
    }
}

impl Decode for RouteShares {
    fn decode(value: serde_json::Value) -> Result<RouteShares, Invalid> {
        let destinations: Vec<RouteShare> = Decode::decode(value)?;
        if destinations.is_empty() || destinations.iter().any(|destination| destination.route.is_empty()) {
            return Err(Invalid::new("a rule needs destinations, and each of them a route"));
        }
        Ok(RouteShares(destinations))
    }
}

impl Decode for StickyBy {
    fn decode(value: serde_json::Value) -> Result<StickyBy, Invalid> {
        if value == "source_address" {
            return Ok(StickyBy::SourceAddress);
        }
        let (variant, value) = Fields::of(value)?.variant()?;
        match variant.as_str() {
            "header" => {
                let mut name = String::decode(value)?;
                name.make_ascii_lowercase();
                Ok(StickyBy::Header(name))
            }
            "cookie" => Ok(StickyBy::Cookie(Decode::decode(value)?)),
            "query" => Ok(StickyBy::Query(Decode::decode(value)?)),
            "visitor" => Ok(StickyBy::Visitor(Decode::decode(value)?)),
            _ => Err(Invalid::new("`header`, `cookie`, `query`, `source_address` or `visitor` is expected")),
        }
    }
}

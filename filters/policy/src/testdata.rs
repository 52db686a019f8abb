//! The tables of cases on which every engine must agree.
//!
//! A table is a TOML file with named configurations and cases. Strings that stand for header
//! names and values are bytes: each character is one byte, from `\u0000` to `\u00FF`.
//! ```toml
//! [config.one.rules]         # any configuration, as the compiler would embed it
//!
//! [[case]]
//! name = "what a user would notice"
//! config = "one"
//! request = "GET shop.svc /path?query"
//! headers = ["name: value"]  # as on the wire, in order
//! credentials = "user:pass"  # the same as the basic `authorization` header
//! body = "text"              # of the request
//! source = "10.1.2.3:4000"   # who is connected
//! upstream = ["name: value"] # headers of the upstream's response
//! repeat = 3                 # sent so often; the last one is compared
//! expect.forwarded = ["name: value"]  # every value of each name that is listed
//! expect.like = ["name: a*"]          # the same with one value, `*` for anything, `?` for one byte
//! expect.absent = ["name"]            # names that are not forwarded
//! expect.response = ["name: value"]   # of the response to a forwarded request
//! expect.response_like = ["name: a*"]
//! expect.response_absent = ["name"]
//! expect.delay_millis = 50
//! expect.status = 401                 # answered by the filter; without it, forwarded
//! expect.headers = ["name: value"]    # of that answer
//! expect.headers_like = ["name: a*"]
//! expect.body = "text"
//! expect.details = "text"
//!
//! # Not for engines with a real clock, real chance and real certificates:
//! random = [0, 999_999]               # draws of a million, in order, then 0
//! at = 1_700_000_000                  # seconds since 1970
//! pause_millis = 500                  # before each repeat
//! peer = "spiffe://mesh/shop"         # the URI of the client's certificate
//! ```
//!
//! Cases of one configuration share what the filter remembers, in any order: each has keys of its own.

mod expect;
mod read;
mod run;

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

pub use self::expect::{End, Expect, Observed};
pub use self::read::{TableError, tables};
pub use self::run::run;
use crate::{Header, HeaderList, Property};

/// All cases of one filter.
#[derive(Clone, Debug)]
pub struct Table {
    /// The filter's root id.
    pub root_id: &'static str,
    /// The configurations as JSON, by name.
    pub configs: BTreeMap<String, String>,
    /// The cases, in the file's order.
    pub cases: Vec<Case>,
}

/// One request and what becomes of it.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// What the case shows.
    pub name: String,
    /// The name of the configuration.
    pub config: String,
    /// The request's headers as a client sends them, pseudo headers first.
    pub request: Vec<Header>,
    /// The request's body.
    pub body: Vec<u8>,
    /// What Envoy knows of the connection.
    pub properties: Vec<(Property, String)>,
    /// The headers of the upstream's response, beside its status.
    pub upstream: Vec<Header>,
    /// How often the request is sent.
    pub repeat: u32,
    /// Time that passes before each repeat.
    pub pause_millis: u64,
    /// Seconds since 1970.
    pub at: Option<u64>,
    /// The numbers that chance must give.
    pub random: Option<Vec<u64>>,
    /// What must happen.
    pub expect: Expect,
}

impl Case {
    /// Whether the case needs a clock, chance or certificates that a test has made: not for a real Envoy.
    pub fn is_scripted(&self) -> bool {
        let peer = |(property, _): &(Property, String)| *property == Property::PeerUri;
        self.random.is_some() || self.at.is_some() || self.pause_millis > 0 || self.properties.iter().any(peer)
    }

    /// The address of the client, if it matters.
    pub fn source(&self) -> Option<&str> {
        let (_, address) = self.properties.iter().find(|(property, _)| *property == Property::SourceAddress)?;
        Some(address)
    }

    /// The request as a policy sees it.
    pub fn seen(&self) -> HeaderList {
        let list = HeaderList::from_wire(self.request.iter().cloned());
        self.properties.iter().fold(list, |list, (property, value)| list.with_property(*property, value))
    }

    /// Compares what an engine did with what must happen.
    pub fn check(&self, observed: &Observed) -> Result<(), String> {
        self.expect.check(observed).map_err(|problem| std::format!("{}\n  {problem}", self.name))
    }
}

//! What requests are counted by.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::client;
use crate::condition::{Values, View};
use crate::decode::config;
use crate::{Decode, Fields, Invalid, Property};

config! {
    /// One part of a key.
    pub struct RateLimitKey {
        /// Where it is taken from.
        pub source: RateLimitKeySource,
        /// Only requests with this value are counted.
        pub exact: Option<String>,
        /// Requests with one of these values are not counted.
        pub except: Vec<String>,
    }
}

/// Where a part of a key is taken from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimitKeySource {
    /// The client's address; of IPv6 the first 64 bits, which one customer has at least.
    Address,
    /// The identity in the client's certificate.
    Caller,
    /// The method.
    Method,
    /// The path, normalised and without the query.
    Path,
    /// A header.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A parameter of the query, percent-decoded.
    Query(String),
}

impl Decode for RateLimitKeySource {
    fn decode(value: serde_json::Value) -> Result<RateLimitKeySource, Invalid> {
        let expected = "`address`, `caller`, `method`, `path`, or an object with `header`, `cookie` or `query`";
        match value.as_str() {
            Some("address") => return Ok(RateLimitKeySource::Address),
            Some("caller") => return Ok(RateLimitKeySource::Caller),
            Some("method") => return Ok(RateLimitKeySource::Method),
            Some("path") => return Ok(RateLimitKeySource::Path),
            Some(_) => return Err(Invalid::new(expected)),
            None => {}
        }
        let (variant, name) = Fields::of(value)?.variant()?;
        let mut name = String::decode(name)?;
        match variant.as_str() {
            "header" => {
                name.make_ascii_lowercase();
                Ok(RateLimitKeySource::Header(name))
            }
            "cookie" => Ok(RateLimitKeySource::Cookie(name)),
            "query" => Ok(RateLimitKeySource::Query(name)),
            _ => Err(Invalid::new(expected)),
        }
    }
}

/// What one part of a key says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It is written: requests are counted apart by it.
    Known,
    /// The request does not have it.
    Missing,
    /// The request has it several times, and nobody knows which one counts.
    Ambiguous,
    /// The request is not to be counted.
    Passes,
}

impl RateLimitKey {
    /// Writes the request's part of the key behind what is there, so that no two keys are written alike.
    pub(super) fn write(&self, view: &mut View<'_>, trusted_hops: u32, key: &mut Vec<u8>) -> Part {
        match &self.source {
            RateLimitKeySource::Address => {
                let client = client::address(view.request(), trusted_hops);
                let bytes = client.map(|client| client.customer().bytes());
                self.write_value(bytes.as_ref().map_or(Values::Missing, |bytes| Values::One(bytes)), key)
            }
            RateLimitKeySource::Caller => {
                let caller = view.request().property(Property::PeerUri).filter(|caller| !caller.is_empty());
                self.write_value(caller.as_deref().map_or(Values::Missing, Values::One), key)
            }
            RateLimitKeySource::Method => self.write_value(view.method().map_or(Values::Missing, Values::One), key),
            RateLimitKeySource::Path => self.write_value(view.path(), key),
            RateLimitKeySource::Header(name) => self.write_value(view.header(name.as_bytes()), key),
            RateLimitKeySource::Cookie(name) => view.cookie(name.as_bytes(), |values| self.write_value(values, key)),
            RateLimitKeySource::Query(name) => view.query(name.as_bytes(), |values| self.write_value(values, key)),
        }
    }

    /// Whether all headers are looked at.
    pub(super) fn reads_headers(&self) -> bool {
        matches!(self.source, RateLimitKeySource::Header(_) | RateLimitKeySource::Cookie(_))
    }

    fn write_value(&self, values: Values<'_>, key: &mut Vec<u8>) -> Part {
        // A value that comes twice may be the one that is counted, and is not surely one that is spared.
        match (values, &self.exact) {
            (Values::One(value), Some(exact)) if value != exact.as_bytes() => return Part::Passes,
            (Values::Missing, Some(_)) => return Part::Passes,
            _ => {}
        }
        match values {
            Values::One(value) if self.except.iter().any(|except| except.as_bytes() == value) => Part::Passes,
            Values::One(value) => {
                let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                key.push(1);
                key.extend(length.to_le_bytes());
                key.extend(value);
                Part::Known
            }
            Values::Missing => {
                key.push(0);
                Part::Missing
            }
            // Once only the one value is counted, it does not matter which of them it is.
            Values::Several => {
                key.push(2);
                Part::Ambiguous
            }
        }
    }
}

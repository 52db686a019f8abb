//! Conditions on a request that no repeated value can fool.
//!
//! **Missing.** What a request does not have meets no comparison, inverted or not; its absence is
//! `{"value": "present", "invert": true}`.
//!
//! **Repeated.** Of a header, cookie or query parameter that comes twice one party reads the first value, another the
//! last, a third both joined. A comparison of it is therefore [`Holds::Undecided`], inverted or not, even if all values
//! are the same; it is certainly present. What a condition *grants* (a route, an exception) needs [`Holds::Yes`]; what it
//! *refuses* applies unless it is [`Holds::No`]. Headers that Envoy itself joins come as one value, which the upstream
//! sees as well.
//!
//! ```json
//! {"any": [
//!     {"header": {"name": "x-canary", "value": {"exact": "on"}, "ignore_case": true}},
//!     {"all": [{"method": {"value": {"one_of": ["GET", "HEAD"]}}}, {"path": {"value": {"prefix": "/shop/"}}}]},
//!     {"cookie": {"name": "tester", "value": "present"}},
//!     {"query": {"name": "version", "value": {"range": {"start": 2, "end": 10}}, "invert": true}},
//!     {"host": {"value": {"suffix": ".shop.example"}}}
//! ]}
//! ```

mod string_match;
mod view;

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

pub use self::string_match::{NumberRange, StringMatch};
pub(crate) use self::view::View;
use crate::decode::config;
use crate::{Decode, Fields, Invalid};

/// Groups may stand in groups so deep.
const MAX_DEPTH: usize = 8;

/// A condition on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The method.
    Method(ValueMatch),
    /// The host in lower case, without a port.
    Host(ValueMatch),
    /// The path, normalised and without the query; one that servers read in several ways is repeated.
    Path(ValueMatch),
    /// A header; the case of its name does not matter.
    Header(NamedMatch),
    /// A cookie.
    Cookie(NamedMatch),
    /// A parameter of the query, percent-decoded.
    Query(NamedMatch),
    /// Each of them; of none, every request.
    All(Vec<Condition>),
    /// One of them at least; of none, no request.
    Any(Vec<Condition>),
}

config! {
    /// What something that every request has must be like.
    pub struct ValueMatch {
        /// How it is compared.
        pub value: StringMatch,
        /// Whether the case of ASCII letters does not matter.
        pub ignore_case: bool = false,
        /// Whether the opposite must hold.
        pub invert: bool = false,
    }
}

config! {
    /// What something by a name must be like.
    pub struct NamedMatch {
        /// The name.
        pub name: String,
        /// How its value is compared.
        pub value: StringMatch,
        /// Whether the case of ASCII letters of the value does not matter.
        pub ignore_case: bool = false,
        /// Whether the opposite must hold: another value, or, for presence, no such thing.
        pub invert: bool = false,
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Whoever reads the request.
    Yes,
    /// For nobody.
    No,
    /// Readers may differ.
    Undecided,
}

impl Holds {
    /// For what is granted.
    pub fn certainly(self) -> bool {
        self == Holds::Yes
    }

    /// For what is refused.
    pub fn possibly(self) -> bool {
        self != Holds::No
    }

    fn inverted_if(self, invert: bool) -> Holds {
        match self {
            Holds::Yes if invert => Holds::No,
            Holds::No if invert => Holds::Yes,
            same => same,
        }
    }
}

impl From<bool> for Holds {
    fn from(holds: bool) -> Holds {
        if holds { Holds::Yes } else { Holds::No }
    }
}

/// The values of one name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'v> {
    Missing,
    One(&'v [u8]),
    Several,
}

impl Condition {
    /// Whether the request meets it.
    pub(crate) fn holds(&self, view: &mut View<'_>) -> Holds {
        match self {
            Condition::Method(method) => method.holds(view.method().map_or(Values::Missing, Values::One)),
            Condition::Host(host) => host.holds(view.host().map_or(Values::Missing, Values::One)),
            Condition::Path(path) => path.holds(view.path()),
            Condition::Header(header) => header.holds(view.header(header.name.as_bytes())),
            Condition::Cookie(cookie) => view.cookie(cookie.name.as_bytes(), |values| cookie.holds(values)),
            Condition::Query(query) => view.query(query.name.as_bytes(), |values| query.holds(values)),
            Condition::All(all) => all_hold(all, view),
            Condition::Any(any) => any_holds(any, view),
        }
    }

    /// Whether it looks at any header but the method, the host and the path: all headers must be fetched then.
    pub fn reads_headers(&self) -> bool {
        match self {
            Condition::Method(_) | Condition::Host(_) | Condition::Path(_) | Condition::Query(_) => false,
            Condition::Header(_) | Condition::Cookie(_) => true,
            Condition::All(group) | Condition::Any(group) => group.iter().any(Condition::reads_headers),
        }
    }

    fn depth(&self) -> usize {
        match self {
            Condition::All(group) | Condition::Any(group) => {
                group.iter().map(Condition::depth).max().unwrap_or_default().saturating_add(1)
            }
            _ => 0,
        }
    }
}

/// Whether each holds; of none, yes.
pub(crate) fn all_hold(conditions: &[Condition], view: &mut View<'_>) -> Holds {
    let mut all = Holds::Yes;
    for condition in conditions {
        match condition.holds(view) {
            Holds::Yes => {}
            Holds::No => return Holds::No,
            Holds::Undecided => all = Holds::Undecided,
        }
    }
    all
}

fn any_holds(conditions: &[Condition], view: &mut View<'_>) -> Holds {
    let mut any = Holds::No;
    for condition in conditions {
        match condition.holds(view) {
            Holds::Yes => return Holds::Yes,
            Holds::No => {}
            Holds::Undecided => any = Holds::Undecided,
        }
    }
    any
}

impl Decode for Condition {
    fn decode(value: serde_json::Value) -> Result<Condition, Invalid> {
        let (variant, value) = Fields::of(value)?.variant()?;
        let condition = match variant.as_str() {
            "method" => Condition::Method(Decode::decode(value)?),
            "host" => Condition::Host(Decode::decode(value)?),
            "path" => Condition::Path(Decode::decode(value)?),
            "header" => {
                let mut header = NamedMatch::decode(value)?;
                header.name.make_ascii_lowercase();
                Condition::Header(header)
            }
            "cookie" => Condition::Cookie(Decode::decode(value)?),
            "query" => Condition::Query(Decode::decode(value)?),
            "all" => Condition::All(Decode::decode(value)?),
            "any" => Condition::Any(Decode::decode(value)?),
            _ => {
                return Err(Invalid::new(
                    "`method`, `host`, `path`, `header`, `cookie`, `query`, `all` or `any` is expected",
                ));
            }
        };
        if condition.depth() > MAX_DEPTH {
            return Err(Invalid::new("groups stand too deep in groups"));
        }
        Ok(condition)
    }
}

impl ValueMatch {
    fn holds(&self, values: Values<'_>) -> Holds {
        compare(&self.value, self.ignore_case, self.invert, values)
    }
}

impl NamedMatch {
    /// A comparison of values, byte by byte.
    pub fn new(name: impl Into<String>, value: StringMatch) -> NamedMatch {
        NamedMatch { name: name.into(), value, ignore_case: false, invert: false }
    }

    pub(crate) fn holds(&self, values: Values<'_>) -> Holds {
        compare(&self.value, self.ignore_case, self.invert, values)
    }
}

fn compare(expected: &StringMatch, ignore_case: bool, invert: bool, values: Values<'_>) -> Holds {
    let holds = match (expected, values) {
        (StringMatch::Present, Values::Missing) => Holds::No,
        (StringMatch::Present, _) => Holds::Yes,
        (_, Values::Missing) => return Holds::No,
        (_, Values::Several) => return Holds::Undecided,
        (expected, Values::One(value)) => expected.matches(value, ignore_case).into(),
    };
    holds.inverted_if(invert)
}

//! What an annotation accepts, what it means by default, and of what it speaks.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use spec::Spanned;
use spec::mesh::HeaderRouting;
use spec::units::{Percent, StatusRange};

use super::settings::Settings;

/// One key of the vocabulary.
pub struct Definition {
    /// As users write it; case matters.
    pub key: &'static str,
    /// What holds without it, as text.
    pub default: &'static str,
    pub level: Level,
    /// What to write instead of a key that will go.
    pub instead: Option<&'static str>,
    /// One sentence for the manual, in Markdown.
    pub doc: &'static str,
    pub(crate) kind: Kind,
}

/// Of what an annotation speaks, wherever it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The whole service: every place must say the same.
    Service,
    /// One endpoint, or every endpoint of the place that says it.
    Endpoint,
    /// The service on one node, or on every node when the service says it.
    Node,
}

/// The type of a value, its range, and the setting it becomes.
pub(crate) enum Kind {
    /// Any value: that the key is there says everything.
    Presence(Slot<()>),
    /// Text without control characters.
    Text(Slot<String>),
    /// An absolute path as it stands in a request.
    Path(Slot<String>),
    /// Milliseconds, whole.
    Millis(RangeInclusive<u32>, Slot<Duration>),
    Number(RangeInclusive<u32>, Slot<u32>),
    /// A port, 0 included.
    Port(Slot<u16>),
    Status(RangeInclusive<u16>, Slot<u16>),
    /// `LOW-HIGH`, HIGH excluded.
    Statuses(Slot<StatusRange>),
    Percent(Slot<Percent>),
    /// `HEADER: VALUE -> SERVICE`, several separated by `;`.
    Routing(Slot<HeaderRouting>),
}

/// Where a value of type `T` is kept.
pub(crate) type Slot<T> = fn(&mut Settings) -> &mut Option<Spanned<T>>;

impl Definition {
    /// Unit and range, as the manual and the help of diagnostics say them.
    pub fn accepts(&self) -> String {
        match &self.kind {
            Kind::Presence(_) => "anything: its presence says it".to_owned(),
            Kind::Text(_) => "text, not empty".to_owned(),
            Kind::Path(_) => "a path that begins with `/`, without spaces".to_owned(),
            Kind::Millis(range, _) => {
                format!(
                    "milliseconds, a whole number from {} to {}, or a duration such as `15s`",
                    range.start(),
                    range.end()
                )
            }
            Kind::Number(range, _) => format!("a whole number from {} to {}", range.start(), range.end()),
            Kind::Port(_) => "a port from 0 to 65535".to_owned(),
            Kind::Status(range, _) => format!("a status code from {} to {}", range.start(), range.end()),
            Kind::Statuses(_) => "status codes `LOW-HIGH`, LOW included and HIGH excluded, from 100 to 600".to_owned(),
            Kind::Percent(_) => "percent, from 0 to 100, at most four decimals".to_owned(),
            Kind::Routing(_) => "`HEADER: VALUE -> SERVICE`, several separated by `;`; value `*` is any".to_owned(),
        }
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.key, self.accepts())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Service => "service",
            Self::Endpoint => "endpoint",
            Self::Node => "node",
        })
    }
}

//! A filter's input as text: whose it is, its configuration, and requests with whatever is true while they arrive.
//!
//! ```text
//! fault
//! {"rules":[]}
//! :method: GET
//! :path: /
//! cookie: a=1
//! @at 1700000000000000000
//! @random 17
//!
//! :method: GET
//! ```
//! A request is the lines up to an empty one. A line with `@` says the clock's nanoseconds (`@at`, `@monotonic`), a draw
//! (`@random`), how many are held (`@held`), what workers share (`@shared`), and of the connection `@source` and `@peer`.
//! Values are bytes; what cannot be read is no line.

use std::fmt::Write as _;

use meshwright_policy::testdata::Case;
use meshwright_policy::{Header, Property};

/// The input of one filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conversation {
    /// Which filter.
    pub(crate) root_id: String,
    /// Its configuration.
    pub(crate) config: Vec<u8>,
    /// Requests, in order.
    pub(crate) requests: Vec<Moment>,
}

/// A request, and what is true while it arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) headers: Vec<Header>,
    pub(crate) properties: Vec<(Property, Vec<u8>)>,
    pub(crate) unix_nanos: Option<u64>,
    pub(crate) monotonic_nanos: Option<u64>,
    pub(crate) random: Vec<u64>,
    pub(crate) held: u64,
    pub(crate) shared: Option<Vec<u8>>,
}

impl Conversation {
    /// Reads any bytes.
    pub(crate) fn read(bytes: &[u8]) -> Conversation {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let root_id = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let config = lines.next().unwrap_or_default().to_vec();
        let mut requests = Vec::new();
        let mut moment = Moment::default();
        for line in lines {
            if line.is_empty() {
                requests.push(std::mem::take(&mut moment));
            } else {
                moment.take(line);
            }
        }
        if moment != Moment::default() {
            requests.push(moment);
        }
        Conversation { root_id, config, requests }
    }

    /// The text of a table's case.
    pub(crate) fn seed(root_id: &str, config: &str, case: &Case) -> Vec<u8> {
        let mut text = format!("{root_id}\n{config}\n").into_bytes();
        for _ in 0..case.repeat.min(3) {
            for (name, value) in &case.request {
                text.extend([name.as_slice(), b": ", value, b"\n"].concat());
            }
            let mut said = String::new();
            for (property, value) in &case.properties {
                let _ = match property {
                    Property::SourceAddress => writeln!(said, "@source {value}"),
                    Property::PeerUri => writeln!(said, "@peer {value}"),
                };
            }
            if let Some(at) = case.at {
                let _ = writeln!(said, "@at {}", at.saturating_mul(1_000_000_000));
            }
            for draw in case.random.iter().flatten() {
                let _ = writeln!(said, "@random {draw}");
            }
            text.extend(said.bytes());
            text.push(b'\n');
        }
        text
    }
}

impl Moment {
    fn take(&mut self, line: &[u8]) {
        if let Some(said) = line.strip_prefix(b"@") {
            let Some((what, value)) = split(said, b" ") else { return };
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            match (what, number) {
                (b"at", Some(nanos)) => self.unix_nanos = Some(nanos),
                (b"monotonic", Some(nanos)) => self.monotonic_nanos = Some(nanos),
                (b"random", Some(draw)) => self.random.push(draw),
                (b"held", Some(held)) => self.held = held,
                (b"shared", _) => self.shared = Some(value.to_vec()),
                (b"source", _) => self.properties.push((Property::SourceAddress, value.to_vec())),
                (b"peer", _) => self.properties.push((Property::PeerUri, value.to_vec())),
                _ => {}
            }
        } else if let Some((name, value)) = split(line, b": ") {
            self.headers.push((name.to_ascii_lowercase(), value.to_vec()));
        }
    }
}

fn split<'b>(bytes: &'b [u8], separator: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let place = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((bytes.get(..place)?, bytes.get(place + separator.len()..)?))
}

//! Values of the model that are neither numbers nor plain text.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::names::Name;
use crate::source::{Span, Spanned};

/// `HOST:PORT`; the host is an IP address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    pub host: IpAddr,
    pub port: u16,
}

/// `HOST:PORT`; the host is an IP address or a DNS name. Kept as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

/// A network: the first `prefix` bits of `address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr {
    pub address: IpAddr,
    /// At most 32, or 128 for IPv6.
    pub prefix: u8,
}

/// Numbers from `start` (included) to `end` (excluded), as in Envoy's `Int64Range`. `start < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange {
    pub start: i64,
    pub end: i64,
}

/// A request method (RFC 9110, 9): 1 to 32 capital letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Method(String);

/// Whom a node or gateway calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Callee {
    /// `*`: every service of the mesh.
    All,
    Service(Name),
}

/// A key of the user's own and its text: an annotation, a label, a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Spanned<String>,
    pub value: Spanned<String>,
}

/// Where a block was said; unknown for blocks that no text said. All places are equal: they are not part of the meaning.
#[derive(Clone, Copy, Default)]
pub struct Place(pub Option<Span>);

impl Address {
    /// Reads `10.0.0.1:80` or `[fd00::1]:80`; port 1 to 65535.
    pub fn parse(text: &str) -> Option<Self> {
        let socket: SocketAddr = text.parse().ok()?;
        (socket.port() != 0).then(|| Self { host: socket.ip(), port: socket.port() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.host, self.port).fmt(formatter)
    }
}

impl HostPort {
    /// Reads `db.internal:5432`, `10.0.0.1:80` or `[fd00::1]:80`; port 1 to 65535.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let number = port.parse::<u16>().ok().filter(|number| *number != 0 && number.to_string() == port)?;
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let valid = match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => Name::new(host).is_some() && !host.contains('/'),
        };
        valid.then(|| Self { host: address.unwrap_or(host).to_owned(), port: number })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(formatter, "[{}]:{}", self.host, self.port),
            false => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}

impl Cidr {
    /// Reads `10.0.0.0/8`, or an address alone, which is a network of one.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse::<u8>().ok().filter(|number| number.to_string() == prefix)?,
            None => longest,
        };
        (prefix <= longest).then_some(Self { address, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

impl NumberRange {
    /// Reads `1..100`: 1 is in it, 100 is not.
    pub fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once("..")?;
        let (start, end) = (start.parse().ok()?, end.parse().ok()?);
        (start < end).then_some(Self { start, end })
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.start, self.end)
    }
}

impl Method {
    /// `None` unless the text is 1 to 32 capital letters.
    pub fn new(text: &str) -> Option<Self> {
        let valid = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase());
        valid.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("_")
    }
}

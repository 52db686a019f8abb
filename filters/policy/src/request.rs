//! How a policy looks at a request.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::pairs;

/// One header as it came: a lower-case name, and bytes that need not be UTF-8.
pub type Header = (Vec<u8>, Vec<u8>);

/// A view of a request which fetches only what is asked for.
///
/// Envoy joins the repeats of some headers with a comma and keeps the repeats of all others apart;
/// both methods see the headers in that form.
pub trait Request {
    /// The value of a header that has one value at most.
    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>>;

    /// Every header, pseudo headers first. Inside Envoy as costly as two single ones: call it at most once.
    fn all(&mut self) -> Headers;

    /// What Envoy knows of the connection.
    fn property(&mut self, property: Property) -> Option<Vec<u8>>;
}

/// Headers in one piece of memory, as proxy-wasm hands them over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<u8>);

impl Headers {
    /// Headers as proxy-wasm writes them. Damaged ones are none.
    pub fn from_pairs(bytes: Vec<u8>) -> Headers {
        if pairs::are_whole(&bytes) { Headers(bytes) } else { Headers::default() }
    }

    /// Every header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        pairs::read(&self.0)
    }

    /// Every value of a header, by its lower-case name.
    pub fn values<'h>(&'h self, name: &'h [u8]) -> impl Iterator<Item = &'h [u8]> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether there are none, as where the request could not be read.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// What Envoy knows of a request's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// The address and port of whoever is connected: `10.0.0.1:1234`, `[::1]:1234`. At a gateway with trusted hops it is the
    /// client before them, whose port is 0.
    ///
    /// This holds as the mesh configures Envoy: left to itself, Envoy takes the last entry of `x-forwarded-for`, whoever
    /// wrote it.
    SourceAddress,
    /// The first URI of the client's certificate, once verified: its SPIFFE identity.
    PeerUri,
}

impl Property {
    /// Its path among Envoy's attributes, dots between the segments.
    pub fn path(self) -> &'static str {
        match self {
            Property::SourceAddress => "source.address",
            Property::PeerUri => "connection.uri_san_peer_certificate",
        }
    }
}

/// A header which can be fetched alone, because Envoy never keeps two values of it apart.
///
/// Any other header must be looked for among all headers: fetched alone, only its first value
/// would be seen, while the upstream sees every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SingleHeader {
    /// `:authority`, or `host` in HTTP/1.
    Authority,
    /// `:method`
    Method,
    /// `:path`, with the query.
    Path,
    /// `authorization`; several are joined with a comma.
    Authorization,
    /// `x-forwarded-for`; several are joined with a comma.
    ForwardedFor,
    /// `x-request-id`; several are joined with a comma.
    RequestId,
}

impl SingleHeader {
    /// The header's name.
    pub fn name(self) -> &'static str {
        match self {
            SingleHeader::Authority => ":authority",
            SingleHeader::Method => ":method",
            SingleHeader::Path => ":path",
            SingleHeader::Authorization => "authorization",
            SingleHeader::ForwardedFor => "x-forwarded-for",
            SingleHeader::RequestId => "x-request-id",
        }
    }
}

/// A request held in memory, for everything that runs outside Envoy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderList {
    headers: Vec<Header>,
    properties: Vec<(Property, String)>,
}

impl HeaderList {
    /// Takes headers as a client sent them and brings them into the form in which Envoy shows
    /// them to filters.
    pub fn from_wire(headers: impl IntoIterator<Item = Header>) -> HeaderList {
        let mut list: Vec<Header> = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let earlier = list.iter_mut().find(|(known, _)| *known == name);
            match earlier {
                Some((_, joined)) if joins_repeats(&name) => join_repeat(joined, &value),
                _ => list.push((name, value)),
            }
        }
        HeaderList { headers: list, properties: Vec::new() }
    }

    /// The same, with what Envoy knows of its connection.
    pub fn with_property(mut self, property: Property, value: &str) -> HeaderList {
        self.properties.push((property, value.to_owned()));
        self
    }

    /// The headers, in order.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }
}

impl Request for HeaderList {
    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>> {
        let wanted = header.name().as_bytes();
        let (_, value) = self.headers.iter().find(|(name, _)| name == wanted)?;
        Some(value.clone())
    }

    fn all(&mut self) -> Headers {
        Headers(pairs::write(&self.headers))
    }

    fn property(&mut self, property: Property) -> Option<Vec<u8>> {
        let (_, value) = self.properties.iter().find(|(known, _)| *known == property)?;
        Some(value.clone().into_bytes())
    }
}

/// Whether Envoy joins the repeats of a request header, by its lower-case name, with a comma.
pub fn joins_repeats(name: &[u8]) -> bool {
    JOINED.iter().any(|joined| joined.as_bytes() == name)
}

/// Adds a repeat of a joined header as Envoy does: empty values leave no trace.
pub fn join_repeat(joined: &mut Vec<u8>, value: &[u8]) {
    if !joined.is_empty() && !value.is_empty() {
        joined.push(b',');
    }
    joined.extend(value);
}

/// The request headers which Envoy 1.40 keeps in fixed places, one value each: its `INLINE_REQ_HEADERS` and
/// `INLINE_REQ_RESP_HEADERS` (`envoy/http/header_map.h`), and those that its extensions register with
/// `RegisterCustomInlineHeader`. A test of the host compares each of them, and many others, with a real Envoy.
const JOINED: [&str; 66] = [
    ":authority",
    ":method",
    ":path",
    ":protocol",
    ":scheme",
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "authentication",
    "authorization",
    "cache-control",
    "cdn-loop",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "pragma",
    "proxy-connection",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-is-timeout-retry",
    "x-envoy-max-retries",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

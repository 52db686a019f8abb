//! How a policy looks at a request.

/// One header as it came: a lower-case name, and bytes that need not be UTF-8.
pub type Header = (Vec<u8>, Vec<u8>);

/// A view of a request's headers which fetches only what is asked for.
///
/// Envoy joins the repeats of some headers with a comma and keeps the repeats of all others apart;
/// both methods see the headers in that form.
pub trait Request {
    /// The value of a header that has one value at most.
    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>>;

    /// Every header, pseudo headers first. Costly inside Envoy: call it at most once.
    fn all(&mut self) -> Vec<Header>;
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
}

impl SingleHeader {
    /// The header's name.
    pub fn name(self) -> &'static str {
        match self {
            SingleHeader::Authority => ":authority",
            SingleHeader::Method => ":method",
            SingleHeader::Path => ":path",
            SingleHeader::Authorization => "authorization",
        }
    }
}

/// A request held in memory, for everything that runs outside Envoy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderList(Vec<Header>);

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
        HeaderList(list)
    }

    /// The headers, in order.
    pub fn headers(&self) -> &[Header] {
        &self.0
    }
}

impl Request for HeaderList {
    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>> {
        let wanted = header.name().as_bytes();
        let (_, value) = self.0.iter().find(|(name, _)| name == wanted)?;
        Some(value.clone())
    }

    fn all(&mut self) -> Vec<Header> {
        self.0.clone()
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

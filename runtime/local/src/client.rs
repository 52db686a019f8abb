//! A small HTTP client that sends exactly what it is told, and keeps its connection.

mod connection;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::http;
use tokio::task::JoinSet;

use crate::stream::{Dial, Plain};
use connection::Connection;

/// A longer answer is an error, so that a runaway peer cannot fill the memory.
const LONGEST_BODY: usize = 64 << 20;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// One request, as text and bytes: what is not valid HTTP becomes [`ClientError::Invalid`] when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// A path with its query, or an absolute URI, as a client of `HTTP_PROXY` sends it.
    pub target: String,
    /// In this order, names may repeat. Without `host`, the target's or the peer's address is sent.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// One answer, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case; repeated names stay repeated.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
    /// What came after the body, such as `grpc-status`.
    pub trailers: Vec<(String, Vec<u8>)>,
}

/// Which HTTP a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    #[default]
    Http1,
    /// Without asking first, which is called prior knowledge. `host` becomes `:authority`.
    Http2,
}

/// A connection to one address, opened at the first request and again whenever the peer has closed it.
pub struct Client {
    address: SocketAddr,
    dialer: Arc<dyn Dial>,
    version: Version,
    timeout: Duration,
    connection: Option<Connection>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("cannot connect to {address}: {source}")]
    Connect { address: SocketAddr, source: io::Error },
    #[error("not a valid request: {0}")]
    Invalid(#[from] http::Error),
    #[error("no answer from {address}: {source}")]
    Exchange { address: SocketAddr, source: hyper::Error },
    #[error("the answer of {address} could not be read: {reason}")]
    Body { address: SocketAddr, reason: String },
    #[error("no answer from {address} within {timeout:?}")]
    TimedOut { address: SocketAddr, timeout: Duration },
}

/// Sends all requests over `connections` kept connections; the answers are in the order of the requests.
pub async fn send_all(
    address: SocketAddr,
    requests: Vec<Request>,
    connections: usize,
) -> Vec<Result<Response, ClientError>> {
    let requests: Arc<[Request]> = requests.into();
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..connections.clamp(1, requests.len().max(1)) {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        workers.spawn(async move {
            let mut client = Client::new(address);
            let mut answers = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(index) else { return answers };
                answers.push((index, client.send(request).await));
            }
        });
    }
    let mut answers: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// The value of `authorization` for RFC 7617.
pub fn basic_auth(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self::over(Arc::new(Plain), address)
    }

    /// A client that reaches its peer in another way, such as TLS.
    pub fn over(dialer: Arc<dyn Dial>, address: SocketAddr) -> Self {
        Self { address, dialer, version: Version::Http1, timeout: DEFAULT_TIMEOUT, connection: None }
    }

    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Limits every later exchange, from connecting to the answer's last byte.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// One exchange. Only a request that was never written is tried again, on a new connection.
    pub async fn send(&mut self, request: &Request) -> Result<Response, ClientError> {
        let message = self.message(request)?;
        match tokio::time::timeout(self.timeout, self.exchange(message)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                self.connection = None;
                Err(error)
            }
            Err(_) => {
                self.connection = None;
                Err(ClientError::TimedOut { address: self.address, timeout: self.timeout })
            }
        }
    }

    async fn exchange(&mut self, message: hyper::Request<Full<Bytes>>) -> Result<Response, ClientError> {
        let address = self.address;
        let sent = match self.kept_connection().await {
            Some(connection) => match connection.try_send(message).await {
                Ok(answer) => Ok(answer),
                Err(mut refused) => match refused.take_message() {
                    Some(unsent) => self.connect().await?.send(unsent).await,
                    None => Err(refused.into_error()),
                },
            },
            None => self.connect().await?.send(message).await,
        };
        let (head, body) = sent.map_err(|source| ClientError::Exchange { address, source })?.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await;
        let body = body.map_err(|error| ClientError::Body { address, reason: error.to_string() })?;
        let trailers = body.trailers().map(listed).unwrap_or_default();
        Ok(Response { status: head.status.as_u16(), headers: listed(&head.headers), body: body.to_bytes(), trailers })
    }

    async fn kept_connection(&mut self) -> Option<&mut Connection> {
        let connection = self.connection.as_mut()?;
        connection.ready().await.then_some(connection)
    }

    async fn connect(&mut self) -> Result<&mut Connection, ClientError> {
        let address = self.address;
        let stream = self.dialer.dial(address).await.map_err(|source| ClientError::Connect { address, source })?;
        let opened = Connection::open(stream, self.version).await;
        Ok(self.connection.insert(opened.map_err(|source| ClientError::Exchange { address, source })?))
    }

    fn message(&self, request: &Request) -> Result<hyper::Request<Full<Bytes>>, ClientError> {
        let mut uri: http::Uri = request.target.parse().map_err(http::Error::from)?;
        let is_host = |name: &str| name.eq_ignore_ascii_case("host");
        let host = request.headers.iter().find(|(name, _)| is_host(name));
        let mut builder = hyper::Request::builder().method(request.method.as_str());
        if self.version == Version::Http2 {
            if uri.authority().is_none() {
                let path = uri.into_parts().path_and_query;
                let path = path.unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
                let authority = host.map_or_else(|| self.address.to_string().into_bytes(), |(_, host)| host.clone());
                let whole = http::Uri::builder().scheme(self.dialer.scheme()).authority(authority.as_slice());
                uri = whole.path_and_query(path).build()?;
            }
            builder = builder.version(http::Version::HTTP_2);
        } else if host.is_none() {
            let host = uri.authority().map_or_else(|| self.address.to_string(), |authority| authority.to_string());
            builder = builder.header(http::header::HOST, host);
        }
        for (name, value) in &request.headers {
            if self.version == Version::Http1 || !is_host(name) {
                builder = builder.header(name.as_str(), value.as_slice());
            }
        }
        Ok(builder.uri(uri).body(Full::new(Bytes::from(request.body.clone())))?)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Client({}://{}, {:?})", self.dialer.scheme(), self.address, self.version)
    }
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.header("host", host)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    #[must_use]
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        self.header("authorization", basic_auth(user, password))
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl Response {
    /// The header's first value; bytes that are not UTF-8 are replaced.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(value))
    }

    /// The same of what came after the body.
    pub fn trailer(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.trailers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(value))
    }

    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    pub fn json(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
    }
}

fn listed(headers: &http::HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned())).collect()
}

//! A small HTTP/1.1 client that sends exactly what it is told, and keeps its connection.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::http;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

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
}

/// A connection to one address, opened at the first request and again whenever the peer has closed it.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
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

#[derive(Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
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
        Self { address, timeout: DEFAULT_TIMEOUT, connection: None }
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
            Some(sender) => match sender.try_send_request(message).await {
                Ok(answer) => Ok(answer),
                Err(mut refused) => match refused.take_message() {
                    Some(unsent) => self.connect().await?.send_request(unsent).await,
                    None => Err(refused.into_error()),
                },
            },
            None => self.connect().await?.send_request(message).await,
        };
        let (head, body) = sent.map_err(|source| ClientError::Exchange { address, source })?.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await;
        let body = body.map_err(|error| ClientError::Body { address, reason: error.to_string() })?.to_bytes();
        let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned()));
        Ok(Response { status: head.status.as_u16(), headers: headers.collect(), body })
    }

    async fn kept_connection(&mut self) -> Option<&mut SendRequest<Full<Bytes>>> {
        let sender = &mut self.connection.as_mut()?.sender;
        sender.ready().await.ok()?;
        Some(sender)
    }

    async fn connect(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, ClientError> {
        let address = self.address;
        let stream = TcpStream::connect(address).await.map_err(|source| ClientError::Connect { address, source })?;
        stream.set_nodelay(true).map_err(|source| ClientError::Connect { address, source })?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|source| ClientError::Exchange { address, source })?;
        // How the connection ended is told by the exchange that it interrupted.
        let driver = tokio::spawn(async move { drop(driver.await) });
        Ok(&mut self.connection.insert(Connection { sender, driver }).sender)
    }

    fn message(&self, request: &Request) -> Result<hyper::Request<Full<Bytes>>, ClientError> {
        let uri: http::Uri = request.target.parse().map_err(http::Error::from)?;
        let names_host = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let mut builder = hyper::Request::builder().method(request.method.as_str());
        if !names_host {
            let host = uri.authority().map_or_else(|| self.address.to_string(), |authority| authority.to_string());
            builder = builder.header(http::header::HOST, host);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name.as_str(), value.as_slice());
        }
        Ok(builder.uri(uri).body(Full::new(Bytes::from(request.body.clone())))?)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
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

    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    pub fn json(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
    }
}

//! The built-in workload: an HTTP server that answers with what it received, and fails or waits when asked to.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// `x-echo-status: 503` answers with this status instead of 200.
pub const STATUS: &str = "x-echo-status";
/// `x-echo-fail: N`: the first N tries of a request (those with the same `x-request-id`) are answered with
/// `x-echo-status`, or 503; later ones with 200.
pub const FAIL: &str = "x-echo-fail";
/// `x-echo-delay: MS` waits before answering, at most [`LONGEST_DELAY`].
pub const DELAY: &str = "x-echo-delay";
pub const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// How many failing requests are remembered; the oldest is forgotten first.
const REMEMBERED_REQUESTS: usize = 4096;
/// A pause after an `accept` that failed, because the cause (no file descriptors) does not vanish at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whom an echo server stands in for; part of every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The node behind whose sidecar it runs; none outside the mesh.
    pub node: Option<String>,
    pub service: String,
    /// The address as the mesh's source says it.
    pub endpoint: String,
}

/// A running echo server. Dropping it closes its socket and its connections.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    acceptor: AbortHandle,
}

/// How often each failing request was tried. Shared by the workloads of a run, so that a retry counts on
/// whichever endpoint it arrives.
#[derive(Clone, Debug, Default)]
pub struct Tries(Arc<Mutex<TryCounts>>);

#[derive(Debug, Default)]
struct TryCounts {
    counts: HashMap<TryKey, u64>,
    oldest_first: VecDeque<TryKey>,
}

/// Service and request id.
type TryKey = (String, Vec<u8>);

/// The answer's body. The order of the fields is the order in the text.
#[derive(Serialize)]
struct Answer<'a> {
    node: Option<&'a str>,
    service: &'a str,
    endpoint: &'a str,
    method: &'a str,
    path: &'a str,
    host: String,
    headers: BTreeMap<&'a str, Vec<String>>,
}

/// Serves on a listener that the caller has bound, which is how it knows that the address was free.
pub fn serve(listener: TcpListener, identity: Identity, tries: Tries) -> io::Result<Echo> {
    let address = listener.local_addr()?;
    let acceptor = tokio::spawn(accept(listener, Arc::new(identity), tries)).abort_handle();
    Ok(Echo { address, acceptor })
}

impl Echo {
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(listener: TcpListener, identity: Arc<Identity>, tries: Tries) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, Arc::clone(&identity), tries.clone()))),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, identity: Arc<Identity>, tries: Tries) {
    // Without it answers still arrive, only later.
    drop(stream.set_nodelay(true));
    let service = service_fn(|request| answer(request, &identity, &tries));
    // A connection that breaks concerns its client only.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn answer(
    request: Request<Incoming>,
    identity: &Identity,
    tries: &Tries,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, mut body) = request.into_parts();
    // Read to its end, so that the connection can be used again.
    while let Some(Ok(_)) = body.frame().await {}
    let status = status(&head.headers, identity, tries);
    if let Some(millis) = number(&head.headers, DELAY) {
        tokio::time::sleep(Duration::from_millis(millis).min(LONGEST_DELAY)).await;
    }
    let mut headers = BTreeMap::<&str, Vec<String>>::new();
    for (name, value) in &head.headers {
        headers.entry(name.as_str()).or_default().push(text(value));
    }
    let host = head.headers.get(hyper::header::HOST).map(text);
    let host = host.or_else(|| head.uri.authority().map(ToString::to_string)).unwrap_or_default();
    let answer = Answer {
        node: identity.node.as_deref(),
        service: &identity.service,
        endpoint: &identity.endpoint,
        method: head.method.as_str(),
        path: head.uri.path_and_query().map_or("", |path| path.as_str()),
        host,
        headers,
    };
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn status(headers: &HeaderMap, identity: &Identity, tries: &Tries) -> StatusCode {
    let asked = number(headers, STATUS).and_then(|status| u16::try_from(status).ok());
    // Informational and impossible codes would leave the client without an answer.
    let asked = asked.filter(|status| (200..=599).contains(status)).and_then(|code| StatusCode::from_u16(code).ok());
    let Some(failures) = number(headers, FAIL) else { return asked.unwrap_or(StatusCode::OK) };
    let request = headers.get("x-request-id").map_or(&b""[..], HeaderValue::as_bytes);
    if tries.count(&identity.service, request) <= failures {
        return asked.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    }
    StatusCode::OK
}

impl Tries {
    /// The number of this try, from 1.
    fn count(&self, service: &str, request: &[u8]) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (service.to_owned(), request.to_owned());
        if let Some(count) = state.counts.get_mut(&key) {
            *count += 1;
            return *count;
        }
        if state.oldest_first.len() == REMEMBERED_REQUESTS
            && let Some(oldest) = state.oldest_first.pop_front()
        {
            state.counts.remove(&oldest);
        }
        state.oldest_first.push_back(key.clone());
        state.counts.insert(key, 1);
        1
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The value itself, or, where it is not UTF-8, its bytes with the foreign ones as `\xff`.
fn text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), str::to_owned)
}

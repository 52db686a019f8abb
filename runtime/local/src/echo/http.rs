//! A conversation in HTTP: each request is answered with what it was, unless it or the test asks for something else.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::ext::Protocol;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, UPGRADE, USER_AGENT};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use prost::Message as _;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::connection::Connection;
use super::record::Received;
use super::{Behaviour, EchoReply, Health, Identity, State, Tries, bytes, grpc};
use crate::stream::BoxStream;

/// `x-echo-status: 503` answers with this status instead of 200.
pub const STATUS: &str = "x-echo-status";
/// `x-echo-grpc-status: 14` ends a gRPC call with this status instead of 0.
pub const GRPC_STATUS: &str = "x-echo-grpc-status";
/// `x-echo-fail: N`: the first N tries of a request (those with the same `x-request-id`) are answered with
/// `x-echo-status`, or 503; later ones with 200.
pub const FAIL: &str = "x-echo-fail";
/// `x-echo-delay: MS` waits before answering, at most [`LONGEST_DELAY`].
pub const DELAY: &str = "x-echo-delay";
pub const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// `x-echo-header: name: value` adds a header to the answer; there can be many.
pub const HEADER: &str = "x-echo-header";

/// So much of a body is remembered.
const REMEMBERED_BODY: usize = 64 << 10;

type Answered = Response<BoxBody<Bytes, Infallible>>;

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

pub(super) async fn converse(stream: BoxStream, connection: &Arc<Connection>, state: &Arc<State>) {
    let service = service_fn(|request| {
        let (connection, state) = (Arc::clone(connection), Arc::clone(state));
        async move { Ok::<_, Infallible>(answer(request, &connection, &state).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().enable_connect_protocol();
    // A connection that breaks concerns its client only.
    drop(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await);
    let mut upgraded = std::mem::take(&mut *connection.upgraded.lock().unwrap_or_else(PoisonError::into_inner));
    while upgraded.join_next().await.is_some() {}
}

async fn answer(mut request: Request<Incoming>, connection: &Connection, state: &State) -> Answered {
    if is_health_check(request.headers()) {
        return health(&request, state.conduct.health());
    }
    if let Some(wanted) = wanted_upgrade(&request) {
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, _) = request.into_parts();
        state.records.add(received(&head, Bytes::new(), connection));
        return match met(state.conduct.take(), connection).await {
            Behaviour::Status(status) => plain(status),
            Behaviour::Reply { status, headers, body } => reply(status, &headers, body),
            _ => upgraded(wanted, upgrade, &head, connection, &state.identity),
        };
    }
    let is_grpc = grpc::is_grpc(&request);
    let (head, mut body) = request.into_parts();
    // Read to its end, so that the connection can be used again.
    let body = beginning(&mut body).await;
    state.records.add(received(&head, body.clone(), connection));
    if is_grpc && let Some(answer) = grpc::health(head.uri.path(), state.conduct.health()) {
        return answer;
    }
    let behaviour = met(state.conduct.take(), connection).await;
    let later = match behaviour {
        Behaviour::Status(status) => return plain(status),
        Behaviour::Reply { status, headers, body } => return reply(status, &headers, body),
        Behaviour::GrpcStatus(status) => return grpc::failed(status, "as the test says"),
        Behaviour::GrpcMessage(message) => return grpc::succeeded(&message),
        Behaviour::DelayBody(delay) => Some(delay),
        _ => None,
    };
    let status = status(&head.headers, &state.identity, &state.tries);
    if let Some(millis) = number(&head.headers, DELAY) {
        tokio::time::sleep(Duration::from_millis(millis).min(LONGEST_DELAY)).await;
    }
    if is_grpc && status == StatusCode::OK {
        let asked = number(&head.headers, GRPC_STATUS).and_then(|status| u32::try_from(status).ok()).unwrap_or(0);
        return match asked {
            0 => {
                let json = String::from_utf8(told(&head, &state.identity)).unwrap_or_default();
                grpc::succeeded(&EchoReply { json, message: grpc::message(&body) }.encode_to_vec())
            }
            status => grpc::failed(status, "as the request says"),
        };
    }
    let body = Bytes::from(told(&head, &state.identity));
    let mut response = Response::new(match later {
        Some(delay) => delayed(body, delay),
        None => Full::new(body).boxed(),
    });
    *response.status_mut() = status;
    add_asked(&head.headers, response.headers_mut());
    response.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    response
}

/// Does what leads to no answer, or delays it; what is left is about the answer itself.
async fn met(behaviour: Behaviour, connection: &Connection) -> Behaviour {
    match behaviour {
        Behaviour::Delay(delay) => {
            tokio::time::sleep(delay).await;
            return Behaviour::Answer;
        }
        Behaviour::Hang => {}
        Behaviour::Close => connection.close(),
        Behaviour::Reset => connection.reset(),
        answer => return answer,
    }
    std::future::pending().await
}

/// The user agent of Envoy's own checks, HTTP and gRPC.
fn is_health_check(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Envoy/HC"))
}

fn health(request: &Request<Incoming>, health: Health) -> Answered {
    if grpc::is_grpc(request) {
        return grpc::health(request.uri().path(), health).unwrap_or_else(|| grpc::failed(12, ""));
    }
    match health {
        Health::Serving => plain(200),
        Health::NotServing => plain(503),
    }
}

/// What a connection shall become after the answer.
enum Wanted {
    /// With the key's answer; HTTP/2 has none.
    WebSocket(Option<String>),
    /// By its name; the tunnel of a `CONNECT` has none.
    Bytes(Option<HeaderValue>),
}

fn wanted_upgrade(request: &Request<Incoming>) -> Option<Wanted> {
    if request.method() == Method::CONNECT {
        let protocol = request.extensions().get::<Protocol>();
        let web_socket = protocol.is_some_and(|protocol| protocol.as_str() == "websocket");
        return Some(if web_socket { Wanted::WebSocket(None) } else { Wanted::Bytes(None) });
    }
    let wanted = request.headers().get(UPGRADE)?;
    // What a client of HTTP/1.1 offers that could as well speak HTTP/2.
    if wanted.as_bytes().eq_ignore_ascii_case(b"h2c") {
        return None;
    }
    let key = request.headers().get("sec-websocket-key");
    match key {
        Some(key) if wanted.as_bytes().eq_ignore_ascii_case(b"websocket") => {
            Some(Wanted::WebSocket(Some(derive_accept_key(key.as_bytes()))))
        }
        _ => Some(Wanted::Bytes(Some(wanted.clone()))),
    }
}

/// Accepts, and says in headers who does.
fn upgraded(
    wanted: Wanted,
    upgrade: OnUpgrade,
    head: &Parts,
    connection: &Connection,
    identity: &Identity,
) -> Answered {
    let mut response = Response::new(Full::default().boxed());
    if head.method != Method::CONNECT {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    let web_socket = match wanted {
        Wanted::WebSocket(accepted) => {
            if let Some(accepted) = accepted.and_then(|key| HeaderValue::from_str(&key).ok()) {
                response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
                response.headers_mut().insert("sec-websocket-accept", accepted);
            }
            true
        }
        Wanted::Bytes(protocol) => {
            if let Some(protocol) = protocol {
                response.headers_mut().insert(UPGRADE, protocol);
            }
            false
        }
    };
    for (name, value) in [("x-echo-service", &identity.service), ("x-echo-endpoint", &identity.endpoint)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    connection.upgraded.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
        // A client that is gone concerns nobody else.
        let Ok(upgraded) = upgrade.await else { return };
        match web_socket {
            true => repeat_messages(TokioIo::new(upgraded)).await,
            false => bytes::repeat(TokioIo::new(upgraded)).await,
        }
    });
    response
}

async fn repeat_messages(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        // Pings and closing are answered by the library.
        if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn beginning(body: &mut Incoming) -> Bytes {
    let mut read = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(data) = frame.data_ref() {
            let room = REMEMBERED_BODY.saturating_sub(read.len());
            read.extend_from_slice(data.get(..data.len().min(room)).unwrap_or_default());
        }
    }
    Bytes::from(read)
}

fn received(head: &Parts, body: Bytes, connection: &Connection) -> Received {
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Received {
        protocol: format!("{:?}", head.version),
        method: head.method.to_string(),
        path: path(head).to_owned(),
        host: host(head),
        headers: headers.collect(),
        body,
        peer: connection.peer,
        encryption: connection.encryption.clone(),
    }
}

fn told(head: &Parts, identity: &Identity) -> Vec<u8> {
    let mut headers = BTreeMap::<&str, Vec<String>>::new();
    for (name, value) in &head.headers {
        headers.entry(name.as_str()).or_default().push(text(value));
    }
    let answer = Answer {
        node: identity.node.as_deref(),
        service: &identity.service,
        endpoint: &identity.endpoint,
        method: head.method.as_str(),
        path: path(head),
        host: host(head),
        headers,
    };
    serde_json::to_vec(&answer).unwrap_or_default()
}

fn path(head: &Parts) -> &str {
    head.uri.path_and_query().map_or("", |path| path.as_str())
}

fn host(head: &Parts) -> String {
    let host = head.headers.get(HOST).map(text);
    host.or_else(|| head.uri.authority().map(ToString::to_string)).unwrap_or_default()
}

fn status(headers: &HeaderMap, identity: &Identity, tries: &Tries) -> StatusCode {
    let asked = number(headers, STATUS).and_then(|status| u16::try_from(status).ok());
    let asked = asked.and_then(possible);
    let Some(failures) = number(headers, FAIL) else { return asked.unwrap_or(StatusCode::OK) };
    let request = headers.get("x-request-id").map_or(&b""[..], HeaderValue::as_bytes);
    if tries.count(&identity.service, request) <= failures {
        return asked.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    }
    StatusCode::OK
}

/// Informational and impossible codes would leave the client without an answer.
fn possible(status: u16) -> Option<StatusCode> {
    (200..=599).contains(&status).then(|| StatusCode::from_u16(status).ok()).flatten()
}

/// What is no header is not added.
fn add_asked(request: &HeaderMap, response: &mut HeaderMap) {
    for line in request.get_all(HEADER) {
        let mut parts = line.as_bytes().splitn(2, |byte| *byte == b':');
        let name = parts.next().and_then(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
        let value = parts.next().and_then(|value| HeaderValue::from_bytes(value.trim_ascii()).ok());
        if let (Some(name), Some(value)) = (name, value) {
            response.append(name, value);
        }
    }
}

fn plain(status: u16) -> Answered {
    reply(status, &[], Bytes::new())
}

fn reply(status: u16, headers: &[(String, String)], body: Bytes) -> Answered {
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = possible(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn delayed(body: Bytes, delay: Duration) -> BoxBody<Bytes, Infallible> {
    let frame = async move {
        tokio::time::sleep(delay).await;
        Ok(Frame::data(body))
    };
    BoxBody::new(StreamBody::new(futures_util::stream::once(frame)))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The value itself, or, where it is not UTF-8, its bytes with the foreign ones as `\xff`.
fn text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    std::str::from_utf8(bytes).map_or_else(|_| bytes.escape_ascii().to_string(), str::to_owned)
}

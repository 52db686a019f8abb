//! The pages for operators: health, metrics, what is served and who is told it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::status::{Seconds, Status};

mod discovery;
mod text;

pub use discovery::Discovery;

pub const PORT: u16 = 18001;

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// Whoever can connect sees the pages and may approve, although the address is not of this machine alone.
    pub insecure: bool,
}

#[derive(Clone)]
pub struct Pages {
    pub status: watch::Receiver<Status>,
    pub metrics: Metrics,
    pub registry: Registry,
    pub allow: Allow,
    /// Nothing where nobody finds out what runs.
    pub discovery: Option<Arc<dyn Discovery>>,
}

/// Publishes the held state with this digest.
pub type Allow = Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), NotHeld>> + Send + Sync>;

/// No state with this digest is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state with this digest is held")]
pub struct NotHeld;

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// Aborted when it is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{0} can be reached from other machines, and the pages ask nobody who they are: listen on 127.0.0.1, or say \
         `--insecure`"
    )]
    NotAllowed(SocketAddr),
    #[error("cannot listen on {listen}: {error}")]
    Listen { listen: SocketAddr, error: std::io::Error },
}

/// Connections at a time; others wait.
const CONNECTIONS: usize = 64;
/// Until the head of a request must be there.
const HEAD: Duration = Duration::from_secs(5);
/// Until a connection is closed, whatever it does.
const CONNECTION: Duration = Duration::from_secs(60);

/// Listens, and answers with the pages. Needs a tokio runtime.
pub async fn start(options: Options, pages: Pages) -> Result<Running, StartError> {
    let loopback = options.listen.ip().to_canonical().is_loopback();
    if !loopback && !options.insecure {
        return Err(StartError::NotAllowed(options.listen));
    }
    let failed = |error| StartError::Listen { listen: options.listen, error };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, router(pages, loopback)));
    Ok(Running { address, _tasks: tasks })
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)), insecure: false }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

fn router(pages: Pages, loopback: bool) -> Router {
    let router = Router::new()
        .route("/", get(index))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .route("/streams", get(streams))
        .route("/allow/{digest}", post(allow))
        .route("/release", post(release))
        .with_state(pages);
    if loopback { router.layer(middleware::from_fn(only_local_names)) } else { router }
}

async fn index() -> &'static str {
    "GET  /healthz        the process answers\n\
     GET  /readyz         there is a mesh to serve\n\
     GET  /metrics        for Prometheus\n\
     GET  /status         what is served, and what the sources say (?format=json)\n\
     GET  /streams        who is connected, and what each was told (?format=json)\n\
     POST /allow/DIGEST   publishes a state that is held\n\
     POST /release        lets go what vanished from ECS and is kept because it was too much at once\n"
}

async fn ready(State(pages): State<Pages>) -> Response {
    match pages.status.borrow().not_ready() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn metrics(State(pages): State<Pages>) -> Response {
    pages.registry.measure(&pages.metrics);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], pages.metrics.text()).into_response()
}

#[derive(Debug, Deserialize)]
struct Format {
    format: Option<String>,
}

async fn status(State(pages): State<Pages>, Query(query): Query<Format>) -> Response {
    let status = pages.status.borrow().clone();
    let whole = Whole { status: &status, discovery: pages.discovery.as_ref().map(|it| it.json()) };
    page(&query, &whole, || {
        let lines = pages.discovery.as_ref().map_or_else(Vec::new, |it| it.lines());
        text::status(&status, &lines, Seconds::now())
    })
}

/// What `/status` says to machines.
#[derive(Serialize)]
struct Whole<'s> {
    #[serde(flatten)]
    status: &'s Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery: Option<serde_json::Value>,
}

async fn streams(State(pages): State<Pages>, Query(query): Query<Format>) -> Response {
    let streams = pages.registry.streams();
    page(&query, &streams, || text::streams(&streams, Seconds::now()))
}

async fn allow(State(pages): State<Pages>, Path(digest): Path<String>, headers: HeaderMap) -> Response {
    if is_from_a_web_page(&headers) {
        return (StatusCode::FORBIDDEN, "a web page cannot publish: ask with another client\n").into_response();
    }
    match (pages.allow)(digest).await {
        Ok(()) => "published\n".into_response(),
        Err(error) => (StatusCode::NOT_FOUND, format!("{error}\n")).into_response(),
    }
}

async fn release(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    if is_from_a_web_page(&headers) {
        return (StatusCode::FORBIDDEN, "a web page cannot release: ask with another client\n").into_response();
    }
    match pages.discovery {
        Some(discovery) if discovery.release() => "released\n".into_response(),
        Some(_) => (StatusCode::NOT_FOUND, "nothing is kept that vanished\n").into_response(),
        None => (StatusCode::NOT_FOUND, "nothing of ECS is read here\n").into_response(),
    }
}

fn page<T: Serialize>(query: &Format, value: &T, text: impl FnOnce() -> String) -> Response {
    match query.format.as_deref() {
        None | Some("text") => text().into_response(),
        Some("json") => axum::Json(value).into_response(),
        Some(_) => (StatusCode::BAD_REQUEST, "the format is `text` or `json`\n").into_response(),
    }
}

/// Any web page that a browser shows can make it send a request here, of which the browser says where it comes from.
fn is_from_a_web_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    headers.contains_key(ORIGIN) || site.is_some_and(|site| site != b"none" && site != b"same-origin")
}

/// A web page that makes a browser on this machine ask under a name of its own is not answered.
async fn only_local_names(headers: HeaderMap, request: Request, next: Next) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    if name == "localhost" || name.parse::<std::net::IpAddr>().is_ok() {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "these pages are for this machine alone: ask `localhost`\n").into_response()
}

async fn accept(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                connections.spawn(async move {
                    let _place = place;
                    // Whoever keeps a connection longer opens another.
                    let _ = timeout(CONNECTION, serve(stream, router)).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the pages");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            // No page reads a body.
            let request = request.map(|_| Body::empty());
            router.oneshot(request).await
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the pages failed");
    }
}

//! The server: reads calls, meets them with limits and faults, and sends what the world answers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::call::{Call, Protocol};
use crate::calls::Calls;
use crate::failure::Failure;
use crate::faults::{Fault, Faults, Kind};
use crate::limits::Limits;
use crate::reply::{Body, Reply};
use crate::signature::{self, Credentials};
use crate::socket::{Fate, Socket};
use crate::world::{World, last, text};
use crate::{agent, cloud_map, control, ec2, ecs};

/// A small AWS at a loopback address; it ends when it is dropped.
pub struct Fake {
    address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

/// What every connection sees.
pub(crate) struct State {
    pub(crate) world: Mutex<World>,
    pub(crate) remembered: Mutex<Option<World>>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) limits: Mutex<Limits>,
    pub(crate) calls: Mutex<Calls>,
    pub(crate) credentials: Mutex<Option<Credentials>>,
    /// Of credentials that the agent hands out.
    lifetime: Mutex<Duration>,
    began: Instant,
}

impl Fake {
    /// With an empty world, at a port that is free.
    pub async fn start() -> io::Result<Fake> {
        Fake::start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    pub async fn start_at(address: SocketAddr) -> io::Result<Fake> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            world: Mutex::default(),
            remembered: Mutex::default(),
            faults: Mutex::default(),
            limits: Mutex::default(),
            calls: Mutex::default(),
            credentials: Mutex::default(),
            lifetime: Mutex::new(Duration::from_secs(6 * 3600)),
            began: Instant::now(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Fake { address, state, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `AWS_ENDPOINT_URL` has to be.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the world, or looks at it; no call is answered meanwhile.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.state.world))
    }

    /// Keeps the world as it is now, for answers that are [`Kind::Stale`].
    pub fn remember(&self) {
        *lock(&self.state.remembered) = Some(lock(&self.state.world).clone());
    }

    /// These faults, in place of those before. None ends them.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state.faults).set(faults.into_iter().collect());
    }

    pub fn limit(&self, limits: Limits) {
        *lock(&self.state.limits) = limits;
    }

    /// Refuses from now on what these credentials did not sign. A new fake takes anything.
    pub fn demand(&self, credentials: Credentials) {
        *lock(&self.state.credentials) = Some(credentials);
    }

    /// What `AWS_CONTAINER_CREDENTIALS_FULL_URI` has to be, for the credentials that are demanded.
    pub fn credentials_url(&self) -> String {
        format!("{}/credentials", self.url())
    }

    /// How long credentials are said to last from when they are asked for.
    pub fn let_credentials_last(&self, lifetime: Duration) {
        *lock(&self.state.lifetime) = lifetime;
    }

    /// What `ECS_CONTAINER_METADATA_URI_V4` has to be in the containers of a task.
    pub fn metadata_url(&self, task: &str) -> String {
        format!("{}/v4/{}", self.url(), last(task))
    }

    /// Calls so far.
    pub fn calls(&self) -> Calls {
        lock(&self.state.calls).clone()
    }

    pub fn forget_calls(&self) {
        *lock(&self.state.calls) = Calls::default();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A test that failed while it changed the world has said so already.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // Dropped with this task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&state)))),
            // There are no files left, which takes a while to change.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    // An answer is not to wait for the client's acknowledgement of its head.
    drop(stream.set_nodelay(true));
    let fate = Fate::default();
    let socket = TokioIo::new(Socket::new(stream, fate.clone()));
    let service = service_fn(|request| answer(&state, &fate, request));
    // A connection that breaks is the client's, or a fault's, and no news.
    drop(hyper::server::conn::http1::Builder::new().serve_connection(socket, service).await);
}

async fn answer(state: &State, fate: &Fate, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path();
    if let Some(path) = path.strip_prefix("/_fake/") {
        return Ok(control::answer(state, &head.method, path, &body).whole());
    }
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let call = match Call::read(path, header("x-amz-target"), &body) {
        Ok(call) => call,
        Err(failure) => return Ok(Protocol::Ecs.refuse(&failure, &request_id(state)).whole()),
    };
    let fault = match state.admit(&call, &head, &body).and_then(|()| state.meet(&call)) {
        Ok(fault) => fault,
        Err(failure) => {
            lock(&state.calls).count(&call.action, &failure.code);
            return Ok(call.protocol.refuse(&failure, &request_id(state)).whole());
        }
    };
    match &fault {
        Some(kind @ Kind::Reset) => {
            lock(&state.calls).count(&call.action, kind.name());
            fate.reset();
            return Err(io::Error::other("the connection is reset"));
        }
        Some(kind @ Kind::Silence) => {
            lock(&state.calls).count(&call.action, kind.name());
            return std::future::pending().await;
        }
        Some(Kind::Delay { millis }) => tokio::time::sleep(Duration::from_millis(*millis)).await,
        _ => {}
    }
    let reply = state.reply(&call, fault.as_ref());
    Ok(match fault {
        Some(Kind::Slow { bytes_per_second }) => reply.slow(bytes_per_second),
        Some(Kind::Truncated) => reply.truncated(),
        Some(Kind::WrongJson) => Reply { text: "{\"taskArns\": [\"arn:aws:ec".to_owned(), ..reply }.whole(),
        _ => reply.whole(),
    })
}

impl State {
    fn admit(&self, call: &Call, head: &Parts, body: &[u8]) -> Result<(), Failure> {
        let credentials = lock(&self.credentials).clone();
        let Some(credentials) = credentials else { return Ok(()) };
        let region = lock(&self.world).region.clone();
        match call.protocol.service() {
            Some(service) => signature::check(&credentials, head, body, &region, service),
            None => Ok(()),
        }
    }

    /// What the account's limits and the faults have for a call.
    fn meet(&self, call: &Call) -> Result<Option<Kind>, Failure> {
        if call.protocol == Protocol::Ecs && !lock(&self.limits).allow(&call.action, self.began.elapsed()) {
            return Err(Failure::throttled());
        }
        let fault = lock(&self.faults).meet(&call.action, &call.request);
        match fault.as_ref().and_then(|kind| kind.failure(&call.action)) {
            Some(failure) => Err(failure),
            None => Ok(fault),
        }
    }

    /// Those that are demanded; if none are, any will do.
    fn credentials(&self) -> Value {
        let any = || Credentials {
            access_key: "ASIAFAKE".to_owned(),
            secret_key: "secret".to_owned(),
            token: Some("temporary".to_owned()),
        };
        let credentials = lock(&self.credentials).clone().unwrap_or_else(any);
        agent::credentials(&credentials, *lock(&self.lifetime))
    }

    fn reply(&self, call: &Call, fault: Option<&Kind>) -> Reply {
        let mut remembered = None;
        if matches!(fault, Some(Kind::Stale)) {
            remembered.clone_from(&lock(&self.remembered));
        }
        let mut current = lock(&self.world);
        let world = remembered.as_mut().unwrap_or(&mut current);
        let answer = match call.protocol {
            Protocol::Ecs => ecs::answer(world, &call.action, &call.request),
            Protocol::CloudMap => cloud_map::answer(world, &call.action, &call.request),
            Protocol::Ec2 => ec2::answer(world, &call.action, &call.request),
            Protocol::Agent if call.action == "GetCredentials" => Ok(self.credentials()),
            Protocol::Agent => agent::metadata(world, text(&call.request, "path")),
        };
        let age = world.token_age;
        drop(current);
        let request_id = request_id(self);
        match answer {
            Ok(mut answer) => {
                if let Some(kind) = fault {
                    lock(&self.faults).distort(kind, &call.request, age, &mut answer);
                }
                lock(&self.calls).count(&call.action, fault.map_or("ok", Kind::name));
                call.protocol.accept(&answer, &request_id)
            }
            Err(failure) => {
                lock(&self.calls).count(&call.action, &failure.code);
                call.protocol.refuse(&failure, &request_id)
            }
        }
    }
}

/// Counted, in the form of a UUID.
fn request_id(state: &State) -> String {
    format!("00000000-0000-4000-8000-{:012x}", lock(&state.calls).total())
}

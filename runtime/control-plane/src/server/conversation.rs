//! One ADS stream: a task that passes requests, views and time to the machine, and what the machine says to the
//! transport.
//!
//! While the transport does not take a response, nothing is read and nothing is computed: of all that is published
//! meanwhile only the newest counts, so a client that does not read costs the same however much changes.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Response;
use http_body::Body;
use prost::Message as _;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::Status;

use super::connection::{Active, Connection};
use super::hello::{self, Hello};
use super::requests::Requests;
use super::responses::{self, Sender};
use super::turns::Turn;
use super::{Current, Server};
use crate::published::Published;
use crate::registry::{Listed, SharedMachine};
use crate::stream::{Event, Outgoing, Refusal, Request, Step, Variant};
use crate::view::View;

/// How often the wall clock is looked at for certificates that are not valid any more.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(60);

/// Lets a stream in, or not. Its task outlives this call.
pub(super) fn open<B>(
    server: &Arc<Server>,
    connection: &Arc<Connection>,
    active: Active,
    variant: Variant,
    body: B,
) -> Response<tonic::body::Body>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    let metrics = &server.shared.metrics;
    let Ok(place) = Arc::clone(&server.places).try_acquire_owned() else {
        metrics.refused("max_streams");
        let message = format!("this control plane serves {} streams and no more", server.options.limits.streams);
        return responses::status(&Status::resource_exhausted(message));
    };
    let requests = Requests::new(body, server.bounds.clone());
    let (sender, body) = responses::channel();
    let (server, connection) = (Arc::clone(server), Arc::clone(connection));
    tokio::spawn(async move {
        let _held = (active, place);
        let metrics = server.shared.metrics.clone();
        // A fault of ours ends this stream, and no other.
        let talk = AssertUnwindSafe(talk(&server, &connection, variant, requests, &sender)).catch_unwind();
        match talk.await {
            Ok(end) => {
                metrics.ended(end.reason());
                sender.end(end.status());
            }
            Err(_) => {
                metrics.panicked();
                metrics.ended("panic");
                tracing::error!(peer = connection.peer, "a stream ended because of a fault of the control plane");
                sender.end(Status::internal("a fault of the control plane ended this stream"));
            }
        }
    });
    responses::stream(body)
}

/// Why a stream ends.
#[derive(Debug)]
enum End {
    /// The client has said all, or is gone.
    Client,
    /// The connection is.
    Closing(&'static str),
    /// The client does not take what it is sent.
    Stalled(Duration),
    Refused(&'static str, Status),
}

impl End {
    fn reason(&self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Closing(_) => "closing",
            Self::Stalled(_) => "stalled",
            Self::Refused(reason, _) => reason,
        }
    }

    fn status(self) -> Status {
        match self {
            Self::Client => responses::ok(),
            Self::Closing(why) => Status::unavailable(why),
            Self::Stalled(after) => Status::unavailable(format!("a response was not taken within {after:?}")),
            Self::Refused(_, status) => status,
        }
    }
}

async fn talk<B>(
    server: &Server,
    connection: &Connection,
    variant: Variant,
    mut requests: Requests<B>,
    sender: &Sender,
) -> End
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut ending = connection.ending.subscribe();
    let metrics = &server.shared.metrics;
    let begin = async {
        match server.turns.take().await {
            Turn::AtOnce => {}
            Turn::AfterWaiting => metrics.waited(),
            Turn::Never => {
                let status = Status::resource_exhausted("too many new streams: try again later");
                return Err(End::Refused("rate", status));
            }
        }
        let limit = server.options.limits.first_request;
        let first = timeout(limit, requests.next()).await.map_err(|_| {
            End::Refused("no_request", Status::deadline_exceeded(format!("no request came within {limit:?}")))
        })?;
        let message = first.map_err(|status| End::Refused("request", status))?.ok_or(End::Client)?;
        let request = decode(variant, message).map_err(|status| End::Refused("request", status))?;
        let hello = Hello::of(&request, &connection.peer).map_err(|status| End::Refused("node", status))?;
        let published = Arc::clone(&server.current.borrow().published);
        allow(server, connection, &hello, &published, None)?;
        Ok((hello, request))
    };
    let begun = tokio::select! {
        begun = begin => begun,
        () = sender.closed() => Err(End::Client),
        why = closing(&mut ending) => Err(End::Closing(why)),
    };
    let (hello, request) = match begun {
        Ok(begun) => begun,
        Err(end) => {
            if let End::Refused(reason, status) = &end {
                metrics.refused(reason);
                tracing::warn!(peer = connection.peer, reason, status = status.message(), "refused a stream");
            }
            return end;
        }
    };
    metrics.opened(variant);
    let span = (hello.client.node.clone(), Instant::now());
    tracing::info!(node = %span.0, peer = connection.peer, ?variant, agent = hello.client.agent, "a stream began");
    let _closes = Closes { server, variant };
    let listed = server.shared.registry.add(hello.client.clone(), variant);
    let mut conversation = Conversation::new(server, connection, variant, hello, listed);
    let end = match conversation.begin(request) {
        Ok(()) => conversation.go_on(&mut requests, sender, &mut ending).await,
        Err(end) => end,
    };
    let reason = end.reason();
    tracing::info!(node = %span.0, peer = connection.peer, reason, after = ?span.1.elapsed(), "a stream ended");
    end
}

/// A stream that is no more is not counted.
struct Closes<'a> {
    server: &'a Server,
    variant: Variant,
}

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.server.shared.metrics.closed(self.variant);
    }
}

struct Conversation<'a> {
    server: &'a Server,
    connection: &'a Connection,
    variant: Variant,
    hello: Hello,
    listed: Listed,
    current: watch::Receiver<Current>,
    /// The proxy that it was last: a task that has left the mesh is nobody else.
    proxy: Option<String>,
    machine: Option<SharedMachine>,
    /// What the machine was given last.
    view: Option<Arc<View>>,
    /// What a proxy that is not in the mesh has said: answered when it is.
    unanswered: Vec<Request>,
    unanswered_bytes: usize,
    /// What the transport has not taken, all of one step.
    queue: std::collections::VecDeque<Outgoing>,
    /// When the newest state was published that the machine knows and the client has not accepted yet.
    published: Option<std::time::Instant>,
    permit: Option<(OwnedSemaphorePermit, Instant)>,
}

impl<'a> Conversation<'a> {
    /// Requests of an unknown proxy: enough for every type and its acknowledgements.
    const UNANSWERED: usize = 32;
    const UNANSWERED_BYTES: usize = 64 << 10;

    fn new(server: &'a Server, connection: &'a Connection, variant: Variant, hello: Hello, listed: Listed) -> Self {
        Self {
            server,
            connection,
            variant,
            hello,
            listed,
            current: server.current.subscribe(),
            proxy: None,
            machine: None,
            view: None,
            unanswered: Vec::new(),
            unanswered_bytes: 0,
            queue: std::collections::VecDeque::new(),
            published: None,
            permit: None,
        }
    }

    fn begin(&mut self, request: Request) -> Result<(), End> {
        self.look()?;
        if self.machine.is_none() {
            let node = &self.hello.client.node;
            tracing::warn!(node = %node, "the mesh has no proxy of this name: it is told nothing until it has");
        }
        self.hear(request)
    }

    async fn go_on<B>(
        &mut self,
        requests: &mut Requests<B>,
        sender: &Sender,
        ending: &mut watch::Receiver<Option<&'static str>>,
    ) -> End
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let limits = &self.server.options.limits;
        // How much the transport had taken, and when that was seen first.
        let mut taken = (sender.taken(), Instant::now());
        let mut quiet = true;
        loop {
            let now = Instant::now();
            // Nothing is read and nothing computed while something waits for the transport.
            let idle = self.queue.is_empty();
            let all_taken = idle && sender.is_idle();
            // The time of quiet before is none in which something could have been taken.
            if quiet || all_taken || sender.taken() != taken.0 {
                taken = (sender.taken(), now);
            }
            quiet = all_taken;
            if all_taken {
                self.permit = None;
            }
            let timer = [
                (!all_taken).then(|| taken.1 + limits.send),
                self.machine_deadline().filter(|_| idle).map(|at| self.server.began + at),
                self.permit.as_ref().map(|(_, until)| *until),
                self.connection.certificate.as_ref().map(|certificate| {
                    // One second more: certificates are valid until the end of their last second.
                    let remaining = certificate.remaining(SystemTime::now()) + Duration::from_secs(1);
                    now + remaining.min(CERTIFICATE_CHECK)
                }),
            ];
            let timer = timer.into_iter().flatten().min();
            tokio::select! {
                room = sender.room(), if !idle => {
                    if let Some(outgoing) = self.queue.pop_front() {
                        sender.send(outgoing.parts, room);
                    }
                }
                message = requests.next(), if idle => {
                    let heard = match message {
                        Ok(Some(message)) => self.receive(message),
                        Ok(None) => Err(End::Client),
                        Err(status) => Err(End::Refused("request", status)),
                    };
                    if let Err(end) = heard {
                        return end;
                    }
                }
                permit = wait_for_push(&self.current, &self.server.pushes), if idle => {
                    let Some(permit) = permit else { return End::Closing("this control plane is shutting down") };
                    self.permit = Some((permit, Instant::now() + limits.push));
                    if let Err(end) = self.look() {
                        return end;
                    }
                }
                () = sender.closed() => return End::Client,
                why = closing(ending) => return End::Closing(why),
                () = sleep_until(timer.unwrap_or(now)), if timer.is_some() => {
                    let now = Instant::now();
                    if self.permit.as_ref().is_some_and(|(_, until)| now >= *until) {
                        self.permit = None;
                    }
                    let stalled = !sender.is_idle() && sender.taken() == taken.0;
                    if stalled && now >= taken.1 + limits.send {
                        return End::Stalled(limits.send);
                    }
                    if let Err(end) = self.allow() {
                        return end;
                    }
                    if idle {
                        self.pass_time();
                    }
                }
            }
        }
    }

    fn receive(&mut self, message: Bytes) -> Result<(), End> {
        let refuse = |status| End::Refused("request", status);
        let request = decode(self.variant, message).map_err(refuse)?;
        self.hello.check(&request).map_err(|status| End::Refused("node", status))?;
        self.allow()?;
        self.hear(request)
    }

    fn hear(&mut self, request: Request) -> Result<(), End> {
        let Some(machine) = &self.machine else {
            let request = hello::without_node(request);
            self.unanswered_bytes += encoded_len(&request);
            let too_many = self.unanswered.len() >= Self::UNANSWERED;
            if too_many || self.unanswered_bytes > Self::UNANSWERED_BYTES {
                let message = format!(
                    "the mesh has no proxy `{}`, and this stream asks for more than can be remembered until it has",
                    self.hello.client.proxy.escape_default()
                );
                return Err(End::Refused("unknown_node", Status::resource_exhausted(message)));
            }
            self.unanswered.push(request);
            return Ok(());
        };
        let now = self.server.began.elapsed();
        let step = machine.lock().unwrap_or_else(PoisonError::into_inner).on_request(request, now);
        let step = step.map_err(|refusal| {
            End::Refused(
                "request",
                match refusal {
                    Refusal::InvalidArgument(message) => Status::invalid_argument(message),
                    Refusal::ResourceExhausted(message) => Status::resource_exhausted(message),
                },
            )
        })?;
        self.take(step);
        Ok(())
    }

    /// Tells what is published now. A proxy that is not in it keeps what it has: not to know it is no reason to take
    /// everything away.
    fn look(&mut self) -> Result<(), End> {
        let current = self.current.borrow_and_update().clone();
        let Some(proxy) = current.published.proxy(&self.hello.client.node) else { return Ok(()) };
        let Some(view) = current.published.view(proxy) else { return Ok(()) };
        if self.proxy.as_deref() != Some(proxy) {
            allow(self.server, self.connection, &self.hello, &current.published, None)?;
            self.listed.entry.is_proxy(proxy);
            self.proxy = Some(proxy.to_owned());
        }
        if self.view.as_ref().is_some_and(|known| Arc::ptr_eq(known, view) || known == view) {
            return Ok(());
        }
        self.view = Some(Arc::clone(view));
        let now = self.server.began.elapsed();
        if let Some(machine) = &self.machine {
            self.published = Some(current.at);
            self.listed.entry.falls_behind(current.at);
            let step = machine.lock().unwrap_or_else(PoisonError::into_inner).on_view(Arc::clone(view), now);
            self.take(step);
            return Ok(());
        }
        let machine = Arc::new(Mutex::new((self.server.options.machine)(self.variant, Arc::clone(view))));
        self.listed.entry.serves(Arc::clone(&machine));
        self.machine = Some(machine);
        self.unanswered_bytes = 0;
        for request in std::mem::take(&mut self.unanswered) {
            self.hear(request)?;
        }
        Ok(())
    }

    fn allow(&self) -> Result<(), End> {
        let published = Arc::clone(&self.server.current.borrow().published);
        allow(self.server, self.connection, &self.hello, &published, self.proxy.as_deref())
    }

    fn pass_time(&mut self) {
        let now = self.server.began.elapsed();
        if self.machine_deadline().is_none_or(|at| at > now) {
            return;
        }
        if let Some(machine) = &self.machine {
            let step = machine.lock().unwrap_or_else(PoisonError::into_inner).on_time(now);
            self.take(step);
        }
    }

    fn machine_deadline(&self) -> Option<Duration> {
        self.machine.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).deadline()
    }

    fn take(&mut self, step: Step) {
        let metrics = &self.server.shared.metrics;
        for event in step.events {
            match event {
                Event::Sent { kind, version, resources, removed } => {
                    let node = &self.hello.client.node;
                    tracing::debug!(node = %node, r#type = kind.short_name(), %version, resources, removed, "sent");
                }
                Event::Acknowledged { kind, .. } => metrics.acknowledged(kind),
                Event::Refused { kind, version, error } => {
                    metrics.not_acknowledged(kind);
                    self.listed.entry.refuses();
                    let node = &self.hello.client.node;
                    tracing::warn!(node = %node, r#type = kind.short_name(), %version, error, "a proxy refuses a state");
                }
                Event::Settled => {
                    self.listed.entry.settles();
                    if let Some(at) = self.published.take() {
                        metrics.converged(at.elapsed());
                    }
                }
            }
        }
        for outgoing in &step.send {
            metrics.sent(outgoing.kind, outgoing.parts.iter().map(Bytes::len).sum());
        }
        self.queue.extend(step.send);
    }
}

/// Until something else is published, and it is this stream's turn to tell it.
async fn wait_for_push(
    current: &watch::Receiver<Current>,
    pushes: &Arc<tokio::sync::Semaphore>,
) -> Option<OwnedSemaphorePermit> {
    // Marked as seen only when it is told, so that this may be dropped and called again.
    if !current.has_changed().ok()? {
        let mut watched = current.clone();
        watched.changed().await.ok()?;
    }
    Arc::clone(pushes).acquire_owned().await.ok()
}

async fn closing(ending: &mut watch::Receiver<Option<&'static str>>) -> &'static str {
    match ending.wait_for(Option::is_some).await {
        Ok(why) => why.unwrap_or_default(),
        Err(_) => "this connection is closed",
    }
}

/// Whether the client may (still) be told what its node is. `before` is the proxy that it was last.
///
/// As long as the mesh has no such node there is nothing to be told: then it may be what it calls itself.
fn allow(
    server: &Server,
    connection: &Connection,
    hello: &Hello,
    published: &Published,
    before: Option<&str>,
) -> Result<(), End> {
    let Some(certificate) = &connection.certificate else { return Ok(()) };
    if !certificate.is_valid(SystemTime::now()) {
        let status = Status::unauthenticated("the client's certificate is not valid any more");
        return Err(End::Refused("certificate_expired", status));
    }
    let claimed = &hello.client.proxy;
    let allowed = match published.proxy(&hello.client.node) {
        Some(proxy) => server.stands_for(certificate, proxy, published.names()),
        None => before.is_some() || server.options.identity.allows_discovered(certificate, claimed),
    };
    if !allowed {
        let message = format!(
            "the client's certificate is for {} and may not ask for node `{}`",
            certificate.names().escape_default(),
            claimed.escape_default()
        );
        return Err(End::Refused("identity", Status::permission_denied(message)));
    }
    Ok(())
}

fn encoded_len(request: &Request) -> usize {
    match request {
        Request::StateOfTheWorld(request) => request.encoded_len(),
        Request::Delta(request) => request.encoded_len(),
    }
}

fn decode(variant: Variant, message: Bytes) -> Result<Request, Status> {
    let request = match variant {
        Variant::StateOfTheWorld => {
            envoy::service::discovery::v3::DiscoveryRequest::decode(message).map(Request::StateOfTheWorld)
        }
        Variant::Delta => envoy::service::discovery::v3::DeltaDiscoveryRequest::decode(message).map(Request::Delta),
    };
    request.map_err(|_| Status::invalid_argument("the request is no message of this method"))
}

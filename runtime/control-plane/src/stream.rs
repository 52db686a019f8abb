//! One ADS stream as a state machine: requests, views and time in, responses and events out. It opens nothing and waits
//! for nothing; whoever owns it moves the bytes.
//!
//! ```text
//! subscription   which names of a type the client wants
//! talk           what was said about a type: what the client holds, what it has not answered, what it refused
//! sotw, delta    what a request means in each variant
//! response       what is owed to the client, and how it is said
//! transition     in which order a new view is told, so that no route ever leads to nothing
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};

use crate::view::{Resources, View};

mod by_kind;
mod delta;
mod limits;
mod redact;
mod response;
mod sotw;
mod subscription;
mod talk;
mod transition;

use by_kind::ByKind;
use talk::Talk;
use transition::Transition;

/// A request of either variant.
#[derive(Clone, Debug)]
pub enum Request {
    StateOfTheWorld(DiscoveryRequest),
    Delta(DeltaDiscoveryRequest),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    StateOfTheWorld,
    Delta,
}

/// What a stream does next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// To be sent in this order.
    pub send: Vec<Outgoing>,
    pub events: Vec<Event>,
}

/// An encoded `DiscoveryResponse` or `DeltaDiscoveryResponse`, as parts that follow each other: large parts are shared
/// by all streams that send them.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub kind: Option<ResourceKind>,
    pub type_url: String,
    pub parts: Vec<Bytes>,
}

/// What happened on a stream, for status, metrics and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Sent {
        kind: ResourceKind,
        version: Arc<str>,
        resources: usize,
        removed: usize,
    },
    Acknowledged {
        kind: ResourceKind,
        version: Arc<str>,
    },
    /// Once for each response that was refused. The error holds nothing of the resource.
    Refused {
        kind: ResourceKind,
        version: Arc<str>,
        error: String,
    },
    /// The proxy has all of the newest view that it asked for. Told whenever that becomes true again.
    Settled,
}

/// Why a stream must end: a gRPC status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0}")]
    ResourceExhausted(String),
}

/// One ADS stream. Its owner authenticates the node of the first request, gives the node's view to [`Stream::new`], and
/// then passes on whatever comes, in order.
#[derive(Debug)]
pub struct Stream {
    variant: Variant,
    /// What the proxy is to be told in the end.
    newest: Arc<View>,
    /// What it is told now.
    offered: ByKind<Arc<Resources>>,
    talks: ByKind<Talk>,
    /// What is being done to get from one view to the next.
    transition: Option<Transition>,
    /// The views whose routes the proxy may be following. Their clusters must stay. Of a client that came
    /// back we know none.
    followed: Vec<Arc<View>>,
    /// The client acknowledged the clusters of all of them.
    proven: bool,
    /// Until when listeners, filters and routes are held back from a client that came back.
    gate: Option<Duration>,
    /// Endpoints or secrets were told that are newer than the transition's.
    refreshed: bool,
    /// Of the last response, whatever its type.
    nonce: u64,
    /// Something was said since [`Event::Settled`].
    busy: bool,
}

impl Stream {
    /// A stream that was just opened, with what its proxy is to be told.
    pub fn new(variant: Variant, view: Arc<View>) -> Self {
        Self {
            variant,
            offered: ByKind::from_fn(|kind| view.of(kind)),
            talks: ByKind::from_fn(|_| Talk::default()),
            transition: None,
            followed: vec![Arc::clone(&view)],
            proven: false,
            newest: view,
            gate: None,
            refreshed: false,
            nonce: 0,
            // A client that asks for nothing that exists has all of it at once.
            busy: true,
        }
    }

    /// `now` counts from any fixed moment, and never backwards.
    pub fn on_request(&mut self, request: Request, now: Duration) -> Result<Step, Refusal> {
        let mut step = Step::default();
        match (request, self.variant) {
            (Request::StateOfTheWorld(request), Variant::StateOfTheWorld) => {
                sotw::on_request(self, request, now, &mut step)?;
            }
            (Request::Delta(request), Variant::Delta) => delta::on_request(self, request, now, &mut step)?,
            _ => return Err(Refusal::InvalidArgument("a request of the other variant".to_owned())),
        }
        self.proceed(now, &mut step);
        Ok(step)
    }

    /// The proxy is to be told something else from now on. What is being changed is finished first; of several views that
    /// come meanwhile only the last is told.
    pub fn on_view(&mut self, view: Arc<View>, now: Duration) -> Step {
        let mut step = Step::default();
        if Arc::ptr_eq(&view, &self.newest) || view.tells_the_same(&self.newest) {
            return step;
        }
        self.newest = view;
        self.busy = true;
        self.proceed(now, &mut step);
        step
    }

    /// When [`Stream::on_time`] has something to do, if nothing else comes before.
    pub fn deadline(&self) -> Option<Duration> {
        transition::deadline(self)
    }

    pub fn on_time(&mut self, now: Duration) -> Step {
        let mut step = Step::default();
        self.proceed(now, &mut step);
        step
    }

    /// What this stream has been told, for status pages and CSDS.
    pub fn status(&self) -> Vec<TypeStatus> {
        ResourceKind::ALL.into_iter().filter_map(|kind| self.talks[kind].status(kind)).collect()
    }

    /// Whether it does not have the newest view because it refused something of it, however long ago.
    pub fn is_refusing(&self) -> bool {
        ResourceKind::ALL.into_iter().any(|kind| self.talks[kind].blocked)
    }

    /// Does all that can be done now.
    fn proceed(&mut self, now: Duration, step: &mut Step) {
        transition::proceed(self, now, step);
        let mut talks =
            ResourceKind::ALL.into_iter().map(|kind| &self.talks[kind]).filter(|talk| talk.opened).peekable();
        let settled = self.transition.is_none() && talks.peek().is_some() && talks.all(Talk::is_calm);
        if settled && std::mem::take(&mut self.busy) {
            step.events.push(Event::Settled);
        }
    }
}

/// One type of a stream, as status pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeStatus {
    pub kind: ResourceKind,
    pub subscribed: usize,
    pub wildcard: bool,
    pub sent: Option<Arc<str>>,
    pub acknowledged: Option<Arc<str>>,
    /// The version that was refused, and why, until a newer one is acknowledged.
    pub refused: Option<(Arc<str>, String)>,
    /// By name: the version that was sent, and whether it was acknowledged.
    pub resources: Vec<(Arc<str>, Arc<str>, bool)>,
}

/// Without the bytes: they may hold secrets.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length: usize = self.parts.iter().map(Bytes::len).sum();
        write!(f, "Outgoing({}, {length} bytes)", self.type_url)
    }
}

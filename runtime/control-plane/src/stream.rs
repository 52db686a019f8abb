//! One ADS stream as a state machine: requests, views and time in, responses and events out. It opens nothing and waits
//! for nothing; whoever owns it moves the bytes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};

use crate::view::View;

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The proxy has all of the newest view.
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
    // The protocol's.
    variant: Variant,
}

impl Stream {
    /// A stream that was just opened, with what its proxy is to be told.
    pub fn new(variant: Variant, view: Arc<View>) -> Self {
        let _ = view;
        Self { variant }
    }

    /// `now` counts from any fixed moment, and never backwards.
    pub fn on_request(&mut self, request: Request, now: Duration) -> Result<Step, Refusal> {
        let _ = (request, now, self.variant);
        Ok(Step::default())
    }

    /// The proxy is to be told something else from now on. What is being changed is finished first; of several views that
    /// come meanwhile only the last is told.
    pub fn on_view(&mut self, view: Arc<View>, now: Duration) -> Step {
        let _ = (view, now);
        Step::default()
    }

    /// When [`Stream::on_time`] has something to do, if nothing else comes before.
    pub fn deadline(&self) -> Option<Duration> {
        None
    }

    pub fn on_time(&mut self, now: Duration) -> Step {
        let _ = now;
        Step::default()
    }

    /// What this stream has been told, for status pages and CSDS.
    pub fn status(&self) -> Vec<TypeStatus> {
        Vec::new()
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

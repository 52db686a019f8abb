//! How a workload behaves towards everybody, as a test says while it runs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;

/// What happens to a request. Over bytes, what happens to a connection: there everything that is about messages
/// is [`Behaviour::Answer`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// The answer that the request asks for.
    #[default]
    Answer,
    /// This status instead, whatever the request asks for. A gRPC call meets it as a server that is not gRPC.
    Status(u16),
    /// This `grpc-status`.
    GrpcStatus(u32),
    /// This message, of a call that succeeds: how to stand in for a gRPC service.
    GrpcMessage(Bytes),
    /// Exactly this: how to stand in for an HTTP service.
    Reply { status: u16, headers: Vec<(String, String)>, body: Bytes },
    /// The answer, so much later.
    Delay(Duration),
    /// Headers at once, the body so much later.
    DelayBody(Duration),
    /// No answer, and the connection stays.
    Hang,
    /// No answer, and the connection is closed.
    Close,
    /// No answer, and the connection is reset.
    Reset,
}

/// What health checks are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    #[default]
    Serving,
    /// `NOT_SERVING`, or 503.
    NotServing,
}

#[derive(Debug, Default)]
pub(super) struct Conduct(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    always: Behaviour,
    next: Option<(usize, Behaviour)>,
    health: Health,
    greets_first: bool,
}

impl Conduct {
    /// How this request is met; counts it.
    pub(super) fn take(&self) -> Behaviour {
        let state = &mut *self.lock();
        match &mut state.next {
            Some((left, behaviour)) => {
                let behaviour = behaviour.clone();
                *left = left.saturating_sub(1);
                if *left == 0 {
                    state.next = None;
                }
                behaviour
            }
            None => state.always.clone(),
        }
    }

    pub(super) fn always(&self, behaviour: Behaviour) {
        let mut state = self.lock();
        state.always = behaviour;
        state.next = None;
    }

    pub(super) fn next(&self, requests: usize, behaviour: Behaviour) {
        self.lock().next = (requests > 0).then_some((requests, behaviour));
    }

    pub(super) fn health(&self) -> Health {
        self.lock().health
    }

    pub(super) fn set_health(&self, health: Health) {
        self.lock().health = health;
    }

    pub(super) fn greets_first(&self) -> bool {
        self.lock().greets_first
    }

    pub(super) fn greet_first(&self) {
        self.lock().greets_first = true;
    }

    pub(super) fn reset(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

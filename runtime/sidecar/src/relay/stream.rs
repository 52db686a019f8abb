//! One stream of Envoy: first it is found out who answers it, then that one does until the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use control_plane::Variant;
use envoy::config::core::v3::Node;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use prost::Message as _;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tonic::{Status, Streaming};

use super::passing::{self, Passing};
use super::{Mode, PATIENCE, PATIENCE_OF_THE_EMPTY, Shared, fallback};
use crate::last_good::LastGood;
use crate::link::{Report, State, Up};
use crate::record::{Recorder, proxy_name};

/// Requests that Envoy sends before anybody answers. It sends one for each type.
const MOST_UNANSWERED: usize = 64;
/// After a control plane that is there was too slow for an Envoy that had nothing.
const NEXT_TRY: Duration = Duration::from_secs(2);
/// After control planes that are there refused, again and again: Envoy has the last good state, and is told it anew each time.
const LATEST_TRY: Duration = Duration::from_secs(30);

/// The two ends towards Envoy.
pub(super) struct Ends {
    pub requests: Streaming<Bytes>,
    pub responses: mpsc::Sender<Result<Bytes, Status>>,
}

/// What Envoy said before it was answered.
pub(super) struct Opening {
    pub variant: Variant,
    pub unanswered: Vec<Bytes>,
}

pub(super) async fn carry(
    shared: Arc<Shared>,
    variant: Variant,
    requests: Streaming<Bytes>,
    responses: mpsc::Sender<Result<Bytes, Status>>,
) {
    let id = shared.next_stream();
    shared.set_mode(id, Mode::Waiting);
    let mut ends = Ends { requests, responses };
    let told = carry_on(&shared, id, variant, &mut ends).await;
    if let Err(status) = told {
        // Envoy may be gone.
        drop(ends.responses.send(Err(status)).await);
    }
    shared.set_mode(id, Mode::Idle);
}

async fn carry_on(shared: &Arc<Shared>, id: u64, variant: Variant, ends: &mut Ends) -> Result<(), Status> {
    let Some(first) = ends.requests.message().await? else { return Ok(()) };
    let begun = Begun::of(variant, &first)?;
    if begun.proxy != shared.proxy {
        return Err(Status::permission_denied("the sidecar of another proxy is asked"));
    }
    let mut recorder = Recorder::new(variant, shared.record.current(), shared.seen());
    recorder.on_request(&first, shared.now());
    let mut opening = Opening { variant, unanswered: vec![first] };
    let last_good = shared.record.current().filter(|state| state.proxy == begun.proxy);
    match await_control_plane(shared, &begun, last_good.as_ref(), &mut opening, &mut recorder, ends).await? {
        Answers::ControlPlane(passing) => {
            shared.set_mode(id, Mode::ControlPlane);
            passing::pass(shared, *passing, recorder, ends).await
        }
        Answers::LastGood(state, not_before) => {
            shared.set_mode(id, Mode::LastGood);
            fallback::answer(shared, &state, opening, not_before, ends).await
        }
        Answers::Nobody => Ok(()),
    }
}

enum Answers {
    ControlPlane(Box<Passing>),
    /// And when a control plane may be tried again.
    LastGood(Arc<LastGood>, Instant),
    /// Envoy is gone.
    Nobody,
}

/// Until a control plane answers, or patience ends.
async fn await_control_plane(
    shared: &Shared,
    begun: &Begun,
    last_good: Option<&Arc<LastGood>>,
    opening: &mut Opening,
    recorder: &mut Recorder,
    ends: &mut Ends,
) -> Result<Answers, Status> {
    let begin = Instant::now();
    let deadline = begin + if begun.has_configuration { PATIENCE } else { PATIENCE_OF_THE_EMPTY };
    // An Envoy that has a configuration says type by type which.
    let everything_said = if begun.has_configuration { begin + PATIENCE_OF_THE_EMPTY } else { begin };
    let mut link = shared.link.state();
    // A connection that failed is not tried again before the link has made another.
    let mut failed = 0;
    loop {
        let state = link.borrow_and_update().clone();
        // What is older than what Envoy has, nobody knows how much, is no good: it stays as it is.
        let last_good = last_good.filter(|_| !recorder.has_unseen());
        let until = match state {
            State::Up(up) if up.generation != failed => {
                let hurries = last_good.is_some() && !begun.has_configuration;
                let attempt = tokio::select! {
                    attempt = passing::open(&up, opening, recorder, shared, ends) => attempt,
                    () = sleep_until(deadline), if hurries => Attempt::TooSlow,
                    // The next control plane may say more.
                    () = sleep(PATIENCE) => Attempt::Failed("it says nothing".to_owned()),
                };
                match attempt {
                    Attempt::Answered(passing) => {
                        shared.refusals.store(0, Ordering::Relaxed);
                        shared.link.report(Report::Answered { generation: up.generation });
                        tracing::info!(control_plane = %up.server, "Envoy is passed through");
                        return Ok(Answers::ControlPlane(passing));
                    }
                    Attempt::Failed(error) => {
                        failed = up.generation;
                        shared.refusals.fetch_add(1, Ordering::Relaxed);
                        shared.link.report(Report::Failed { generation: up.generation, error });
                    }
                    Attempt::EnvoyIsGone => return Ok(Answers::Nobody),
                    Attempt::EnvoyFailed(status) => return Err(status),
                    Attempt::TooSlow => {
                        if let Some(state) = last_good.filter(|_| !recorder.has_unseen()) {
                            return Ok(Answers::LastGood(
                                Arc::clone(state),
                                Instant::now() + shared.pause().max(NEXT_TRY),
                            ));
                        }
                    }
                }
                continue;
            }
            State::Down { .. } => everything_said,
            State::Up(_) | State::Trying => deadline,
        };
        if let Some(state) = last_good
            && until <= Instant::now()
        {
            return Ok(Answers::LastGood(Arc::clone(state), Instant::now() + shared.pause()));
        }
        tokio::select! {
            changed = link.changed() => changed.map_err(|_| Status::unavailable("the sidecar is stopping"))?,
            request = ends.requests.message() => match request? {
                Some(request) => opening.add(request, recorder, shared.now())?,
                None => return Ok(Answers::Nobody),
            },
            () = sleep_until(until), if last_good.is_some() => {}
        }
    }
}

impl Shared {
    /// How long an Envoy that has the last good state keeps it after control planes refused.
    fn pause(&self) -> Duration {
        pause_after(self.refusals.load(Ordering::Relaxed))
    }
}

fn pause_after(refusals: u32) -> Duration {
    match refusals.checked_sub(1) {
        None => Duration::ZERO,
        Some(more) => NEXT_TRY.saturating_mul(1 << more.min(8)).min(LATEST_TRY),
    }
}

/// What became of asking one control plane.
pub(super) enum Attempt {
    Answered(Box<Passing>),
    Failed(String),
    EnvoyIsGone,
    EnvoyFailed(Status),
    TooSlow,
}

impl Opening {
    pub(super) fn add(&mut self, request: Bytes, recorder: &mut Recorder, now: Duration) -> Result<(), Status> {
        if self.unanswered.len() >= MOST_UNANSWERED {
            return Err(Status::resource_exhausted("too many requests before the first answer"));
        }
        recorder.on_request(&request, now);
        self.unanswered.push(request);
        Ok(())
    }
}

/// What the first request says of Envoy.
struct Begun {
    proxy: String,
    has_configuration: bool,
}

impl Begun {
    fn of(variant: Variant, first: &Bytes) -> Result<Self, Status> {
        let unreadable = |_| Status::invalid_argument("the first request cannot be read");
        let (node, has_configuration): (Option<Node>, bool) = match variant {
            Variant::StateOfTheWorld => {
                let request = DiscoveryRequest::decode(first.clone()).map_err(unreadable)?;
                (request.node, !request.version_info.is_empty())
            }
            Variant::Delta => {
                let request = DeltaDiscoveryRequest::decode(first.clone()).map_err(unreadable)?;
                (request.node, !request.initial_resource_versions.is_empty())
            }
        };
        let node = node.ok_or_else(|| Status::invalid_argument("the first request of a stream must hold a node"))?;
        Ok(Self { proxy: proxy_name(&node.id).to_owned(), has_configuration })
    }
}

/// Whether a connection other than `generation` is there.
pub(super) async fn another_link(link: &mut watch::Receiver<State>, generation: Option<u64>) {
    let other = |state: &State| matches!(state, State::Up(Up { generation: of, .. }) if Some(*of) != generation);
    if link.wait_for(other).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_is_tried_less_and_less_often() {
        let seconds: Vec<u64> = [0, 1, 2, 3, 4, 5, 100, u32::MAX].map(|it| pause_after(it).as_secs()).into();
        assert_eq!(seconds, [0, 2, 4, 8, 16, 30, 30, 30]);
    }
}

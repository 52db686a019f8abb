//! One request: carries out what the policy decides.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;

use policy::{HeaderEdit, LocalReply, Verdict, pairs};
use sha2::{Digest as _, Sha256};

use crate::delays::Hold;
use crate::hostcalls::{self, Map, Refused};
use crate::plugin::Plugin;

/// What becomes of a request when its callback returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Continue,
    /// Held, or answered.
    Pause,
}

/// So much of a body is looked at in one piece.
const PIECE: usize = 16 << 10;

pub(crate) struct Stream {
    plugin: Option<Rc<Plugin>>,
    state: State,
    /// For the response.
    edits: Vec<HeaderEdit>,
}

enum State {
    /// Nothing is decided, or it goes on.
    Open,
    /// Held back until it is due.
    Held(Hold, Option<Box<LocalReply>>),
    /// Held back until its body is there.
    Checked(Box<Check>),
    /// Answered here.
    Answered,
}

/// What a body must be.
struct Check {
    sha256: [u8; 32],
    edits: Vec<HeaderEdit>,
    refused: LocalReply,
}

impl Stream {
    pub(crate) fn new(plugin: Option<Rc<Plugin>>) -> Stream {
        Stream { plugin, state: State::Open, edits: Vec::new() }
    }

    pub(crate) fn on_request_headers(&mut self, context: u32, is_end: bool) -> Action {
        let plugin = self.plugin.clone();
        let verdict = plugin.as_ref().and_then(|plugin| plugin.decide());
        match (verdict, plugin) {
            (Some(Verdict::Continue(edits)), _) => {
                self.edits = edits.response;
                self.edit(&edits.request)
            }
            (Some(Verdict::Respond(reply)), _) => self.answer(&reply),
            (Some(Verdict::Delay { millis, edits, then }), Some(plugin)) => {
                self.edits = edits.response;
                if self.edit(&edits.request) == Action::Pause {
                    return Action::Pause;
                }
                let Some(hold) = plugin.hold(context, millis) else { return Action::Continue };
                self.state = State::Held(hold, then.map(Box::new));
                Action::Pause
            }
            (Some(Verdict::CheckBody { edits, sha256, refused }), _) => {
                self.edits = edits.response;
                self.state = State::Checked(Box::new(Check { sha256, edits: edits.request, refused }));
                if is_end { self.check() } else { Action::Pause }
            }
            (Some(Verdict::Delay { .. }) | None, _) => self.answer(&failure()),
        }
    }

    /// A part of the body has come, or all of it.
    pub(crate) fn on_request_body(&mut self, is_end: bool) -> Action {
        match self.state {
            State::Open => Action::Continue,
            State::Checked(_) if is_end => self.check(),
            State::Checked(_) | State::Held(..) | State::Answered => Action::Pause,
        }
    }

    /// The body is complete, and trailers follow it.
    pub(crate) fn on_request_trailers(&mut self) -> Action {
        self.on_request_body(true)
    }

    pub(crate) fn on_response_headers(&mut self) {
        if matches!(self.state, State::Answered) {
            return;
        }
        for edit in core::mem::take(&mut self.edits) {
            // What a response cannot be given, it goes without.
            let _ = apply(Map::Response, &edit);
        }
    }

    /// What follows a delay that has ended: an answer, or nothing. None if the request is not held by it.
    pub(crate) fn released(&mut self, due: Hold) -> Option<Release> {
        match core::mem::replace(&mut self.state, State::Open) {
            State::Held(hold, then) if hold == due => {
                if then.is_some() {
                    self.state = State::Answered;
                }
                Some(then)
            }
            state => {
                self.state = state;
                None
            }
        }
    }

    fn check(&mut self) -> Action {
        let State::Checked(check) = core::mem::replace(&mut self.state, State::Open) else { return Action::Pause };
        // A body that cannot be read is not the one that was signed.
        if body_sha256() == Ok(check.sha256) { self.edit(&check.edits) } else { self.answer(&check.refused) }
    }

    fn edit(&mut self, edits: &[HeaderEdit]) -> Action {
        match edits.iter().try_for_each(|edit| apply(Map::Request, edit)) {
            Ok(()) => Action::Continue,
            Err(Refused) => self.answer(&failure()),
        }
    }

    /// Answers the request. It is held even if Envoy refuses the answer: never let through.
    fn answer(&mut self, reply: &LocalReply) -> Action {
        self.state = State::Answered;
        send(reply);
        Action::Pause
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let (Some(plugin), State::Held(hold, _)) = (&self.plugin, &self.state) {
            plugin.forget(*hold);
        }
    }
}

/// The answer that follows a delay; none lets the request through.
pub(crate) type Release = Option<Box<LocalReply>>;

/// Ends a delay, in the effective context of the stream that was held.
pub(crate) fn release(then: Option<Release>) {
    match then {
        Some(Some(reply)) => send(&reply),
        // If Envoy refuses, the stream is ending anyway.
        Some(None) => drop(hostcalls::continue_request()),
        None => {}
    }
}

/// Answers a request of which nothing is known.
pub(crate) fn fail() -> Action {
    send(&failure());
    Action::Pause
}

fn failure() -> LocalReply {
    LocalReply { status: 500, details: "meshwright_filter_failed", ..LocalReply::default() }
}

fn send(reply: &LocalReply) {
    let headers: Vec<(&str, &str)> =
        reply.headers.iter().map(|(name, value): &(Cow<'_, str>, _)| (name.as_ref(), value.as_str())).collect();
    let headers = pairs::write(&headers);
    let _ = hostcalls::send_local_response(reply.status, reply.details, &reply.body, &headers, reply.grpc_status);
}

fn body_sha256() -> Result<[u8; 32], Refused> {
    let mut digest = Sha256::new();
    let mut start = 0_usize;
    loop {
        let piece = hostcalls::request_body(start, PIECE)?;
        digest.update(&piece);
        start = start.saturating_add(piece.len());
        if piece.len() < PIECE {
            return Ok(digest.finalize().into());
        }
    }
}

fn apply(map: Map, edit: &HeaderEdit) -> Result<(), Refused> {
    match edit {
        HeaderEdit::Remove { name } => hostcalls::remove_header(map, name),
        HeaderEdit::Replace { name, value } => hostcalls::replace_header(map, name, value),
        HeaderEdit::Default { name, .. } if hostcalls::has_header(map, name) => Ok(()),
        HeaderEdit::Add { name, value } | HeaderEdit::Default { name, value } => {
            hostcalls::add_header(map, name, value)
        }
    }
}

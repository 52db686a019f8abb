//! One request: carries out what the policy decides.

use std::rc::Rc;

use policy::{Env, Header, HeaderEdit, LocalReply, Request, SingleHeader, Verdict};

use crate::delays::Hold;
use crate::hostcalls::{self, Refused};
use crate::plugin::Plugin;

/// What becomes of a request when its callback returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Continue,
    /// Held, or answered.
    Pause,
}

pub(crate) struct Stream {
    context: u32,
    plugin: Option<Rc<Plugin>>,
    hold: Option<Hold>,
}

impl Stream {
    pub(crate) fn new(context: u32, plugin: Option<Rc<Plugin>>) -> Stream {
        Stream { context, plugin, hold: None }
    }

    pub(crate) fn on_request_headers(&mut self) -> Action {
        let Some(plugin) = self.plugin.clone() else {
            return fail();
        };
        let mut env = Env { random: &mut hostcalls::random, count: &mut |counter| plugin.count(counter) };
        match (plugin.decide)(&mut Headers, &mut env) {
            Verdict::Continue(edits) => match edits.iter().try_for_each(apply) {
                Ok(()) => Action::Continue,
                Err(Refused) => fail(),
            },
            Verdict::Respond(reply) => answer(&reply),
            Verdict::Delay { millis, then } => self.hold(&plugin, millis, then),
        }
    }

    fn hold(&mut self, plugin: &Plugin, millis: u32, then: Option<LocalReply>) -> Action {
        let Ok(mut delays) = plugin.delays.try_borrow_mut() else {
            return Action::Continue;
        };
        let now = hostcalls::monotonic_nanos();
        self.hold = Some(delays.hold(self.context, now, millis, then));
        drop(delays);
        plugin.rearm();
        Action::Pause
    }
}

impl Drop for Stream {
    /// A held request whose client has gone away must not be let go: its context is no more.
    fn drop(&mut self) {
        if let (Some(plugin), Some(hold)) = (&self.plugin, self.hold)
            && let Ok(mut delays) = plugin.delays.try_borrow_mut()
        {
            delays.forget(hold);
        }
    }
}

/// Ends a delay, in the effective context of the stream that was held.
pub(crate) fn release(then: Option<LocalReply>) {
    match then {
        Some(reply) => {
            answer(&reply);
        }
        // If Envoy refuses, the stream is ending anyway.
        None => drop(hostcalls::continue_request()),
    }
}

/// Answers a request for which the filter cannot do its work.
pub(crate) fn fail() -> Action {
    let details = "meshwright_filter_failed";
    answer(&LocalReply { status: 500, headers: Vec::new(), body: "", details })
}

/// Answers the request. It is held even if Envoy refuses the answer: never let through.
fn answer(reply: &LocalReply) -> Action {
    let headers: Vec<(&str, &str)> = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let _ = hostcalls::send_local_response(reply.status, reply.details, reply.body, &headers);
    Action::Pause
}

fn apply(edit: &HeaderEdit) -> Result<(), Refused> {
    match edit {
        HeaderEdit::Remove { name } => hostcalls::remove_request_header(name),
        HeaderEdit::Replace { name, value } => hostcalls::replace_request_header(name, value),
    }
}

/// The request's headers, fetched from Envoy when asked for.
struct Headers;

impl Request for Headers {
    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>> {
        hostcalls::request_header(header.name()).ok()
    }

    fn all(&mut self) -> Vec<Header> {
        hostcalls::request_headers().unwrap_or_default()
    }
}

//! The sans-io machine of a stream, as the server drives it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::stream::{Refusal, Request, Step, Stream, TypeStatus, Variant};
use crate::view::View;

/// [`Stream`], or what a test puts in its place to see how the server bears it.
pub trait Machine: fmt::Debug + Send {
    fn on_request(&mut self, request: Request, now: Duration) -> Result<Step, Refusal>;
    fn on_view(&mut self, view: Arc<View>, now: Duration) -> Step;
    fn deadline(&self) -> Option<Duration>;
    fn on_time(&mut self, now: Duration) -> Step;
    fn status(&self) -> Vec<TypeStatus>;

    /// [`Stream::is_refusing`]
    fn is_refusing(&self) -> bool {
        false
    }
}

pub type NewMachine = fn(Variant, Arc<View>) -> Box<dyn Machine>;

impl Machine for Stream {
    fn on_request(&mut self, request: Request, now: Duration) -> Result<Step, Refusal> {
        Self::on_request(self, request, now)
    }

    fn on_view(&mut self, view: Arc<View>, now: Duration) -> Step {
        Self::on_view(self, view, now)
    }

    fn deadline(&self) -> Option<Duration> {
        Self::deadline(self)
    }

    fn on_time(&mut self, now: Duration) -> Step {
        Self::on_time(self, now)
    }

    fn status(&self) -> Vec<TypeStatus> {
        Self::status(self)
    }

    fn is_refusing(&self) -> bool {
        Self::is_refusing(self)
    }
}

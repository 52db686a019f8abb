//! What the host knows while a module runs: contexts, time, chance, logs.

use std::collections::BTreeMap;

use crate::Randomness;
use crate::guest::Exports;
use crate::header_map::HeaderMap;
use crate::metrics::Metrics;
use crate::outcome::Reply;

/// One line that a module logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How important it is.
    pub level: LogLevel,
    /// The text; bytes outside UTF-8 are replaced.
    pub message: String,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// The state behind the hostcalls.
pub(crate) struct Host {
    pub(crate) exports: Option<Exports>,
    pub(crate) phase: Phase,
    pub(crate) root_id: String,
    pub(crate) plugin_config: Vec<u8>,
    pub(crate) properties: BTreeMap<String, Vec<u8>>,
    /// The context on which hostcalls act: the callback's own unless the module
    /// chose another.
    pub(crate) effective: u32,
    pub(crate) streams: BTreeMap<u32, Stream>,
    /// Nanoseconds since the virtual machine started.
    pub(crate) clock_nanos: u64,
    /// Nanoseconds from 1970 to that start.
    pub(crate) epoch_nanos: u64,
    /// What all virtual machines of an Envoy share, with the number of its last change.
    pub(crate) shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    pub(crate) tick: Option<Tick>,
    pub(crate) random: Randomness,
    pub(crate) metrics: Metrics,
    pub(crate) logs: Vec<Log>,
    pub(crate) limits: wasmtime::StoreLimits,
}

/// What the module is doing, which decides what it may ask of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Initializing,
    /// Inside its allocator, inside another hostcall.
    Allocating,
    Configuring,
    Running,
}

/// When the root context is woken, and how long after that again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub(crate) next_nanos: u64,
    pub(crate) period_millis: u32,
}

/// One HTTP request.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) request: HeaderMap,
    /// What has arrived of the body, while the filter may look at it.
    pub(crate) body: Option<Vec<u8>>,
    /// While the response's headers are before the filter.
    pub(crate) response: Option<HeaderMap>,
    pub(crate) started_nanos: u64,
    pub(crate) state: StreamState,
    /// The first answer, which is given when the callback returns.
    pub(crate) reply: Option<Reply>,
    pub(crate) closed: bool,
    pub(crate) continued: bool,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamState {
    /// Its headers are before the filter, and may be changed.
    Open,
    /// It is past the filter.
    Ended { at_nanos: u64 },
}

impl Host {
    /// The request on which hostcalls act, while its headers are before the filter.
    pub(crate) fn open_stream(&mut self) -> Option<&mut Stream> {
        let stream = self.streams.get_mut(&self.effective)?;
        (stream.state == StreamState::Open).then_some(stream)
    }

    pub(crate) fn unix_nanos(&self) -> u64 {
        self.epoch_nanos.saturating_add(self.clock_nanos)
    }

    /// The stream on which hostcalls act.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.effective)
    }

    pub(crate) fn log(&mut self, level: LogLevel, message: String) {
        self.logs.push(Log { level, message });
    }
}

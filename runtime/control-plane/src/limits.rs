//! How much of the control plane a client may use, and how long it may take.

use std::thread::available_parallelism;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a server bears. Everything that clients make it hold is bounded by one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; those above wait to be accepted.
    pub connections: usize,
    /// ADS streams at a time; those above are refused (`RESOURCE_EXHAUSTED`).
    pub streams: usize,
    /// HTTP/2 streams at a time on one connection.
    pub streams_per_connection: u32,
    /// New ADS streams per second, after a burst of as many: what a storm of reconnects is slowed down to.
    pub streams_per_second: u32,
    /// How long a new stream waits for its turn before it is refused (`RESOURCE_EXHAUSTED`).
    pub turn: Duration,
    /// Bytes of one request.
    pub message: usize,
    /// Bytes of all requests above 64 KiB that are being received, of all clients together.
    pub large_messages: usize,
    /// Bytes of the header list of one request.
    pub header_list: u32,
    /// Until a connection has done its handshake, and until it has opened its first stream, and a stream has sent its
    /// first request.
    pub first_request: Duration,
    /// Until the client takes a response.
    pub send: Duration,
    /// HTTP/2 pings: how often, and how long an answer may take.
    pub keepalive: Duration,
    pub keepalive_timeout: Duration,
    /// Changes that are being told at a time.
    pub pushes: usize,
    /// How long one stream keeps others from being told.
    pub push: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            connections: 20_000,
            streams: 10_000,
            streams_per_connection: 16,
            streams_per_second: u32::try_from(cores.saturating_mul(50)).unwrap_or(u32::MAX).max(100),
            turn: Duration::from_secs(10),
            message: 4 << 20,
            large_messages: 64 << 20,
            header_list: 16 << 10,
            first_request: Duration::from_secs(10),
            send: Duration::from_secs(5),
            keepalive: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            pushes: cores.saturating_mul(16),
            push: Duration::from_millis(250),
        }
    }
}

/// Lets this process open as many files as the system allows it: every client is one.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is not allowed, the lower limit stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Connections for which there are files, besides those that the rest of the process needs.
pub(crate) fn room_for_connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OTHER_FILES).max(OTHER_FILES)).unwrap_or(usize::MAX >> 4).min(usize::MAX >> 4)
}

const OTHER_FILES: u64 = 128;

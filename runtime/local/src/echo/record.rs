//! What a workload received, for tests that ask: mirrors, rewrites, what a header became.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;

use crate::stream::Encryption;

/// How many requests are remembered; the oldest is forgotten first.
const REMEMBERED: usize = 4096;

/// One request, or one connection of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `HTTP/1.1`, `HTTP/2.0`; `TCP` for bytes.
    pub protocol: String,
    /// Empty for bytes.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// `Host` or `:authority`.
    pub host: String,
    /// Names in lower case; repeated names stay repeated.
    pub headers: Vec<(String, String)>,
    /// Its beginning; of bytes, what came first.
    pub body: Bytes,
    pub peer: SocketAddr,
    pub encryption: Option<Encryption>,
}

#[derive(Debug, Default)]
pub(super) struct Records(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    latest: VecDeque<Received>,
    count: usize,
    connections: usize,
}

impl Received {
    /// The values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }
}

impl Records {
    pub(super) fn add(&self, received: Received) {
        let mut state = self.lock();
        if state.latest.len() == REMEMBERED {
            state.latest.pop_front();
        }
        state.latest.push_back(received);
        state.count += 1;
    }

    pub(super) fn connected(&self) {
        self.lock().connections += 1;
    }

    pub(super) fn list(&self) -> Vec<Received> {
        self.lock().latest.iter().cloned().collect()
    }

    pub(super) fn count(&self) -> usize {
        self.lock().count
    }

    pub(super) fn connections(&self) -> usize {
        self.lock().connections
    }

    pub(super) fn reset(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

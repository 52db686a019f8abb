//! How often each failing request was tried.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// How many failing requests are remembered; the oldest is forgotten first.
const REMEMBERED_REQUESTS: usize = 4096;

/// Shared by the workloads of a run, so that a retry counts on whichever endpoint it arrives.
#[derive(Clone, Debug, Default)]
pub struct Tries(Arc<Mutex<TryCounts>>);

#[derive(Debug, Default)]
struct TryCounts {
    counts: HashMap<TryKey, u64>,
    oldest_first: VecDeque<TryKey>,
}

/// Service and request id.
type TryKey = (String, Vec<u8>);

impl Tries {
    /// The number of this try, from 1.
    pub(super) fn count(&self, service: &str, request: &[u8]) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (service.to_owned(), request.to_owned());
        if let Some(count) = state.counts.get_mut(&key) {
            *count += 1;
            return *count;
        }
        if state.oldest_first.len() == REMEMBERED_REQUESTS
            && let Some(oldest) = state.oldest_first.pop_front()
        {
            state.counts.remove(&oldest);
        }
        state.oldest_first.push_back(key.clone());
        state.counts.insert(key, 1);
        1
    }
}

//! Who is connected, and what each was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::metrics::{Metrics, variant_name};
use crate::server::Machine;
use crate::status::Seconds;
use crate::stream::{TypeStatus, Variant};

/// All streams of a control plane. Cheap to clone. Holds a few hundred bytes for each stream: what the stream was told
/// is asked of its machine when somebody wants to know.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    streams: Arc<Mutex<Streams>>,
}

#[derive(Debug, Default)]
struct Streams {
    next: u64,
    by_id: BTreeMap<u64, Arc<Entry>>,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) client: Client,
    pub(crate) variant: Variant,
    since: Seconds,
    progress: Mutex<Progress>,
    machine: Mutex<Option<SharedMachine>>,
    /// The proxy that it is told of, once the mesh has it; before that, what it calls itself.
    proxy: Mutex<String>,
}

/// The stream's own task shares it with whoever looks.
pub(crate) type SharedMachine = Arc<Mutex<Box<dyn Machine>>>;

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) node: String,
    /// What it calls itself.
    pub(crate) proxy: String,
    pub(crate) cluster: String,
    pub(crate) agent: String,
    pub(crate) peer: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Since when it does not have the newest state.
    behind: Option<Instant>,
    /// Whether it has refused something since it last had the newest state.
    refused: bool,
}

/// A stream as pages show it. Holds nothing of the resources but names and versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamStatus {
    pub node: String,
    pub proxy: String,
    pub cluster: String,
    /// The client's name and version.
    pub agent: String,
    pub peer: String,
    pub variant: &'static str,
    pub connected_since: Seconds,
    pub state: State,
    /// For how long it has been behind.
    pub behind_milliseconds: Option<u64>,
    pub types: Vec<TypeRow>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Has all of the newest state.
    Settled,
    Behind,
    /// Has refused something, and nothing newer was accepted.
    Refused,
    /// The mesh has no such proxy: it is told nothing.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeRow {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub subscribed: usize,
    pub wildcard: bool,
    pub sent: Option<String>,
    pub acknowledged: Option<String>,
    pub refused: Option<String>,
    pub error: Option<String>,
}

/// Takes a stream off the list when it is dropped.
#[derive(Debug)]
pub(crate) struct Listed {
    registry: Registry,
    id: u64,
    pub(crate) entry: Arc<Entry>,
}

impl Registry {
    /// Every stream, by node, variant and age.
    pub fn streams(&self) -> Vec<StreamStatus> {
        let mut streams: Vec<StreamStatus> = self.entries().iter().map(|entry| entry.status()).collect();
        streams.sort_by(|a, b| (&a.node, a.variant).cmp(&(&b.node, b.variant)));
        streams
    }

    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Brings those metrics up to date that are about all streams together.
    pub fn measure(&self, metrics: &Metrics) {
        let (mut behind, mut oldest, mut refused, mut unknown) = (0, Duration::ZERO, 0, 0);
        for entry in self.entries() {
            let Some(machine) = entry.machine() else {
                unknown += 1;
                continue;
            };
            let progress = entry.progress();
            let is_refusing = || machine.lock().unwrap_or_else(PoisonError::into_inner).is_refusing();
            refused += usize::from(progress.refused || is_refusing());
            if let Some(since) = progress.behind {
                behind += 1;
                oldest = oldest.max(since.elapsed());
            }
        }
        metrics.unsettled(behind, oldest);
        metrics.refusing(refused);
        metrics.unknown(unknown);
    }

    pub(crate) fn add(&self, client: Client, variant: Variant) -> Listed {
        let entry = Arc::new(Entry {
            proxy: Mutex::new(client.proxy.clone()),
            client,
            variant,
            since: Seconds::now(),
            progress: Mutex::new(Progress { behind: Some(Instant::now()), refused: false }),
            machine: Mutex::new(None),
        });
        let mut streams = self.lock();
        let id = streams.next;
        streams.next += 1;
        streams.by_id.insert(id, Arc::clone(&entry));
        Listed { registry: self.clone(), id, entry }
    }

    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.lock().by_id.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub(crate) fn proxy(&self) -> String {
        self.proxy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_proxy(&self, proxy: &str) {
        proxy.clone_into(&mut self.proxy.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn serves(&self, machine: SharedMachine) {
        *self.machine.lock().unwrap_or_else(PoisonError::into_inner) = Some(machine);
    }

    /// The newest state is not this stream's any more.
    pub(crate) fn falls_behind(&self, since: Instant) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.behind.get_or_insert(since);
    }

    pub(crate) fn settles(&self) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Progress::default();
    }

    pub(crate) fn refuses(&self) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).refused = true;
    }

    /// What the stream was told. Nothing for a proxy that is not in the mesh.
    pub(crate) fn told(&self) -> Option<Vec<TypeStatus>> {
        let machine = self.machine()?;
        let machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
        Some(machine.status())
    }

    fn machine(&self) -> Option<SharedMachine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> StreamStatus {
        let told = self.told();
        let behind = self.progress().behind;
        let state = match &told {
            None => State::Unknown,
            Some(types) if types.iter().any(|of| of.refused.is_some()) => State::Refused,
            Some(_) if behind.is_some() => State::Behind,
            Some(_) => State::Settled,
        };
        let client = self.client.clone();
        StreamStatus {
            node: client.node,
            proxy: self.proxy(),
            cluster: client.cluster,
            agent: client.agent,
            peer: client.peer,
            variant: variant_name(self.variant),
            connected_since: self.since,
            state,
            behind_milliseconds: behind.map(|since| u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)),
            types: told.into_iter().flatten().map(row).collect(),
        }
    }
}

fn row(of: TypeStatus) -> TypeRow {
    let (refused, error) = of.refused.map_or((None, None), |(version, error)| (Some(version.to_string()), Some(error)));
    TypeRow {
        kind: of.kind.short_name(),
        subscribed: of.subscribed,
        wildcard: of.wildcard,
        sent: of.sent.map(|version| version.to_string()),
        acknowledged: of.acknowledged.map(|version| version.to_string()),
        refused,
        error,
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.registry.lock().by_id.remove(&self.id);
    }
}

//! How the mesh that is served is doing: what `/status` and `/readyz` tell, and what the reconciler writes.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// Holds nothing secret: digests, names, and findings as `meshwright check` prints them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Nothing until a first complete state was loaded or compiled: the control plane is not ready until then.
    pub serving: Option<Serving>,
    /// Why what is served is not what the sources say now. Nothing while it is.
    pub stale: Option<String>,
    pub reconcile: Option<Reconcile>,
    /// A state that was compiled but not published.
    pub held: Option<Held>,
    /// Why the last state could not be kept on disk.
    pub store_error: Option<String>,
    /// Clusters and endpoints that left the mesh and are served for a while longer.
    pub tombstones: usize,
    /// Nothing for a mesh without ECS.
    pub ecs: Option<Ecs>,
}

/// What became of what runs on ECS, when the sources were read the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ecs {
    /// Whether it was read at all.
    pub observed: bool,
    /// Tasks that may get requests.
    pub routable: usize,
    /// Whose words are left out.
    pub quarantined: Vec<Quarantined>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// `FAMILY:REVISION`, or the ARN of a task.
    pub who: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Serving {
    /// Of everything that is served: the same on every replica with the same inputs.
    pub digest: String,
    pub since: Seconds,
    pub from: From,
    pub proxies: usize,
    pub resources: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    Compiled,
    /// Kept from an earlier run.
    Stored,
}

/// The last time the sources were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reconcile {
    pub at: Seconds,
    pub milliseconds: u64,
    pub outcome: Outcome,
    /// Errors and warnings, each as it is printed.
    pub findings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Published,
    /// The sources say what is served already.
    Unchanged,
    /// Compiled, and kept back by the publication guard.
    Held,
    /// The mesh has errors.
    Invalid,
    /// It could not be read or compiled: a missing file, a time limit, a crash of the compiler.
    Failed,
}

/// A state that waits for `POST /allow/{digest}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    pub digest: String,
    /// Of what people edited: it may be allowed under this name, too, which stays whatever runs meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<String>,
    pub since: Seconds,
    pub reason: String,
}

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Seconds(pub u64);

impl Status {
    /// Why the control plane cannot serve yet.
    pub fn not_ready(&self) -> Option<&'static str> {
        self.serving.is_none().then_some("no complete state of the mesh was loaded or compiled yet")
    }
}

impl Seconds {
    pub fn now() -> Self {
        Self(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Published, Self::Unchanged, Self::Held, Self::Invalid, Self::Failed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Held => "held",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }
}

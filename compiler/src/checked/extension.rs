//! Faults, the user's own filters and overlays, with names resolved.

use std::sync::Arc;

use spec::mesh::{self, Cidr, FilterPosition, OverlayTarget, WasmFailure};
use spec::{Name, Span};

use super::{Id, Service};

#[derive(Clone, Debug)]
pub struct Fault {
    /// What becomes of which requests, as the mesh says it.
    pub said: mesh::Fault,
    /// Whose requests; `None`: anybody's.
    pub callers: Option<FaultCallers>,
    /// Who may ask for faults; `None`: anybody.
    pub controllers: Option<FaultCallers>,
}

#[derive(Clone, Debug)]
pub struct FaultCallers {
    pub from: Vec<Id<Service>>,
    pub identities: Vec<String>,
    pub networks: Vec<Cidr>,
}

/// A wasm filter of the user's own.
#[derive(Clone, Debug)]
pub struct WasmFilter {
    pub name: Name,
    pub module: Module,
    pub root_id: String,
    /// What it is configured with where its use says nothing else.
    pub configuration: String,
    pub failure: WasmFailure,
}

#[derive(Clone, Debug)]
pub enum Module {
    /// A file beside the mesh, with its bytes.
    File {
        path: String,
        bytes: Arc<[u8]>,
        /// Of the bytes: lower-case hexadecimal.
        sha256: String,
    },
    Url {
        url: String,
        sha256: String,
    },
}

#[derive(Clone, Debug)]
pub struct FilterUse {
    pub filter: Id<WasmFilter>,
    pub at: FilterPosition,
    /// In place of the filter's own.
    pub configuration: Option<String>,
}

/// A change to Envoy's configuration.
#[derive(Clone, Debug)]
pub struct Overlay {
    pub target: OverlayTarget,
    /// Only the resource of this name.
    pub name: Option<String>,
    pub json: serde_json::Value,
    /// Where it is said.
    pub span: Span,
}

impl Module {
    /// Of the module's bytes: lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        match self {
            Self::File { sha256, .. } | Self::Url { sha256, .. } => sha256,
        }
    }
}

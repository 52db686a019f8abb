//! Accepts connections, no more at a time than may be.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::options::{Listen, NotAllowed};
use super::tls::TlsError;
use super::{Server, connection};

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("cannot listen on {listen}: {error}")]
    Listen { listen: Listen, error: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(super) async fn bind(listen: &Listen) -> Result<Self, StartError> {
        let bound = match listen {
            Listen::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Listen::Unix(path) => bind_unix(path).await.map(Self::Unix),
        };
        bound.map_err(|error| StartError::Listen { listen: listen.clone(), error })
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }
}

/// Accepts until the server stops, and then waits for the connections to end. They end with this future.
pub(super) async fn accept(server: Arc<Server>, listener: Listener) {
    let mut connections = JoinSet::new();
    let mut stopping = server.stopping.subscribe();
    let mut number = 0;
    loop {
        while connections.try_join_next().is_some() {}
        let place = tokio::select! {
            place = Arc::clone(&server.connections).acquire_owned() => place,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = next(&listener) => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        number += 1;
        let server = Arc::clone(&server);
        match accepted {
            Ok((Accepted::Tcp(stream), peer)) => {
                // Answers are small and are waited for.
                let _ = stream.set_nodelay(true);
                connections.spawn(async move {
                    let _counted = Counted::new(&server, place);
                    connection::serve(Arc::clone(&server), stream, peer, number).await;
                });
            }
            Ok((Accepted::Unix(stream), peer)) => {
                connections.spawn(async move {
                    let _counted = Counted::new(&server, place);
                    connection::serve(Arc::clone(&server), stream, peer, number).await;
                });
            }
            Err(error) => {
                // Of one connection, or of all because there are no more files: never a reason to stop.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    if let Listen::Unix(path) = &server.options.listen {
        // Before it is closed, so that it is not somebody else's yet.
        let _ = fs::remove_file(path);
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

enum Accepted {
    Tcp(tokio::net::TcpStream),
    Unix(UnixStream),
}

async fn next(listener: &Listener) -> io::Result<(Accepted, String)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, peer) = listener.accept().await?;
            Ok((Accepted::Tcp(stream), peer.to_string()))
        }
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            Ok((Accepted::Unix(stream), "unix".to_owned()))
        }
    }
}

struct Counted<'a> {
    server: &'a Server,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl<'a> Counted<'a> {
    fn new(server: &'a Server, place: tokio::sync::OwnedSemaphorePermit) -> Self {
        server.shared.metrics.connected();
        Self { server, _place: place }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.server.shared.metrics.disconnected();
    }
}

/// A socket for its owner alone. One that nobody listens on any more is replaced.
async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && UnixStream::connect(path).await.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

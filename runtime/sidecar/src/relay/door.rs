//! Where Envoy finds the relay: a socket in the file system, or a port of loopback.

use std::fmt;
use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::server::Router;

/// An open socket. That in the file system is removed when it is dropped.
#[derive(Debug)]
pub struct Door {
    socket: Option<Socket>,
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("cannot open the socket `{path}` for Envoy: {source}")]
    Unix { path: PathBuf, source: io::Error },
    #[error("cannot listen for Envoy at {address}: {source}")]
    Tcp { address: SocketAddr, source: io::Error },
    #[error("`{0}` is not loopback: whoever reaches the relay is told what this proxy is told")]
    NotLoopback(SocketAddr),
}

impl Door {
    /// For this user alone. What a killed process left at the path is removed.
    pub fn unix(path: &Path) -> Result<Self, DoorError> {
        let failed = |source| DoorError::Unix { path: path.to_owned(), source };
        if path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket()) {
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { socket: Some(Socket::Unix(listener)), path: Some(path.to_owned()) })
    }

    pub async fn tcp(address: SocketAddr) -> Result<Self, DoorError> {
        if !address.ip().is_loopback() {
            return Err(DoorError::NotLoopback(address));
        }
        let listener = TcpListener::bind(address).await.map_err(|source| DoorError::Tcp { address, source })?;
        Ok(Self { socket: Some(Socket::Tcp(listener)), path: None })
    }

    /// Of a port.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Some(Socket::Tcp(listener)) => listener.local_addr().ok(),
            _ => None,
        }
    }

    pub(super) async fn serve(mut self, server: Router) -> Result<(), tonic::transport::Error> {
        match self.socket.take() {
            Some(Socket::Unix(listener)) => server.serve_with_incoming(UnixListenerStream::new(listener)).await,
            Some(Socket::Tcp(listener)) => server.serve_with_incoming(TcpListenerStream::new(listener)).await,
            None => Ok(()),
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            drop(std::fs::remove_file(path));
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.path, self.address()) {
            (Some(path), _) => write!(formatter, "unix:{}", path.display()),
            (None, Some(address)) => write!(formatter, "{address}"),
            (None, None) => formatter.write_str("nowhere"),
        }
    }
}

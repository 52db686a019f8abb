//! Where Envoy finds the relay: a socket in the file system, or a port of loopback.

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
    /// At an address like `127.0.0.1:18002`, or else a path, relative to `folder`.
    pub async fn at(place: &str, folder: &Path) -> Result<Self, DoorError> {
        match place.parse() {
            Ok(address) => Self::tcp(address).await,
            Err(_) => Self::unix(&folder.join(place)),
        }
    }

    /// For this user alone. What a killed process left at the path is removed.
    fn unix(path: &Path) -> Result<Self, DoorError> {
        let failed = |source| DoorError::Unix { path: path.to_owned(), source };
        if path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket()) {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(failed(io::ErrorKind::AddrInUse.into()));
            }
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { socket: Some(Socket::Unix(listener)), path: Some(path.to_owned()) })
    }

    async fn tcp(address: SocketAddr) -> Result<Self, DoorError> {
        if !address.ip().is_loopback() {
            return Err(DoorError::NotLoopback(address));
        }
        let listener = TcpListener::bind(address).await.map_err(|source| DoorError::Tcp { address, source })?;
        Ok(Self { socket: Some(Socket::Tcp(listener)), path: None })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_killed_process_left_is_replaced_and_other_files_are_not() {
        use std::os::unix::net::UnixListener as Left;
        let folder = tempfile::tempdir().unwrap();
        drop(Left::bind(folder.path().join("xds.sock")).unwrap());
        let door = Door::at("xds.sock", folder.path()).await.unwrap();
        let mode = folder.path().join("xds.sock").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = Door::at("xds.sock", folder.path()).await.unwrap_err().to_string();
        assert!(error.ends_with("address in use"), "{error}");
        drop(door);
        assert!(!folder.path().join("xds.sock").exists());
        std::fs::write(folder.path().join("file"), "kept").unwrap();
        assert!(Door::at("file", folder.path()).await.is_err());
        assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "kept");
    }

    #[tokio::test]
    async fn a_port_is_one_of_loopback() {
        let error = Door::at("0.0.0.0:0", Path::new("/")).await.unwrap_err().to_string();
        assert_eq!(error, "`0.0.0.0:0` is not loopback: whoever reaches the relay is told what this proxy is told");
        assert!(Door::at("127.0.0.1:0", Path::new("/")).await.is_ok());
    }
}

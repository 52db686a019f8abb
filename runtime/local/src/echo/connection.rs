//! One accepted connection: who called, and how to end it rudely.

use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Mutex;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::stream::Encryption;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) encryption: Option<Encryption>,
    /// What goes on after an upgrade.
    pub(super) upgraded: Mutex<JoinSet<()>>,
    /// The same socket once more, because the stream itself is handed on.
    socket: Option<OwnedFd>,
    cut: Notify,
}

impl Connection {
    pub(super) fn of(stream: &TcpStream, peer: SocketAddr) -> Self {
        let socket = stream.as_fd().try_clone_to_owned().ok();
        Self { peer, encryption: None, upgraded: Mutex::default(), socket, cut: Notify::new() }
    }

    pub(super) fn encrypted(self, encryption: Option<Encryption>) -> Self {
        Self { encryption, ..self }
    }

    /// Ends the connection without another byte.
    pub(super) fn close(&self) {
        self.cut.notify_one();
    }

    /// The same with a reset, as a process that crashed would leave it.
    pub(super) fn reset(&self) {
        if let Some(socket) = &self.socket {
            // Where it fails, the connection is closed all the same.
            let _ = set_socket_linger(socket, Some(Duration::ZERO));
        }
        self.cut.notify_one();
    }

    pub(super) async fn was_cut(&self) {
        self.cut.notified().await;
    }
}

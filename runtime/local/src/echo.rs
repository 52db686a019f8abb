//! The built-in workload: a server that answers with what it received, and fails or waits when asked to.
//!
//! On one port it speaks HTTP/1.1, HTTP/2 without TLS, gRPC and WebSocket; or, as [`serve_tcp`], bytes. A request's
//! own headers say how it is answered; [`Echo::behave`] says it for all of them.

mod behaviour;
mod bytes;
mod connection;
mod grpc;
mod http;
mod record;
mod tries;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

pub use behaviour::{Behaviour, Health};
pub use grpc::EchoReply;
pub use http::{DELAY, FAIL, GRPC_STATUS, HEADER, LONGEST_DELAY, STATUS};
pub use record::Received;
pub use tries::Tries;

use crate::stream::{Accept, Plain};
use behaviour::Conduct;
use connection::Connection;
use record::Records;

/// A pause after an `accept` that failed, because the cause (no file descriptors) does not vanish at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whom an echo server stands in for; part of every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The node behind whose sidecar it runs; none outside the mesh.
    pub node: Option<String>,
    pub service: String,
    /// The address as the mesh's source says it.
    pub endpoint: String,
}

/// A running echo server. Dropping it closes its socket and its connections.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    acceptor: AbortHandle,
    state: Arc<State>,
}

/// What the connections of one server share.
#[derive(Debug)]
struct State {
    identity: Identity,
    tries: Tries,
    conduct: Conduct,
    records: Records,
}

/// What a server understands.
#[derive(Clone, Copy, Debug)]
enum Language {
    Http,
    Bytes,
}

/// Serves HTTP on a listener that the caller has bound, which is how it knows that the address was free.
pub fn serve(listener: TcpListener, identity: Identity, tries: Tries) -> io::Result<Echo> {
    start(listener, identity, tries, Language::Http, Arc::new(Plain))
}

/// The same behind a handshake, such as that of TLS.
pub fn serve_behind(
    listener: TcpListener,
    identity: Identity,
    tries: Tries,
    handshake: Arc<dyn Accept>,
) -> io::Result<Echo> {
    start(listener, identity, tries, Language::Http, handshake)
}

/// Serves bytes: says who it is, at the first byte or, see [`Echo::greet_first`], before it; then gives back what it
/// receives.
pub fn serve_tcp(listener: TcpListener, identity: Identity) -> io::Result<Echo> {
    start(listener, identity, Tries::default(), Language::Bytes, Arc::new(Plain))
}

fn start(
    listener: TcpListener,
    identity: Identity,
    tries: Tries,
    language: Language,
    handshake: Arc<dyn Accept>,
) -> io::Result<Echo> {
    let address = listener.local_addr()?;
    let state = Arc::new(State { identity, tries, conduct: Conduct::default(), records: Records::default() });
    let acceptor = tokio::spawn(accept(listener, Arc::clone(&state), language, handshake)).abort_handle();
    Ok(Echo { address, acceptor, state })
}

impl Echo {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn identity(&self) -> &Identity {
        &self.state.identity
    }

    /// How requests are answered from now on; health checks of Envoys are not, see [`Echo::set_health`].
    pub fn behave(&self, behaviour: Behaviour) {
        self.state.conduct.always(behaviour);
    }

    /// How the next requests are answered; those after them as before.
    pub fn behave_for(&self, requests: usize, behaviour: Behaviour) {
        self.state.conduct.next(requests, behaviour);
    }

    /// What Envoys' health checks, and every call of gRPC's health service, are answered.
    pub fn set_health(&self, health: Health) {
        self.state.conduct.set_health(health);
    }

    /// Of bytes: from now on the server speaks first.
    pub fn greet_first(&self) {
        self.state.conduct.greet_first();
    }

    /// The latest requests, oldest first, without Envoys' health checks. One that arrived over bytes is a connection.
    pub fn received(&self) -> Vec<Received> {
        self.state.records.list()
    }

    /// How many there were, also of those no longer remembered.
    pub fn received_count(&self) -> usize {
        self.state.records.count()
    }

    /// How many connections were accepted.
    pub fn connection_count(&self) -> usize {
        self.state.records.connections()
    }

    /// Forgets what was received and how to behave.
    pub fn reset(&self) {
        self.state.conduct.reset();
        self.state.records.reset();
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, language: Language, handshake: Arc<dyn Accept>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    state.records.connected();
                    let (state, handshake) = (Arc::clone(&state), Arc::clone(&handshake));
                    drop(connections.spawn(converse(stream, peer, state, language, handshake)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    state: Arc<State>,
    language: Language,
    handshake: Arc<dyn Accept>,
) {
    // Without it answers still arrive, only later.
    drop(stream.set_nodelay(true));
    let connection = Connection::of(&stream, peer);
    let shaken = tokio::select! {
        shaken = handshake.accept(stream) => shaken,
        () = connection.was_cut() => return,
    };
    // A connection that breaks concerns its client only.
    let Ok((stream, encryption)) = shaken else { return };
    let connection = Arc::new(connection.encrypted(encryption));
    let conversation = async {
        match language {
            Language::Http => http::converse(stream, &connection, &state).await,
            Language::Bytes => bytes::converse(stream, &connection, &state).await,
        }
    };
    tokio::select! {
        () = conversation => {}
        () = connection.was_cut() => {}
    }
}

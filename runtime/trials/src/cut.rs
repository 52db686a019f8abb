//! A relay between Envoy and a control plane that can die in the middle of what is said: after one message of gRPC, and
//! before the next.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// Of HTTP/2: length (3), type, flags, stream (4).
const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;
/// Of gRPC: compressed or not, length (4).
const MESSAGE_HEAD: usize = 5;

/// Listens until it has died, or is dropped.
#[derive(Debug)]
pub struct Relay {
    armed: Arc<AtomicBool>,
    dead: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Relay {
    pub async fn start(listen: SocketAddr, server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let (armed, dead) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (arm, die) = (Arc::clone(&armed), Arc::clone(&dead));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => if let Ok((client, _)) = accepted {
                        connections.spawn(relay(client, server, Arc::clone(&arm)));
                    },
                    Some(ended) = connections.join_next() => if matches!(ended, Ok(Ok(End::Cut))) {
                        // The listener and all connections go with this task.
                        die.store(true, Ordering::Relaxed);
                        return;
                    },
                }
            }
        });
        Ok(Self { armed, dead, task: task.abort_handle() })
    }

    /// It dies after the next message that the server sends.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::Relaxed);
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

enum End {
    Cut,
    Closed,
}

async fn relay(client: TcpStream, server: SocketAddr, armed: Arc<AtomicBool>) -> io::Result<End> {
    let server = TcpStream::connect(server).await?;
    let ((mut from_client, to_client), (from_server, mut to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        copied = tokio::io::copy(&mut from_client, &mut to_server) => copied.map(|_| End::Closed),
        end = frames(from_server, to_client, &armed) => end,
    }
}

/// Passes frames on; of the frame in which the next message ends, once armed, only what belongs to it.
async fn frames(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, armed: &AtomicBool) -> io::Result<End> {
    let mut message = Message::default();
    loop {
        let mut head = [0; FRAME_HEAD];
        if from.read_exact(&mut head).await.is_err() {
            return Ok(End::Closed);
        }
        let [high, middle, low, kind, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        from.read_exact(&mut payload).await?;
        let cut = if kind == DATA { message.ends_in(&payload, armed) } else { None };
        let Some(length) = cut else {
            to.write_all(&head).await?;
            to.write_all(&payload).await?;
            continue;
        };
        let [_, high, middle, low] = u32::try_from(length).unwrap_or(0).to_be_bytes();
        head[..3].copy_from_slice(&[high, middle, low]);
        to.write_all(&head).await?;
        to.write_all(payload.get(..length).unwrap_or_default()).await?;
        to.flush().await?;
        return Ok(End::Cut);
    }
}

/// Where in a message the stream is. There is one stream of messages on a connection.
#[derive(Default)]
struct Message {
    head: Vec<u8>,
    /// Bytes of its body that are still to come.
    left: usize,
    /// It began after the relay was armed.
    last: bool,
}

impl Message {
    /// How much of these bytes belongs to the message after which to die, if it ends in them.
    fn ends_in(&mut self, bytes: &[u8], armed: &AtomicBool) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            if self.left == 0 {
                if self.head.is_empty() {
                    self.last = armed.load(Ordering::Relaxed);
                }
                self.head.push(*byte);
                let Ok([_, length @ ..]) = <[u8; MESSAGE_HEAD]>::try_from(self.head.as_slice()) else { continue };
                self.left = u32::from_be_bytes(length) as usize;
                self.head.clear();
            } else {
                self.left -= 1;
            }
            if self.left == 0 && self.last {
                return Some(index + 1);
            }
        }
        None
    }
}

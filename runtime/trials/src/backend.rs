//! Servers that answer every request alike, and as fast as bytes can be moved: what is counted is the mesh's doing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::load::STATE;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n";
const LEFTOVERS_END_WITHIN: Duration = Duration::from_secs(2);
const LEFTOVERS_POLL: Duration = Duration::from_millis(10);
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A server. Dropping it closes its socket and its connections.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    acceptor: AbortHandle,
}

impl Backend {
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        Self::answering(address, ANSWER.into()).await
    }

    /// One whose answers say who gave them, where [`Load`](crate::load::Load) reads what was answered.
    pub async fn saying(address: SocketAddr, who: &str) -> io::Result<Self> {
        let answer = format!("HTTP/1.1 200 OK\r\n{STATE}: {who}\r\ncontent-length: 3\r\n\r\nok\n");
        Self::answering(address, answer.into_bytes().into()).await
    }

    async fn answering(address: SocketAddr, with: Arc<[u8]>) -> io::Result<Self> {
        let listener = bind(address).await?;
        let address = listener.local_addr()?;
        let acceptor = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, Arc::clone(&with)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, acceptor: acceptor.abort_handle() })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

/// What a trial before left behind is ending.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let deadline = Instant::now() + LEFTOVERS_END_WITHIN;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                sleep(LEFTOVERS_POLL).await;
            }
            bound => return bound,
        }
    }
}

/// Requests without a body, one after the other, until the peer is gone.
async fn answer(mut stream: TcpStream, with: Arc<[u8]>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::new();
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
        while let Some(end) = head.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD) {
            head.drain(..end + END_OF_HEAD.len());
            stream.write_all(&with).await?;
        }
    }
}

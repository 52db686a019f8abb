//! Bytes as they are: to send what no client would send, and to talk to TCP services.

use std::net::SocketAddr;
use std::time::Duration;

use local::stream::{BoxStream, Dial, Plain};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(15);

/// An open connection.
#[derive(Debug)]
pub struct Wire(BoxStream);

/// Sends exactly these bytes, says that no more will come, and returns everything that comes back until the other side
/// ends the connection or stays silent for fifteen seconds.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut wire = Wire::open(address).await;
    wire.send(bytes).await;
    wire.finish().await;
    wire.rest().await
}

/// The status of an answer of HTTP/1.1; `None` where there is no answer at all.
pub fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()
}

impl Wire {
    pub async fn open(address: SocketAddr) -> Self {
        Self::over(&Plain, address).await
    }

    /// In another way, such as TLS.
    pub async fn over(dialer: &dyn Dial, address: SocketAddr) -> Self {
        let dialed = timeout(PATIENCE, dialer.dial(address)).await.expect("a connection in time");
        Self(dialed.unwrap_or_else(|error| panic!("no connection to {address}: {error}")))
    }

    pub(crate) fn of(stream: BoxStream) -> Self {
        Self(stream)
    }

    /// A peer that has gone already is seen when its answer is read.
    pub async fn send(&mut self, bytes: &[u8]) {
        drop(self.0.write_all(bytes).await);
        drop(self.0.flush().await);
    }

    /// Says that no more will come.
    pub async fn finish(&mut self) {
        drop(self.0.shutdown().await);
    }

    /// Exactly so many bytes.
    pub async fn receive(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let read = timeout(PATIENCE, self.0.read_exact(&mut bytes)).await.expect("bytes in time");
        read.unwrap_or_else(|error| panic!("the connection ended before {count} bytes: {error}"));
        bytes
    }

    /// Up to and with the first end of a line.
    pub async fn line(&mut self) -> String {
        let line = self.until(b"\n").await;
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Up to and with these bytes.
    pub async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            read.extend(self.receive(1).await);
        }
        read
    }

    /// Everything until the connection ends, however it ends, or is silent for too long.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut chunk = [0; 16 << 10];
        while let Ok(Ok(length)) = timeout(PATIENCE, self.0.read(&mut chunk)).await {
            let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
            all.extend_from_slice(bytes);
        }
        all
    }

    /// Whether the other side ends the connection (or has), without another byte.
    pub async fn is_ended(&mut self) -> bool {
        matches!(timeout(PATIENCE, self.0.read(&mut [0])).await, Ok(Ok(0) | Err(_)))
    }

    pub fn into_stream(self) -> BoxStream {
        self.0
    }
}

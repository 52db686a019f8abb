//! A receiver of datagrams, such as those of statsd.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(10);
const LONGEST: usize = 64 << 10;

/// Collects until it is dropped.
#[derive(Debug)]
pub struct Datagrams {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    receiver: AbortHandle,
}

impl Datagrams {
    pub async fn listen(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        let address = socket.local_addr()?;
        let received = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let sink = Arc::clone(&received);
        let receiver = tokio::spawn(async move {
            let mut buffer = vec![0; LONGEST];
            while let Ok(length) = socket.recv(&mut buffer).await {
                let datagram = buffer.get(..length).unwrap_or_default().to_vec();
                sink.lock().unwrap_or_else(PoisonError::into_inner).push(datagram);
            }
        });
        Ok(Self { address, received, receiver: receiver.abort_handle() })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All of them, as text, one after the other.
    pub fn text(&self) -> String {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.iter().map(|datagram| String::from_utf8_lossy(datagram)).collect::<Vec<_>>().join("\n")
    }

    /// The first line that the predicate accepts; panics when none comes.
    pub async fn wait_for_line(&self, predicate: impl Fn(&str) -> bool, within: Duration) -> String {
        let deadline = Instant::now() + within;
        loop {
            let text = self.text();
            if let Some(line) = text.lines().find(|line| predicate(line)) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "no such line within {within:?}; there are\n{text}");
            sleep(POLL).await;
        }
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

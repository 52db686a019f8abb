//! A tunnel through a proxy (`CONNECT`), in which whatever else can be spoken.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use local::stream::{BoxFuture, BoxStream, Dial, Plain};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::wire::{Wire, status};

/// Reaches a host through a proxy: the address that is dialed is the proxy's.
#[derive(Clone)]
pub struct Tunnel {
    target: String,
    below: Arc<dyn Dial>,
}

impl Tunnel {
    /// To `beta.svc:443`, for instance.
    pub fn to(target: &str) -> Self {
        Self { target: target.to_owned(), below: Arc::new(Plain) }
    }

    /// Reaches the proxy itself in this way.
    #[must_use]
    pub fn over(mut self, below: Arc<dyn Dial>) -> Self {
        self.below = below;
        self
    }

    /// The tunnel, or the status with which it was refused (0: no answer).
    pub async fn open(&self, proxy: SocketAddr) -> Result<Wire, u16> {
        let mut stream = self.below.dial(proxy).await.unwrap_or_else(|error| panic!("no proxy at {proxy}: {error}"));
        let request = format!("CONNECT {0} HTTP/1.1\r\nhost: {0}\r\n\r\n", self.target);
        drop(stream.write_all(request.as_bytes()).await);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return Err(0),
            }
        }
        match status(&head) {
            Some(200) => Ok(Wire::of(stream)),
            refused => Err(refused.unwrap_or(0)),
        }
    }
}

impl Dial for Tunnel {
    fn scheme(&self) -> &'static str {
        "http"
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move {
            let opened = self.open(address).await;
            let refused = |status| io::Error::other(format!("the tunnel was refused: {status}"));
            opened.map(Wire::into_stream).map_err(refused)
        })
    }
}

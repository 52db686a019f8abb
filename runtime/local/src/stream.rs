//! A connection whatever it is made of: TCP, or TLS on top of it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl fmt::Debug for dyn Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stream")
    }
}

pub type BoxStream = Box<dyn Stream>;
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a client reaches an address.
pub trait Dial: Send + Sync {
    /// What requests over such a connection are: `http` or `https`.
    fn scheme(&self) -> &'static str;

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<BoxStream>>;
}

/// What a server does with a connection before the first request.
pub trait Accept: Send + Sync {
    fn accept(&self, stream: TcpStream) -> BoxFuture<'_, io::Result<(BoxStream, Option<Encryption>)>>;
}

/// What the handshake of an encrypted connection told the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encryption {
    pub server_name: Option<String>,
    pub alpn: Option<String>,
    /// The caller's own certificate (DER).
    pub client_certificate: Option<Vec<u8>>,
}

/// TCP as it is.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Dial for Plain {
    fn scheme(&self) -> &'static str {
        "http"
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxStream)
        })
    }
}

impl Accept for Plain {
    fn accept(&self, stream: TcpStream) -> BoxFuture<'_, io::Result<(BoxStream, Option<Encryption>)>> {
        Box::pin(async move { Ok((Box::new(stream) as BoxStream, None)) })
    }
}

//! Reaching an address from an address of one's choice.

use std::io;
use std::net::{IpAddr, SocketAddr};

use local::stream::{BoxFuture, BoxStream, Dial};
use tokio::net::TcpSocket;

/// TCP from this address, such as another one of `127.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct From(pub IpAddr);

impl Dial for From {
    fn scheme(&self) -> &'static str {
        "http"
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move {
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.bind(SocketAddr::new(self.0, 0))?;
            let stream = socket.connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxStream)
        })
    }
}

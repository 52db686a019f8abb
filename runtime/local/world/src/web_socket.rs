//! A client of WebSocket.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use local::stream::{BoxStream, Dial, Plain};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::http::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message};

const PATIENCE: Duration = Duration::from_secs(15);

/// An open conversation, and the answer that opened it.
#[derive(Debug)]
pub struct WebSocket {
    socket: WebSocketStream<BoxStream>,
    /// `x-echo-service` names the workload.
    pub answer: Response<Option<Vec<u8>>>,
}

/// Asks for an upgrade; the error is the status of the refusal.
pub async fn open(address: SocketAddr, host: &str, path: &str) -> Result<WebSocket, u16> {
    open_with(&Plain, address, host, path, &[]).await
}

/// The same in another way, such as TLS, with headers of one's own.
pub async fn open_with(
    dialer: &dyn Dial,
    address: SocketAddr,
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocket, u16> {
    let stream = dialer.dial(address).await.unwrap_or_else(|error| panic!("no connection to {address}: {error}"));
    let mut request = Request::builder()
        .uri(format!("ws://{host}{path}"))
        .header("host", host)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).expect("a request");
    let opened = timeout(PATIENCE, tokio_tungstenite::client_async(request, stream)).await.expect("an answer in time");
    match opened {
        Ok((socket, answer)) => Ok(WebSocket { socket, answer }),
        Err(Error::Http(refused)) => Err(refused.status().as_u16()),
        Err(error) => panic!("the upgrade is neither accepted nor refused: {error}"),
    }
}

impl WebSocket {
    /// Sends a text and returns the next one that comes back.
    pub async fn echo(&mut self, text: &str) -> String {
        self.socket.send(Message::text(text)).await.expect("an open socket");
        let answer = timeout(PATIENCE, self.socket.next()).await.expect("an answer in time");
        let answer = answer.expect("an open socket").expect("a message");
        answer.into_text().expect("a text").as_str().to_owned()
    }

    /// The value of a header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name)?.to_str().ok()
    }
}

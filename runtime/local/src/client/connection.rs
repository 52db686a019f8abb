//! An open connection of the client, whichever HTTP it speaks.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinHandle;

use super::Version;
use crate::stream::BoxStream;

type Message = hyper::Request<Full<Bytes>>;
type Answer = hyper::Response<Incoming>;

#[derive(Debug)]
pub(super) struct Connection {
    sender: Sender,
    driver: JoinHandle<()>,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    pub(super) async fn open(stream: BoxStream, version: Version) -> hyper::Result<Self> {
        let stream = TokioIo::new(stream);
        // How the connection ended is told by the exchange that it interrupted.
        Ok(match version {
            Version::Http1 => {
                let (sender, driver) = http1::handshake(stream).await?;
                let driver = tokio::spawn(async move { drop(driver.await) });
                Self { sender: Sender::Http1(sender), driver }
            }
            Version::Http2 => {
                let (sender, driver) = http2::handshake(TokioExecutor::new(), stream).await?;
                let driver = tokio::spawn(async move { drop(driver.await) });
                Self { sender: Sender::Http2(sender), driver }
            }
        })
    }

    /// Whether it can still be used, once it is free.
    pub(super) async fn ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    pub(super) async fn send(&mut self, message: Message) -> hyper::Result<Answer> {
        match &mut self.sender {
            Sender::Http1(sender) => sender.send_request(message).await,
            Sender::Http2(sender) => sender.send_request(message).await,
        }
    }

    /// Gives the message back where it was never written.
    pub(super) async fn try_send(&mut self, message: Message) -> Result<Answer, TrySendError<Message>> {
        match &mut self.sender {
            Sender::Http1(sender) => sender.try_send_request(message).await,
            Sender::Http2(sender) => sender.try_send_request(message).await,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

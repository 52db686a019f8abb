//! HTTP/2 by hand, for clients that no library would be.

use std::net::SocketAddr;

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::PATIENCE;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RESET: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

pub(super) struct Raw {
    pub(super) stream: TcpStream,
}

impl Raw {
    /// Says what an HTTP/2 client says first.
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut raw = Self { stream };
        raw.frame(SETTINGS, 0, 0, &[]).await;
        raw
    }

    /// Whether the server still listens.
    pub(super) async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.stream.write_all(&frame(kind, flags, stream, payload)).await.is_ok()
    }

    /// Opens an ADS stream and says one gRPC message on it.
    pub(super) async fn ads(&mut self, stream: u32, path: &str, message: &[u8]) -> bool {
        self.frame(HEADERS, END_HEADERS, stream, &headers(path)).await
            && self.frame(DATA, 0, stream, &grpc(message)).await
    }

    /// The next frame of this type, past whatever else comes. Nothing when the server closes before.
    pub(super) async fn next(&mut self, kind: u8) -> Option<Vec<u8>> {
        let next = async {
            loop {
                let mut head = [0; 9];
                self.stream.read_exact(&mut head).await.ok()?;
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                let mut payload = vec![0; length];
                self.stream.read_exact(&mut payload).await.ok()?;
                if head[3] == kind {
                    return Some(payload);
                }
            }
        };
        timeout(PATIENCE, next).await.expect("the server answers or closes")
    }

    /// Until the server closes the connection.
    pub(super) async fn closed(mut self) {
        let mut rest = Vec::new();
        // An error is an end too.
        let _ = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("the server closes the connection");
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> BytesMut {
    let mut frame = BytesMut::with_capacity(9 + payload.len());
    frame.put_uint(payload.len() as u64, 3);
    frame.put_u8(kind);
    frame.put_u8(flags);
    frame.put_u32(stream);
    frame.extend_from_slice(payload);
    frame
}

/// The head of a gRPC request.
pub(super) fn headers(path: &str) -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "control-plane"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    fields.into_iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// A literal without indexing, without Huffman.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127);
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

pub(super) fn grpc(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0][..], &length, message].concat()
}

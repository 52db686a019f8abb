//! A conversation in bytes: who answers, then whatever was sent.

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::connection::Connection;
use super::record::Received;
use super::{Behaviour, Identity, State};
use crate::stream::BoxStream;

const CHUNK: usize = 16 << 10;

pub(super) async fn converse(mut stream: BoxStream, connection: &Connection, state: &State) {
    match state.conduct.take() {
        Behaviour::Hang => std::future::pending().await,
        Behaviour::Close => return connection.close(),
        Behaviour::Reset => return connection.reset(),
        Behaviour::Delay(delay) => tokio::time::sleep(delay).await,
        _ => {}
    }
    let greets_first = state.conduct.greets_first();
    if greets_first && stream.write_all(greeting(&state.identity).as_bytes()).await.is_err() {
        return;
    }
    let mut chunk = vec![0; CHUNK];
    let Ok(length) = stream.read(&mut chunk).await else { return };
    let first = Bytes::copy_from_slice(chunk.get(..length).unwrap_or_default());
    state.records.add(Received {
        protocol: "TCP".to_owned(),
        method: String::new(),
        path: String::new(),
        host: String::new(),
        headers: Vec::new(),
        body: first.clone(),
        peer: connection.peer,
        encryption: connection.encryption.clone(),
    });
    if first.is_empty() {
        return;
    }
    if !greets_first && stream.write_all(greeting(&state.identity).as_bytes()).await.is_err() {
        return;
    }
    if stream.write_all(&first).await.is_ok() {
        repeat(stream).await;
    }
}

/// Gives back what it receives, until the other side has said everything.
pub(super) async fn repeat(stream: impl AsyncRead + AsyncWrite) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    // A connection that breaks concerns its client only.
    if tokio::io::copy(&mut reader, &mut writer).await.is_ok() {
        drop(writer.shutdown().await);
    }
}

fn greeting(identity: &Identity) -> String {
    let node = identity.node.as_deref().unwrap_or("-");
    format!("{} {} {node}\n", identity.service, identity.endpoint)
}

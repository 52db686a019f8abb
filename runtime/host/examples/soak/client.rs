//! Sends bytes, and reads how they are answered.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// The last answer of a connection.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The response code's details, if the answer is not the upstream's.
    pub(crate) details: Option<String>,
}

/// What is sent.
pub(crate) struct Bytes {
    pub(crate) bytes: Vec<u8>,
    /// How many answers there should be; none for a client that goes away.
    pub(crate) answers: usize,
}

/// Sends a request, or several. None if it is not answered, which is how Envoy meets some bytes.
pub(crate) fn send(listener: SocketAddr, request: &Bytes) -> Option<Answer> {
    let mut connection = TcpStream::connect_timeout(&listener, Duration::from_secs(5)).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(6))).ok()?;
    connection.write_all(&request.bytes).ok()?;
    if request.answers == 0 {
        drop(connection.shutdown(Shutdown::Both));
        return None;
    }
    let mut connection = BufReader::new(connection);
    let mut last = None;
    for _ in 0..request.answers {
        match receive(&mut connection) {
            Some(answer) => last = Some(answer),
            None => break,
        }
    }
    last
}

fn receive(connection: &mut BufReader<TcpStream>) -> Option<Answer> {
    let mut answer = Answer { status: 0, details: None };
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if connection.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_ascii_lowercase();
        if answer.status == 0 {
            answer.status = text.split(' ').nth(1)?.parse().ok()?;
        } else if text.is_empty() {
            break;
        } else if let Some(details) = text.strip_prefix("x-details: ") {
            answer.details = Some(details.to_owned());
        } else if let Some(value) = text.strip_prefix("content-length: ") {
            length = value.parse().ok();
        }
    }
    let mut body = Vec::new();
    connection.take(length.unwrap_or(u64::MAX)).read_to_end(&mut body).ok()?;
    Some(answer)
}

//! HTTP/1.1 by hand, so that tests can send what no client would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use policy::Header;

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| value.as_slice())
    }
}

/// The bytes of a request without a body.
pub(crate) fn request(headers: &[Header]) -> Vec<u8> {
    request_with(headers, b"")
}

/// The bytes of a request. A body that no header says the length of has a `content-length`.
pub(crate) fn request_with(headers: &[Header], body: &[u8]) -> Vec<u8> {
    let pseudo = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| value.as_slice()).expect("every request has the pseudo headers")
    };
    let mut bytes = [pseudo(":method"), b" ", pseudo(":path"), b" HTTP/1.1\r\nhost: "].concat();
    bytes.extend(pseudo(":authority"));
    bytes.extend(b"\r\nconnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(b":")) {
        bytes.extend([name, b": ".as_slice(), value, b"\r\n"].concat());
    }
    let is_framed = headers.iter().any(|(name, _)| {
        name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding")
    });
    if !body.is_empty() && !is_framed {
        bytes.extend(format!("content-length: {}\r\n", body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// The same from another client: as a proxy in front of the listener would pass it on.
pub(crate) fn proxied(client: SocketAddr, request: &[u8]) -> Vec<u8> {
    let (kind, to) = if client.is_ipv4() { ("TCP4", "127.0.0.1") } else { ("TCP6", "::1") };
    let head = format!("PROXY {kind} {} {to} {} 80\r\n", client.ip(), client.port());
    [head.as_bytes(), request].concat()
}

pub(crate) fn send(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut connection = TcpStream::connect(address).expect("the listener accepts");
    connection.set_read_timeout(Some(Duration::from_secs(20))).expect("a valid time");
    connection.write_all(request).expect("the listener reads");
    connection
}

/// Reads one response: as long as it says, or to the end of the connection.
pub(crate) fn receive(connection: TcpStream) -> Response {
    let mut connection = BufReader::new(connection);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let read = connection.read_until(b'\n', &mut head).expect("a response in time");
        assert!(read > 0, "the connection ends in a response's head: `{}`", head.escape_ascii());
    }
    let (status_line, headers) = split(&head, b"\r\n").expect("a response has a status line");
    let status = status_line.split(|byte| *byte == b' ').nth(1).expect("a status line");
    let status = String::from_utf8_lossy(status).parse().expect("a status");
    let mut response = Response { status, headers: read_headers(headers), body: Vec::new() };
    let length = response.header("content-length").map(String::from_utf8_lossy);
    let length = length.map_or(u64::MAX, |length| length.parse().expect("a length"));
    // The answer to HEAD has the length of a body, and none.
    connection.take(length).read_to_end(&mut response.body).expect("a body in time");
    response
}

pub(crate) fn read_headers(head: &[u8]) -> Vec<Header> {
    let lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let read = |line: &[u8]| {
        let (name, value) = split(line, b":")?;
        Some((name.to_ascii_lowercase(), value.trim_ascii().to_vec()))
    };
    lines.filter_map(read).collect()
}

pub(crate) fn split<'b>(bytes: &'b [u8], separator: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let place = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..place], &bytes[place + separator.len()..]))
}

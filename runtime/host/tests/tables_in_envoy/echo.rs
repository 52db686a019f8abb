//! An upstream that answers with the request it got, in the header `x-echo`.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use policy::Header;

use crate::wire;

/// Serves until the test's process ends.
pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || serve(connection));
        }
    });
    address
}

/// The headers of the request that the upstream got, in Envoy's form.
pub(crate) fn read(echoed: &[u8]) -> Vec<Header> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("hexadecimal digits") as u8;
    let head: Vec<u8> = echoed.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    let (request_line, headers) = wire::split(&head, b"\r\n").expect("a request line");
    let mut parts = request_line.split(|byte| *byte == b' ');
    let (method, path) = (parts.next().expect("a method"), parts.next().expect("a path"));
    let mut all = vec![(b":method".to_vec(), method.to_vec()), (b":path".to_vec(), path.to_vec())];
    for (name, value) in wire::read_headers(headers) {
        let name = if name == b"host" { b":authority".to_vec() } else { name };
        all.push((name, value));
    }
    all
}

/// Answers the requests of one connection; none has a body.
fn serve(connection: TcpStream) {
    let Ok(mut answers) = connection.try_clone() else { return };
    let mut requests = BufReader::new(connection);
    let mut head = Vec::new();
    while let Ok(1..) = requests.read_until(b'\n', &mut head) {
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let hex: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-echo: {hex}\r\n\r\n");
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
        head.clear();
    }
}

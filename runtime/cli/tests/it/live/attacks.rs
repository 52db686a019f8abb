//! Ambiguous requests: what filters and routes compare is what the application sees.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Live;

const MESH: &str = r#"
    service "beta.svc" {
        endpoint "10.0.0.1:3000"
        route path-prefix="/admin" { to "admin.svc" }
    }
    service "admin.svc" { endpoint "10.0.0.2:3000" }
    node "beta" serves="beta.svc"
    node "admin" serves="admin.svc"
    gateway "front" listen=8080 { calls "beta.svc" }
"#;

/// The answer's status and text to bytes that no careful client would send.
fn raw(address: SocketAddr, head: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(head).unwrap();
    let mut answer = Vec::new();
    // Envoy closes: every request below asks it to, or is refused.
    drop(stream.read_to_end(&mut answer));
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text)
}

#[tokio::test]
async fn no_spelling_of_a_path_slips_past_its_route() {
    let live = Live::up(MESH).await;
    let address = live.started.running.instance("front").unwrap().instance().entrance();
    for path in [
        "/admin",
        "//admin",
        "/./admin",
        "/x/../admin",
        "/%61dmin",
        "/x/%2e%2e/admin",
        "/a\\..\\admin",
        "/%2fadmin",
        "/x%5c..%5cadmin",
        "/ADMIN/../admin",
    ] {
        let head = format!("GET {path} HTTP/1.1\r\nhost: beta.svc\r\nconnection: close\r\n\r\n");
        let (status, text) = tokio::task::spawn_blocking(move || raw(address, head.as_bytes())).await.unwrap();
        let at_admin = status == 200 && text.contains("\"service\":\"admin.svc\"");
        assert!(at_admin || (400..500).contains(&status), "{path}: {status} {text}");
    }
}

#[tokio::test]
async fn malformed_heads_are_refused_and_the_gateway_lives() {
    let live = Live::up(MESH).await;
    let address = live.started.running.instance("front").unwrap().instance().entrance();
    for (what, lines) in [
        ("two hosts", "host: beta.svc\r\nhost: admin.svc\r\n"),
        ("underscore", "host: beta.svc\r\nx_canary: on\r\n"),
        ("space before the colon", "host : beta.svc\r\n"),
        ("two lengths", "host: beta.svc\r\ncontent-length: 1\r\ncontent-length: 2\r\n"),
        ("length and chunks", "host: beta.svc\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n"),
        ("nul", "host: beta.svc\r\nx: a\0b\r\n"),
        ("no host", "x: y\r\n"),
    ] {
        let head = format!("GET / HTTP/1.1\r\n{lines}connection: close\r\n\r\n");
        let (status, text) = tokio::task::spawn_blocking(move || raw(address, head.as_bytes())).await.unwrap();
        assert!((400..500).contains(&status), "{what}: {status} {text}");
    }
    let bytes =
        b"GET / HTTP/1.1\r\nhost: beta.svc\r\nx-canary: \xff\xfe\r\nauthorization: \xff\r\nconnection: close\r\n\r\n";
    let (status, text) = tokio::task::spawn_blocking(move || raw(address, bytes)).await.unwrap();
    assert_eq!(status, 200, "bytes that are no text are only bytes: {text}");
}

//! No spelling of a request goes where the policy for the outside does not allow it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use local::stream::{Dial, Plain};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::timeout;
use world::wire::{self, Wire};
use world::{From, Outside, Serves, namespace};

use super::Live;

const PATIENCE: Duration = Duration::from_secs(1);

/// Heads that name a host that is listed, and mean another one. GOOD and BAD have their ports.
const HEADS: &[&str] = &[
    "GET http://BAD/ HTTP/1.1\r\nhost: GOOD\r\n",
    "GET http://GOOD@BAD/ HTTP/1.1\r\nhost: GOOD\r\n",
    "GET http://BAD#GOOD/ HTTP/1.1\r\nhost: GOOD\r\n",
    "GET http://BAD?GOOD/ HTTP/1.1\r\nhost: GOOD\r\n",
    "GET http://BAD\\@GOOD/ HTTP/1.1\r\nhost: GOOD\r\n",
    "GET //BAD/ HTTP/1.1\r\nhost: BAD\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD\r\nhost: BAD\r\n",
    "GET / HTTP/1.1\r\nhost: BAD\r\nhost: GOOD\r\n",
    "GET / HTTP/1.1\r\nhost: BAD,GOOD\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD,BAD\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD@BAD\r\n",
    "GET / HTTP/1.1\r\nhost: BAD/GOOD\r\n",
    "GET / HTTP/1.1\r\nhost: BAD#GOOD\r\n",
    "GET / HTTP/1.1\r\nhost: BAD?.wild.example:8080\r\n",
    "GET / HTTP/1.1\r\nhost: BAD#.wild.example:8080\r\n",
    "GET / HTTP/1.1\r\nhost: BAD/.wild.example:8080\r\n",
    "GET / HTTP/1.1\r\nhost: BAD\\.wild.example:8080\r\n",
    "GET / HTTP/1.1\r\nhost: BAD%00.wild.example:8080\r\n",
    "GET / HTTP/1.1\r\nhost: BAD%23.wild.example:8080\r\n",
    "GET / HTTP/1.1\r\nhost: x@BAD:80@.wild.example:8080\r\n",
    "GET / HTTP/1.1\r\nhost: OTHER.\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD\r\nx-forwarded-host: BAD\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD\r\nx-envoy-original-host: BAD\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD\r\nx-envoy-original-dst-host: BADADDRESS\r\n",
    "GET / HTTP/1.1\r\nhost: a.wild.example:8080\r\nx-envoy-original-dst-host: BADADDRESS\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD\r\n:authority: BAD\r\n",
    "GET / HTTP/1.1\r\nhost: GOOD:8080\r\n",
    "CONNECT BAD HTTP/1.1\r\nhost: GOOD\r\n",
    "CONNECT GOOD HTTP/1.1\r\nhost: BAD\r\n",
    "CONNECT GOOD@BAD HTTP/1.1\r\nhost: GOOD\r\n",
    "CONNECT http://BAD HTTP/1.1\r\nhost: GOOD\r\n",
];

/// Everything that comes back until the connection ends, or nothing more comes.
async fn answer(dial: &dyn Dial, address: SocketAddr, head: &str) -> Vec<u8> {
    let mut stream = Wire::over(dial, address).await.into_stream();
    drop(stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await);
    let (mut answer, mut chunk) = (Vec::new(), [0; 16 << 10]);
    while let Ok(Ok(length @ 1..)) = timeout(PATIENCE, stream.read(&mut chunk)).await {
        answer.extend_from_slice(&chunk[..length]);
    }
    answer
}

/// To all of them, several at a time.
async fn answers(
    dial: impl Dial + Copy + 'static,
    address: SocketAddr,
    heads: impl IntoIterator<Item = String>,
) -> Vec<(String, Vec<u8>)> {
    let mut asked = JoinSet::new();
    for head in heads {
        asked.spawn(async move { (head.clone(), answer(&dial, address, &head).await) });
    }
    asked.join_all().await
}

/// What is listed, what is not, and who is attacked. Answers with the address of what is not.
async fn outside() -> (Outside, SocketAddr) {
    let mut outside = Outside::new().await;
    for name in ["api.example:8080", "a.wild.example:8080"] {
        outside.add(name, Serves::Http).await;
    }
    let bad = outside.add("other.example:8080", Serves::Http).await;
    (outside, bad)
}

fn mesh(of_alpha: &str) -> String {
    format!(
        r#"
        service "beta.svc" {{ endpoint "10.0.0.1:3000"; }}
        node "beta" serves="beta.svc"
        node "alpha" {{
            calls "beta.svc"
            {of_alpha}
            egress "listed" {{ host "api.example" port=8080; host "*.wild.example" port=8080; }}
        }}
        "#
    )
}

async fn fail(live: &Live, bad: SocketAddr, dial: impl Dial + Copy + 'static, address: SocketAddr) {
    let said = |head: &str| {
        let head = head.replace("BADADDRESS", &bad.to_string()).replace("BAD", "other.example:8080");
        head.replace("OTHER", "other.example:8080").replace("GOOD", "api.example:8080")
    };
    for good in ["GET / HTTP/1.1\r\nhost: GOOD\r\n", "GET / HTTP/1.1\r\nhost: a.wild.example:8080\r\n"] {
        assert_eq!(wire::status(&answer(&dial, address, &said(good)).await), Some(200), "{good}");
    }
    for (head, answer) in answers(dial, address, HEADS.iter().map(|head| said(head))).await {
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains("\"service\":\"other.example\""), "{head}: {text}");
    }
    assert_eq!(live.outside().echo("other.example:8080").connection_count(), 0);
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 0);
}

#[tokio::test]
async fn what_is_not_listed_is_never_dialled() {
    let (outside, bad) = outside().await;
    let live = Live::of(&mesh("")).outside(outside).up().await;
    fail(&live, bad, Plain, live.at("alpha", 4000)).await;
}

#[test]
fn nor_is_it_where_connections_are_taken() {
    if !namespace::enter("live::egress_attacks::nor_is_it_where_connections_are_taken") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (outside, bad) = outside().await;
        let live = Live::of(&mesh("transparent-proxy")).outside(outside).intercepted().up().await;
        let alpha = From(live.at("alpha", 15001).ip());
        fail(&live, bad, alpha, "10.3.3.3:8080".parse().unwrap()).await;
        // Who dials the right address must say a name that is listed all the same.
        let head = "GET / HTTP/1.1\r\nhost: other.example:8080\r\n";
        assert_eq!(wire::status(&answer(&alpha, bad, head).await), Some(404));
        assert_eq!(live.outside().echo("other.example:8080").connection_count(), 0);
    });
}

/// An IPv4 address in every way in which somebody might read one.
fn spellings(address: IpAddr) -> Vec<String> {
    let IpAddr::V4(four) = address else { panic!("{address} is not IPv4") };
    let [a, b, c, d] = four.octets();
    let whole = u32::from(four);
    let mapped = four.to_ipv6_mapped();
    vec![
        format!("{whole}"),
        format!("0x{whole:x}"),
        format!("0{whole:o}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("{a}.{b}.{}", u32::from(c) << 8 | u32::from(d)),
        format!("{a}.{}", whole & 0xff_ffff),
        format!("{a:03}.{b:03}.{c:03}.{d:03}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{a}%2e{b}%2e{c}%2e{d}"),
        format!("x@{a}.{b}.{c}.{d}"),
        format!("[{mapped}]"),
        format!("[0:0:0:0:0:ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]"),
        format!("[::{a}.{b}.{c}.{d}]"),
        format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
        format!("[{mapped}%25lo]"),
        format!("[{mapped}%lo]"),
    ]
}

#[tokio::test]
async fn the_sidecars_own_ports_stay_closed_however_they_are_spelled() {
    let mut outside = Outside::new().await;
    outside.add("api.example:8080", Serves::Http).await;
    let live = Live::of(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000"; }
        node "beta" serves="beta.svc"
        node "alpha" {
            calls "beta.svc"
            // meshwright: allow open-egress: that is what is tested
            egress "allow-all"
        }
        "#,
    )
    .outside(outside)
    .up()
    .await;
    let proxy = live.at("alpha", 4000);
    for good in ["GET http://api.example:8080/ HTTP/1.1", "CONNECT api.example:8080 HTTP/1.1"] {
        let answer = answer(&Plain, proxy, &format!("{good}\r\nhost: api.example:8080\r\n")).await;
        assert_eq!(wire::status(&answer), Some(200), "{good}");
    }
    let hosts = spellings(proxy.ip()).into_iter().chain(["localhost".to_owned(), "LOCALHOST.".to_owned()]);
    let heads = hosts.flat_map(|host| {
        [
            format!("GET http://{host}:9901/stats HTTP/1.1\r\nhost: {host}:9901\r\n"),
            format!("GET /stats HTTP/1.1\r\nhost: {host}:9901\r\n"),
            format!("CONNECT {host}:9901 HTTP/1.1\r\nhost: {host}:9901\r\n"),
        ]
    });
    for (head, answer) in answers(Plain, proxy, heads).await {
        assert_ne!(wire::status(&answer), Some(200), "{head}: {}", String::from_utf8_lossy(&answer));
    }
}

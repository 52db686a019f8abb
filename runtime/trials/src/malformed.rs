//! A12: connections that are no clients, as many of each kind as asked; a client beside them must notice nothing.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use compiler::snapshot::ResourceKind;
use envoy::config::core::v3::Node;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::DiscoveryRequest;
use local::EnvoyBinary;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::{Verdict, connect, raw, subscribe};
use crate::control::Control;
use crate::mesh::edge;
use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection is listened to after it has said its nonsense.
const LISTENS: Duration = Duration::from_millis(200);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const MANY: usize = 100_000;

#[derive(Clone, Debug)]
pub struct Borne {
    pub kinds: usize,
    pub connections: usize,
    /// What was told to the client beside them after all.
    pub told: Duration,
}

pub async fn malformed(binary: &EnvoyBinary, of_each: usize) -> anyhow::Result<Borne> {
    let stage = Stage::set(binary, 2).await?;
    let server = stage.server(0)?;
    let control = Control::start(server, stage.state(0)?.published.clone()).await?;
    let clusters = ResourceKind::Cluster.type_url();
    let mut witness = subscribe(connect(server).await?, &format!("{}~witness", edge(0)), clusters).await?;
    let first = timeout(PATIENCE, witness.next()).await??;
    witness.answer(&first, Verdict::Takes, "").await?;
    let mut connections = 0;
    let (bytes, requests) = (bytes(), requests());
    for _ in 0..of_each {
        let mut at_once = JoinSet::new();
        for nonsense in bytes.clone() {
            // How the server takes leave is its own affair.
            at_once.spawn(async move { drop(timeout(PATIENCE, say(server, &nonsense)).await) });
        }
        for said in requests.clone() {
            at_once.spawn(async move { drop(timeout(PATIENCE, ask(server, said)).await) });
        }
        connections += at_once.len();
        at_once.join_all().await;
    }
    let published = tokio::time::Instant::now();
    control.publish(stage.state(1)?.published.clone());
    let next = timeout(PATIENCE, witness.next()).await.context("the client beside them is told nothing")?;
    next.context("the client beside them was cut off")?;
    let told = published.elapsed();
    control.stop().await;
    Ok(Borne { kinds: bytes.len() + requests.len(), connections, told })
}

/// Connections that speak no gRPC.
fn bytes() -> Vec<Vec<u8>> {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let [.., high, middle, low] = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
        let head = [high, middle, low, kind, flags, 0, 0, 0, stream];
        head.iter().chain(payload).copied().collect::<Vec<u8>>()
    };
    let http2 = |frames: Vec<Vec<u8>>| {
        let all = [PREFACE.to_vec(), EMPTY_SETTINGS.to_vec()].into_iter().chain(frames);
        all.flatten().collect::<Vec<u8>>()
    };
    let resets =
        || (0..127).flat_map(|index| [frame(1, 4, index * 2 + 1, &[0x82]), frame(3, 0, index * 2 + 1, &[0, 0, 0, 8])]);
    vec![
        Vec::new(),
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        vec![0xff; 4096],
        PREFACE[..10].to_vec(),
        PREFACE.to_vec(),
        http2(Vec::new()),
        // Half a frame; one of 16 MB; one that nobody knows.
        http2(vec![vec![0, 0, 64, 1]]),
        http2(vec![vec![0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]]),
        http2(vec![frame(0x77, 0xff, 3, &[1, 2, 3])]),
        // Headers that never end; streams that are reset as soon as they begin; data of no stream.
        http2(std::iter::once(frame(1, 0, 1, &[0x82])).chain((0..2000).map(|_| frame(9, 0, 1, &[0; 64]))).collect()),
        http2(resets().collect()),
        http2(vec![frame(0, 0, 1, &[0; 64])]),
        http2((0..2000).map(|_| frame(6, 0, 0, &[0; 8])).collect()),
        http2((0..2000).map(|_| EMPTY_SETTINGS.to_vec()).collect()),
    ]
}

/// Requests that no client of ours would send, several on one stream.
fn requests() -> Vec<Vec<DiscoveryRequest>> {
    let node = |id: String| Some(Node { id, ..Node::default() });
    let own = || node(format!("{}~malformed", edge(0)));
    let clusters = || ResourceKind::Cluster.type_url();
    let base = || DiscoveryRequest { node: own(), type_url: clusters(), ..DiscoveryRequest::default() };
    vec![
        vec![DiscoveryRequest::default()],
        vec![DiscoveryRequest { node: None, ..base() }],
        vec![DiscoveryRequest { node: node("x".repeat(1 << 20)), ..base() }],
        vec![DiscoveryRequest { node: node(String::new()), ..base() }],
        vec![DiscoveryRequest { node: node("\u{0}~~\u{202e}/../".to_owned()), ..base() }],
        vec![DiscoveryRequest { type_url: String::new(), ..base() }],
        vec![DiscoveryRequest { type_url: "type.googleapis.com/nobody.knows.It".to_owned(), ..base() }],
        vec![DiscoveryRequest { type_url: "x".repeat(1 << 20), ..base() }],
        vec![DiscoveryRequest { resource_names: (0..MANY).map(|index| index.to_string()).collect(), ..base() }],
        vec![DiscoveryRequest { resource_names: vec!["*".to_owned(), "a".to_owned(), "a".to_owned()], ..base() }],
        vec![DiscoveryRequest { response_nonce: "never given".to_owned(), ..base() }],
        vec![DiscoveryRequest { error_detail: Some(Status::default()), ..base() }],
        vec![base(), DiscoveryRequest { node: node("edge-0~another".to_owned()), ..base() }],
        vec![DiscoveryRequest { resource_names: vec!["x".repeat(16 << 20)], ..base() }],
        (0..1000).map(|_| base()).collect(),
    ]
}

async fn say(server: SocketAddr, bytes: &[u8]) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(bytes).await?;
    let mut answer = Vec::new();
    drop(timeout(LISTENS, stream.read_to_end(&mut answer)).await);
    Ok(())
}

async fn ask(server: SocketAddr, requests: Vec<DiscoveryRequest>) -> anyhow::Result<()> {
    let mut stream = raw(connect(server).await?, requests).await?;
    let deadline = sleep(LISTENS);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            next = stream.next() => drop(next?),
            () = &mut deadline => return Ok(()),
        }
    }
}

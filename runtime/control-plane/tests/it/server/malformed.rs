//! Whatever a client sends, the server answers with the right status, lives on, and others notice nothing (A10, A12).

use std::time::Duration;

use envoy::google::rpc;
use envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use meshwright_control_plane::server::Options;
use meshwright_control_plane::{Limits, Published};
use prost::Message;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tonic::Code;

use super::harness::{Server, clusters, eventually, local, start, start_with};
use super::raw::{self, Raw};
use crate::client::{self, CLUSTER, DELTA, SOTW, Sotw, named};

const ENDPOINTS: &str = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";

/// A stream that must not notice what others do.
struct Witness {
    stream: Sotw,
    version: usize,
    _channel: tonic::transport::Channel,
}

impl Witness {
    async fn of(server: &Server) -> Self {
        let channel = server.channel().await;
        let mut stream = client::sotw(&channel).await.unwrap();
        stream.subscribe("witness", CLUSTER);
        let response = stream.hear().await;
        stream.acknowledge(&response);
        Self { stream, version: 0, _channel: channel }
    }

    /// A publication still reaches it.
    async fn lives(&mut self, server: &Server) {
        self.version += 1;
        server.publish(mesh(self.version));
        let response = self.stream.hear().await;
        self.stream.acknowledge(&response);
    }
}

fn mesh(version: usize) -> Published {
    clusters(&["web", "witness"], &["a", "b"], &version.to_string())
}

/// How a stream on which this is said ends.
async fn ends(server: &Server, said: Vec<DiscoveryRequest>) -> (Code, String) {
    let channel = server.channel().await;
    let stream = client::sotw(&channel).await.unwrap();
    for request in said {
        stream.say(request);
    }
    let status = stream.end().await;
    (status.code(), status.message().to_owned())
}

fn request(node: Option<&str>, type_url: &str) -> DiscoveryRequest {
    DiscoveryRequest { node: node.map(named), type_url: type_url.into(), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_01_the_node_is_said_once_remembered_and_never_changed() {
    let server = start(mesh(0)).await;
    let channel = server.channel().await;
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.say(request(Some("web~1"), CLUSTER));
    let response = stream.hear().await;
    // No node from here on, not for another type either.
    stream.acknowledge(&response);
    const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
    stream.say(request(None, LISTENER));
    let listeners = stream.hear().await;
    assert_eq!(listeners.type_url, LISTENER);
    stream.acknowledge(&listeners);
    server.publish(mesh(1));
    let response = stream.hear().await;
    assert_eq!(response.type_url, CLUSTER);
    // The same again is borne.
    stream.say(DiscoveryRequest { node: Some(named("web~1")), ..request(None, ENDPOINTS) });
    stream.acknowledge(&response);
    server.publish(mesh(2));
    stream.hear().await;
    let without = vec![request(None, CLUSTER)];
    assert_eq!(ends(&server, without).await.0, Code::InvalidArgument);
    let changed = vec![request(Some("web~1"), CLUSTER), request(Some("web~2"), CLUSTER)];
    assert_eq!(ends(&server, changed).await.0, Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_break_the_protocol_end_their_stream_with_its_status() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let long = "x".repeat(1 << 20);
    let cases = [
        (vec![DiscoveryRequest::default()], "the first request of a stream must say which node it is for"),
        (vec![request(None, CLUSTER)], "the first request of a stream must say which node it is for"),
        (vec![request(Some(""), CLUSTER)], "the node has no id"),
        (vec![request(Some(&long), CLUSTER)], "the node's id is longer than 1024 bytes"),
        (vec![request(Some("web\n"), CLUSTER)], "the node's id holds control characters"),
        (vec![request(Some("~web"), CLUSTER)], "the node's id names no proxy before the `~`"),
        (
            vec![request(Some("web"), CLUSTER), request(Some("witness"), CLUSTER)],
            "a stream is for the node of its first request, and this is another",
        ),
    ];
    for (said, message) in cases {
        assert_eq!(ends(&server, said).await, (Code::InvalidArgument, message.to_owned()));
        witness.lives(&server).await;
    }
    assert_eq!(server.registry.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_request_end_their_stream() {
    #[derive(Clone, PartialEq, Message)]
    struct Junk {
        #[prost(bytes, tag = "1")]
        version_info: Vec<u8>,
    }
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let channel = server.channel().await;
    for path in [SOTW, DELTA] {
        let stream: client::Stream<Junk, DiscoveryResponse> = client::open(&channel, path).await.unwrap();
        // Not UTF-8 where a text must be (in both variants field 1 is or holds one).
        stream.say(Junk { version_info: vec![0xff; 10] });
        assert_eq!(stream.end().await.code(), Code::InvalidArgument);
        let stream: client::Stream<Junk, DiscoveryResponse> = client::open(&channel, path).await.unwrap();
        stream.say(Junk { version_info: vec![b'x'; 16 << 20] });
        assert_eq!(stream.end().await.code(), Code::ResourceExhausted);
        witness.lives(&server).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_are_borne_and_the_stream_goes_on() {
    let server = start(mesh(0)).await;
    let channel = server.channel().await;
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.say(request(Some("web"), "type.googleapis.com/no.such.Type"));
    stream.say(DiscoveryRequest { response_nonce: "none of ours".into(), ..request(None, ENDPOINTS) });
    let error = Some(rpc::Status { message: "out of nowhere".into(), ..Default::default() });
    stream.say(DiscoveryRequest { error_detail: error, ..request(None, ENDPOINTS) });
    let twice = ["a", "a", "*", "a"].map(str::to_owned).to_vec();
    stream.say(DiscoveryRequest { resource_names: twice, ..request(None, ENDPOINTS) });
    stream.subscribe("web", CLUSTER);
    let response = stream.hear().await;
    assert_eq!((response.type_url.as_str(), response.resources.len()), (CLUSTER, 2));
    // A nonce of one type on a request of another.
    stream.say(DiscoveryRequest { response_nonce: response.nonce.clone(), ..request(None, ENDPOINTS) });
    stream.acknowledge(&response);
    server.publish(mesh(1));
    assert_eq!(stream.hear().await.type_url, CLUSTER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_names_are_borne_and_more_are_refused() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let names = |many: usize| (0..many).map(|name| format!("n{name}")).collect::<Vec<_>>();
    let many = |many| DiscoveryRequest { resource_names: names(many), ..request(Some("web"), ENDPOINTS) };
    let channel = server.channel().await;
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.say(many(100_000));
    stream.subscribe("web", CLUSTER);
    assert_eq!(stream.hear().await.type_url, CLUSTER);
    assert_eq!(ends(&server, vec![many(100_001)]).await.0, Code::ResourceExhausted);
    witness.lives(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_services_and_methods_are_unimplemented() {
    let server = start(mesh(0)).await;
    let channel = server.channel().await;
    for path in [
        "/envoy.service.discovery.v3.ClusterDiscoveryService/StreamClusters",
        "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats",
        "/envoy.service.discovery.v3.AggregatedDiscoveryService/NoSuchMethod",
        "/",
    ] {
        let opened: Result<Sotw, _> = client::open(&channel, path).await;
        assert_eq!(opened.err().map(|status| status.code()), Some(Code::Unimplemented), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http2_is_closed() {
    let limits = Limits { first_request: Duration::from_millis(500), ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let tls_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    let half_frame = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &raw::frame(raw::SETTINGS, 0, 0, &[])[..], b"\0\0"].concat();
    let unfinished_head = [&half_frame[..half_frame.len() - 2], &raw::frame(raw::HEADERS, 0, 1, &[])].concat();
    for bytes in [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"PRI * HTT".to_vec(),
        b"".to_vec(),
        noise,
        tls_hello,
        half_frame,
        unfinished_head,
    ] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        Raw { stream }.closed().await;
    }
    witness.lives(&server).await;
    eventually("only the witness is connected", || server.metric("connections") == 1.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_message_ends_its_stream_when_the_client_says_no_more() {
    let server = start(mesh(0)).await;
    let mut client = Raw::connect(server.address()).await;
    client.frame(raw::HEADERS, raw::END_HEADERS, 1, &raw::headers(SOTW)).await;
    client.frame(raw::DATA, raw::END_STREAM, 1, b"\0\0\0\0\x64half").await;
    // The head of the response, then its trailers.
    client.next(raw::HEADERS).await.unwrap();
    client.next(raw::HEADERS).await.unwrap();
    eventually("it is counted", || server.metric("streams_refused_total{reason=\"request\"}") == 1.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_continuations_closes_its_connection() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let mut client = Raw::connect(server.address()).await;
    client.frame(raw::HEADERS, 0, 1, &raw::headers(SOTW)).await;
    let fields: Vec<u8> = (0..100).flat_map(|n| raw::field(&format!("x-{n}"), &"y".repeat(100))).collect();
    let mut sent = 0;
    while client.frame(raw::CONTINUATION, 0, 1, &fields).await {
        sent += fields.len();
        assert!(sent < 256 << 20, "the server reads for ever");
    }
    client.closed().await;
    witness.lives(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_resets_closes_its_connection() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let mut client = Raw::connect(server.address()).await;
    let subscribe = request(Some("web"), CLUSTER).encode_to_vec();
    for number in 0..100_000_u32 {
        let stream = 2 * number + 1;
        assert!(number < 99_999, "the server bears resets for ever");
        if !client.ads(stream, SOTW, &subscribe).await {
            break;
        }
        if !client.frame(raw::RESET, 0, stream, &8_u32.to_be_bytes()).await {
            break;
        }
    }
    client.closed().await;
    witness.lives(&server).await;
    eventually("only the witness is served", || server.registry.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_on_one_connection_are_sixteen() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let mut client = Raw::connect(server.address()).await;
    let subscribe = request(Some("web"), CLUSTER).encode_to_vec();
    let mut most = 0;
    for number in 0..10_000_u32 {
        if !client.ads(2 * number + 1, SOTW, &subscribe).await {
            break;
        }
        most = most.max(server.registry.len());
    }
    most = most.max(server.registry.len());
    assert!(most <= 17, "{most} streams");
    witness.lives(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_pings_and_settings_take_nothing_from_others() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let mut client = Raw::connect(server.address()).await;
    for _ in 0..20_000 {
        if !client.frame(raw::PING, 0, 0, &[7; 8]).await || !client.frame(raw::SETTINGS, 0, 0, &[]).await {
            break;
        }
    }
    witness.lives(&server).await;
}

/// A10.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_never_read_are_ended_and_cost_the_same_however_much_changes() {
    let limits = Limits { send: Duration::from_secs(1), streams_per_second: 1_000, ..Limits::default() };
    let server = start_with(Options { limits, ..local() }, mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let names: Vec<String> = (0..200).map(|name| format!("cluster-{name}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let large = |version: usize| clusters(&["web", "witness"], &names, &format!("{version:01000}"));
    server.publish(large(0));
    let response = witness.stream.hear().await;
    witness.stream.acknowledge(&response);
    let subscribe = request(Some("web"), CLUSTER).encode_to_vec();
    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut client = Raw::connect(server.address()).await;
        client.ads(1, SOTW, &subscribe).await;
        silent.push(client);
    }
    eventually("all are served", || server.metric("streams{variant=\"sotw\"}") == 201.0).await;
    let before = server.metric("push_bytes_total{type=\"cds\"}");
    for version in 1..=100 {
        server.publish(large(version));
        tokio::task::yield_now().await;
    }
    let pushed = server.metric("push_bytes_total{type=\"cds\"}") - before;
    // Each has one response on its way at most, whatever was published.
    assert!(pushed <= 220_000.0 * 202.0, "{pushed} bytes");
    eventually("all that do not read are ended", || server.metric("streams_ended_total{reason=\"stalled\"}") == 200.0)
        .await;
    assert_eq!(server.registry.len(), 1);
    server.publish(mesh(101));
    loop {
        let response = witness.stream.hear().await;
        witness.stream.acknowledge(&response);
        if response.resources.len() == 2 {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_head_is_refused() {
    let server = start(mesh(0)).await;
    let mut client = Raw::connect(server.address()).await;
    let many: Vec<u8> = (0..150).flat_map(|n| raw::field(&format!("x-{n}"), &"y".repeat(90))).collect();
    let head = [raw::headers(SOTW), many].concat();
    client.frame(raw::HEADERS, raw::END_HEADERS, 1, &head).await;
    // 431, or the connection goes.
    let answer = client.next(raw::HEADERS).await;
    assert!(answer.is_none_or(|head| head.len() < 200));
    assert_eq!(server.registry.len(), 0);
    assert_eq!(server.metric("streams_opened_total{variant=\"sotw\"}"), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_says_goodbye_or_not_and_is_off_the_list() {
    let server = start(mesh(0)).await;
    let subscribe = request(Some("web"), CLUSTER).encode_to_vec();
    let mut polite = Raw::connect(server.address()).await;
    polite.ads(1, SOTW, &subscribe).await;
    let mut rude = Raw::connect(server.address()).await;
    rude.ads(1, SOTW, &subscribe).await;
    eventually("both are served", || server.registry.len() == 2).await;
    polite.frame(raw::GOAWAY, 0, 0, &[0; 8]).await;
    polite.frame(raw::DATA, raw::END_STREAM, 1, &[]).await;
    drop(rude);
    eventually("both are off the list", || server.registry.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_chance_harm_nobody() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let mut chance = 1_u32;
    let mut next = |below: u32| {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (chance >> 8) % below
    };
    let subscribe = request(Some("web"), CLUSTER).encode_to_vec();
    for number in 0..300 {
        let mut client = Raw::connect(server.address()).await;
        if number % 2 == 0 {
            client.ads(1, SOTW, &subscribe).await;
        }
        for _ in 0..next(20) {
            let payload: Vec<u8> = (0..next(60)).map(|_| next(256) as u8).collect();
            if !client.frame(next(11) as u8, next(64) as u8, next(4), &payload).await {
                break;
            }
        }
    }
    witness.lives(&server).await;
    eventually("only the witness is served", || server.registry.len() == 1).await;
    assert_eq!(server.metric("panics_total"), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_chance_harm_nobody() {
    let server = start(mesh(0)).await;
    let mut witness = Witness::of(&server).await;
    let mut chance = 7_u32;
    let mut next = |below: u32| {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (chance >> 8) % below
    };
    let whole = DiscoveryRequest {
        resource_names: vec!["a".into(), "*".into()],
        version_info: "0".into(),
        response_nonce: "1".into(),
        error_detail: Some(rpc::Status { message: "no".into(), ..Default::default() }),
        ..request(Some("web~1"), CLUSTER)
    };
    let whole = whole.encode_to_vec();
    for number in 0..300_u32 {
        let mut client = Raw::connect(server.address()).await;
        let path = if number % 2 == 0 { SOTW } else { DELTA };
        client.ads(1, path, &whole).await;
        for _ in 0..5 {
            let mut message = whole.clone();
            for _ in 0..=next(3) {
                let place = next(u32::try_from(message.len()).unwrap()) as usize;
                message[place] = next(256) as u8;
            }
            message.truncate(next(u32::try_from(whole.len()).unwrap() + 20) as usize);
            if !client.frame(raw::DATA, 0, 1, &raw::grpc(&message)).await {
                break;
            }
        }
    }
    witness.lives(&server).await;
    eventually("only the witness is served", || server.registry.len() == 1).await;
    assert_eq!(server.metric("panics_total"), 0.0);
}

//! Real Envoy reads back from our YAML and JSON exactly the texts that we wrote.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use meshwright_envoy as envoy;
use meshwright_envoy::config::bootstrap::v3::{Admin, Bootstrap};
use meshwright_envoy::config::core::v3::address::Address as Kind;
use meshwright_envoy::config::core::v3::socket_address::PortSpecifier;
use meshwright_envoy::config::core::v3::{Address, Node, SocketAddress};
use prost_types::value::Kind as ValueKind;
use prost_types::{ListValue, Struct, Value};

use crate::real_envoy;

#[test]
fn real_envoy_reads_every_probe_from_yaml() {
    let probes = probes();
    let printed = envoy::to_yaml(&bootstrap(&probes));
    assert_eq!(read_by_envoy("envoy.yaml", &printed), expected(&probes));
}

#[test]
fn real_envoy_reads_every_probe_from_json() {
    let probes = probes();
    let printed = envoy::to_json(&bootstrap(&probes));
    assert_eq!(read_by_envoy("envoy.json", &printed), expected(&probes));
}

fn probes() -> Vec<String> {
    serde_json::from_str(include_str!("../probes.json")).expect("a list of texts")
}

/// Every probe as an item, as a key and as a value, and one value of each other kind.
fn bootstrap(probes: &[String]) -> Bootstrap {
    let text = |text: &String| Value { kind: Some(ValueKind::StringValue(text.clone())) };
    let items = ListValue { values: probes.iter().map(text).collect() };
    let keys = Struct { fields: probes.iter().map(|probe| (probe.clone(), text(probe))).collect() };
    let fields = BTreeMap::from([
        ("items".to_owned(), Value { kind: Some(ValueKind::ListValue(items)) }),
        ("keys".to_owned(), Value { kind: Some(ValueKind::StructValue(keys)) }),
        ("number".to_owned(), Value { kind: Some(ValueKind::NumberValue(-15.0)) }),
        ("on".to_owned(), Value { kind: Some(ValueKind::BoolValue(true)) }),
        ("null".to_owned(), Value { kind: Some(ValueKind::NullValue(0)) }),
    ]);
    let loopback = SocketAddress {
        address: "127.0.0.1".into(),
        port_specifier: Some(PortSpecifier::PortValue(0)),
        ..SocketAddress::default()
    };
    Bootstrap {
        node: Some(Node {
            id: "n".into(),
            cluster: "1e3".into(),
            metadata: Some(Struct { fields }),
            ..Node::default()
        }),
        admin: Some(Admin {
            address: Some(Address { address: Some(Kind::SocketAddress(loopback)) }),
            ..Admin::default()
        }),
        ..Bootstrap::default()
    }
}

fn expected(probes: &[String]) -> serde_json::Value {
    let keys: serde_json::Map<_, _> = probes.iter().map(|probe| (probe.clone(), probe.as_str().into())).collect();
    serde_json::json!({ "items": probes, "keys": keys, "number": -15, "on": true, "null": null })
}

/// The node's metadata as the running Envoy reports it.
fn read_by_envoy(name: &str, config: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a folder for the configuration");
    let (path, address) = (folder.path().join(name), folder.path().join("admin"));
    std::fs::write(&path, config).expect("the configuration is written");
    let child = Command::new(real_envoy::binary())
        .args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "info", "--admin-address-path"])
        .arg(&address)
        .arg("-c")
        .arg(&path)
        .stderr(Stdio::piped())
        .spawn()
        .expect("Envoy runs");
    let mut running = Running(child);
    wait_until_serving(&mut running.0);
    let address = std::fs::read_to_string(address).expect("Envoy writes its address");
    let dump: serde_json::Value = serde_json::from_str(&get(&address, "/config_dump")).expect("a dump in JSON");
    dump["configs"][0]["bootstrap"]["node"]["metadata"].clone()
}

fn wait_until_serving(child: &mut Child) {
    let mut log = BufReader::new(child.stderr.take().expect("the log is piped"));
    let mut seen = String::new();
    while !seen.contains("starting main dispatch loop") {
        let read = log.read_line(&mut seen).expect("a log in UTF-8");
        assert!(read > 0, "Envoy ended before it served:\n{seen}");
    }
    // Envoy must be able to go on logging.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the admin port listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n").expect("a request is sent");
    let mut response = vec![];
    stream.read_to_end(&mut response).expect("a response arrives");
    let response = String::from_utf8(response).expect("a dump in UTF-8");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") { joined(body) } else { body.to_owned() }
}

/// The chunks of a body, without their sizes.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk begins with its size");
        let (chunk, rest) = rest.split_at(size);
        body.push_str(chunk);
        chunks = rest.trim_start_matches("\r\n");
    }
    body
}

/// An Envoy that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

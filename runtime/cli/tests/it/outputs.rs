//! The forms in which `compile` writes a mesh, and what CI asks of them.

use std::path::Path;

use envoy::config::cluster::v3::Cluster;
use envoy::service::discovery::v3::DiscoveryResponse;
use prost::Message;
use serde_json::Value;

use crate::cli::{code, meshwright, text};

const MESH: &str = r#"mesh "shop" {
    service "cart.svc" { endpoint "10.0.0.1:3000"; endpoint "10.0.0.2:3000" }
    node "cart" serves="cart.svc"
    node "web" calls="cart.svc"
    gateway "edge" listen=8080 { host "shop.example" { to "cart.svc" } }
}
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mesh.kdl"), MESH).expect("it is written");
    folder
}

fn compile(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = meshwright(folder, &[&["compile", "mesh.kdl"], arguments].concat());
    (code(&output), text(&output.stdout), text(&output.stderr))
}

fn envoy() -> String {
    local::find(None).expect("real Envoy").path().to_str().expect("text").to_owned()
}

#[test]
fn check_tells_what_is_missing_and_what_differs() {
    let folder = folder();
    assert_eq!(compile(folder.path(), &["-o", "out"]).0, 0);
    let (status, said, _) = compile(folder.path(), &["-o", "out", "--check"]);
    assert_eq!((status, said.as_str()), (0, "5 of 5 files are as compiled\n"));
    std::fs::write(folder.path().join("out/web/envoy.yaml"), "{}\n").expect("it is written");
    std::fs::remove_file(folder.path().join("out/edge/envoy.yaml")).expect("it was there");
    let (status, said, _) = compile(folder.path(), &["-o", "out", "--check"]);
    assert_eq!(status, 2);
    assert_eq!(said, "differs  out/web/envoy.yaml\nmissing  out/edge/envoy.yaml\n3 of 5 files are as compiled\n");
    assert_eq!(std::fs::read_to_string(folder.path().join("out/web/envoy.yaml")).expect("a file"), "{}\n");
    let (status, said, _) = compile(folder.path(), &["-o", "out", "--check", "--format", "json"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((status, said["differing"][0]["path"].as_str()), (2, Some("web/envoy.yaml")));
}

#[test]
fn locked_refuses_what_was_not_compiled_before() {
    let folder = folder();
    assert_eq!(compile(folder.path(), &["-o", "out"]).0, 0);
    assert_eq!(compile(folder.path(), &["-o", "out", "--locked"]).0, 0);
    std::fs::write(folder.path().join("mesh.kdl"), MESH.replace("8080", "8081")).expect("it is written");
    let (status, _, findings) = compile(folder.path(), &["-o", "out", "--locked"]);
    assert_eq!(status, 1);
    assert!(findings.contains("  mesh.kdl: changed\n"), "{findings}");
}

#[test]
fn watched_files_that_nobody_names_any_more_are_removed() {
    let folder = folder();
    assert_eq!(compile(folder.path(), &["-o", "out", "--emit", "files"]).0, 0);
    let endpoints = folder.path().join("out/web/xds/eds/cart.svc.yaml");
    assert!(endpoints.exists());
    let renamed = MESH.replace("cart.svc", "basket.svc");
    std::fs::write(folder.path().join("mesh.kdl"), renamed).expect("it is written");
    let (status, said, _) = compile(folder.path(), &["-o", "out", "--emit", "files"]);
    assert_eq!(status, 0);
    assert!(said.ends_with(" changed, 2 removed\n"), "{said}");
    assert!(!endpoints.exists());
}

#[test]
fn a_snapshot_is_what_a_control_plane_would_send() {
    let folder = folder();
    assert_eq!(compile(folder.path(), &["-o", "out", "--emit", "snapshot"]).0, 0);
    let bytes = std::fs::read(folder.path().join("out/web/snapshot/cds.pb")).expect("a file");
    let response = DiscoveryResponse::decode(bytes.as_slice()).expect("a response");
    let clusters = response.resources.iter().map(|any| Cluster::decode(any.value.as_slice()).expect("a cluster").name);
    assert_eq!(clusters.collect::<Vec<_>>(), ["cart.svc", "prometheus_stats"]);
    let index = std::fs::read_to_string(folder.path().join("out/snapshot.json")).expect("a file");
    let index: Value = serde_json::from_str(&index).expect("JSON");
    let shared = |proxy: &str| {
        let resources = index[proxy].as_array().expect("a list").iter();
        resources.filter(|it| it["name"] == "cart.svc").map(|it| it["version"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(shared("web"), shared("edge"));
}

#[test]
fn compose_keeps_the_addresses_of_the_mesh() {
    let folder = folder();
    assert_eq!(compile(folder.path(), &["-o", "out", "--emit", "static,compose"]).0, 0);
    let text = std::fs::read_to_string(folder.path().join("out/compose.yaml")).expect("a file");
    let file: Value = serde_yaml::from_str(&text).expect("YAML");
    assert_eq!(file["networks"]["mesh"]["ipam"]["config"][0]["subnet"], "10.0.0.0/24");
    assert_eq!(file["services"]["cart-2"]["networks"]["mesh"]["ipv4_address"], "10.0.0.2");
    assert_eq!(file["services"]["cart-2-cart-svc"]["network_mode"], "service:cart-2");
    assert_eq!(file["services"]["edge"]["ports"][0], "127.0.0.1:8080:8080");
}

#[test]
fn a_real_envoy_validates_without_the_certificates_of_the_fleet() {
    let folder = folder();
    let mesh = MESH.replace(
        "listen=8080 {",
        "{ listen 8443 { tls { certificate { files chain=\"/nowhere/chain.pem\" key=\"/nowhere/key.pem\" } } };",
    );
    std::fs::write(folder.path().join("mesh.kdl"), mesh).expect("it is written");
    let (status, _, said) = compile(folder.path(), &["--envoy", &envoy()]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("3 of 3 configurations accepted"), "{said}");
}

#[test]
fn what_a_real_envoy_refuses_is_told() {
    let folder = folder();
    // The descriptors allow it; a cluster of endpoints has no balancing of its own.
    let overlay = r#"envoy-overlay "cluster" name="cart.svc" json="{\"lb_policy\": \"CLUSTER_PROVIDED\"}" reason="a test"
    gateway"#;
    std::fs::write(folder.path().join("mesh.kdl"), MESH.replace("gateway", overlay)).expect("it is written");
    let (status, _, said) = compile(folder.path(), &["--envoy", &envoy()]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("error: Envoy refuses the configuration of `web`"), "{said}");
}

#[test]
fn the_report_says_which_engine_does_what() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compiler/tests/golden/filters-faults");
    let (status, said, complaints) = compile(&case, &["--report", "json"]);
    assert_eq!(status, 0, "{complaints}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let lines = report[0]["policies"].as_array().expect("a list").iter().map(|line| {
        format!("{} {} {}: {}\n", line["engine"], line["policy"], line["of"], line["why"]).replace('"', "")
    });
    let expected = "native fault [cart.svc,slow.svc]: a wasm filter cannot let a part of a body go: `response-rate-limit`\n\
                    native fault [native.svc]: only Envoy's filter has `regex`\n\
                    wasm fault [catalog.svc,cart.svc,payment.svc,asked.svc]: nothing else is said\n";
    assert_eq!(lines.collect::<String>(), expected);
    let (_, said, _) = compile(&case, &["--report", "text"]);
    assert!(said.contains("shop: +16.5 µs of CPU a request, of what was measured; +25 MB\n"), "{said}");
}

//! Services that speak bytes: over TLS beside others, by weight, through gateways.

use std::collections::BTreeMap;

use world::wire::Wire;
use world::{Authority, TlsDial};

use super::{Live, service};
use local::Request;

#[tokio::test]
async fn encrypted_bytes_are_told_apart_by_name() {
    let authority = Authority::new("mesh");
    let leaf = authority.leaf(&["post.internal", "news.svc"]);
    let live = Live::with(
        leaf.files("tls"),
        r#"
        defaults {
            client-tls { server ca-file="${folder}/tls/ca.crt" }
        }
        service "mail.svc" {
            protocol "tcp"; endpoint "10.0.0.1:25"
            client-tls sni="post.internal" { server ca-file="${folder}/tls/ca.crt" }
            tls { certificate { files chain="${folder}/tls/tls.crt" key="${folder}/tls/tls.key" } }
        }
        service "news.svc" {
            protocol "tcp"; endpoint "10.0.0.1:119"
            tls { certificate { files chain="${folder}/tls/tls.crt" key="${folder}/tls/tls.key" } }
        }
        service "web.svc" { endpoint "10.0.0.1:80"; client-tls mode="disabled" }
        node "all" { serves "mail.svc" "news.svc" "web.svc" }
        node "alpha" {
            calls "mail.svc" local-port=9001
            calls "news.svc" local-port=9002
            calls "web.svc"
        }
        "#,
    )
    .await;
    for (port, name) in [(9001, "mail.svc"), (9002, "news.svc")] {
        let mut wire = Wire::open(live.at("alpha", port)).await;
        wire.send(b"hello\n").await;
        assert!(wire.line().await.starts_with(name), "{name}");
    }
    assert_eq!(service(&live.send("alpha", Request::get("/").host("web.svc")).await), "web.svc");
}

#[tokio::test]
async fn a_gateway_passes_bytes_by_weight_and_ends_tls() {
    let authority = Authority::new("edge");
    let leaf = authority.leaf(&["db.example"]);
    let live = Live::with(
        leaf.files("tls"),
        r#"
        service "one.svc" { protocol "tcp"; endpoint "10.0.0.1:5432" }
        service "two.svc" { protocol "tcp"; endpoint "10.0.0.2:5432" }
        node "one" serves="one.svc"
        node "two" serves="two.svc"
        gateway "edge" {
            listen 5432 protocol="tcp" { to "one.svc" weight=1; to "two.svc" weight=1 }
            listen 5433 protocol="tcp" {
                tls { certificate { files chain="${folder}/tls/tls.crt" key="${folder}/tls/tls.key" } }
                to "one.svc"
            }
        }
        "#,
    )
    .await;
    let mut seen = BTreeMap::<String, usize>::new();
    for _ in 0..40 {
        let mut wire = Wire::open(live.at("edge", 5432)).await;
        wire.send(b"x\n").await;
        let name = wire.line().await.split(' ').next().unwrap().to_owned();
        *seen.entry(name).or_default() += 1;
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["one.svc", "two.svc"], "{seen:?}");
    let dial = TlsDial::new(&authority.pem(), "db.example");
    let mut wire = Wire::over(&dial, live.at("edge", 5433)).await;
    wire.send(b"x\n").await;
    assert!(wire.line().await.starts_with("one.svc "));
}

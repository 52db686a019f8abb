//! TLS at a gateway's port: whom it lets in, and whether it insists.

use std::sync::Arc;

use local::{Client, Request};
use world::{Authority, Leaf, TlsDial};

use super::{Live, received, service};

const MESH: &str = r#"
    service "shop.svc" { endpoint "10.0.0.1:3000" }
    node "shop" serves="shop.svc"
    gateway "edge" {
        listen 8443 {
            tls {
                certificate { files chain="${folder}/edge/tls.crt" key="${folder}/edge/tls.key" }
                client ca-file="${folder}/partners.pem" { subject-alt-name "partner.example" }
            }
        }
        listen 8080 {
            // meshwright: allow permissive-tls: that is what is tested
            tls mode="permissive" { certificate { files chain="${folder}/edge/tls.crt" key="${folder}/edge/tls.key" } }
        }
        listen 8444 { tls min-version="1.3" }
        host "shop.example" {
            certificate { files chain="${folder}/shop/tls.crt" key="${folder}/shop/tls.key" }
            to "shop.svc"
        }
    }
"#;

async fn answered(live: &Live, port: u16, dial: TlsDial) -> Option<u16> {
    let mut client = Client::over(Arc::new(dial), live.at("edge", port));
    client.send(&Request::get("/").host("shop.example")).await.ok().map(|answer| answer.status)
}

#[tokio::test]
async fn a_port_says_whom_it_lets_in() {
    let (ours, partners) = (Authority::new("ours"), Authority::new("partners"));
    let live = Live::of(MESH)
        .files(ours.leaf(&["edge.example"]).files("edge"))
        .files(ours.leaf(&["shop.example"]).files("shop"))
        .file("partners.pem", partners.pem())
        .up()
        .await;
    // Whichever certificate is shown, callers must have one of theirs.
    for name in ["shop.example", "edge.example"] {
        let with = |leaf: &Leaf| TlsDial::new(&ours.pem(), name).certificate(leaf);
        let partner = partners.leaf(&["partner.example"]);
        assert_eq!(answered(&live, 8443, with(&partner)).await, Some(200), "{name}");
        assert_eq!(answered(&live, 8443, TlsDial::new(&ours.pem(), name)).await, None, "{name}: without one");
        assert_eq!(answered(&live, 8443, with(&partners.leaf(&["other.example"]))).await, None, "{name}: another name");
        assert_eq!(answered(&live, 8443, with(&ours.leaf(&["partner.example"]))).await, None, "{name}: not theirs");
        let expired = partners.expired_leaf(&["partner.example"]);
        assert_eq!(answered(&live, 8443, with(&expired)).await, None, "{name}: expired");
    }
    // A permissive port takes both, and the application learns which.
    let plain = live.send_to("edge", 8080, Request::get("/").host("shop.example")).await;
    assert_eq!(
        (service(&plain).as_str(), received(&plain, "x-forwarded-proto")),
        ("shop.svc", vec!["http".to_owned()])
    );
    for name in ["shop.example", "edge.example"] {
        let dial = TlsDial::new(&ours.pem(), name);
        let mut client = Client::over(dial.dialer(), live.at("edge", 8080));
        let answer = client.send(&Request::get("/").host("shop.example")).await.unwrap();
        assert_eq!(received(&answer, "x-forwarded-proto"), ["https"], "{name}");
    }
    // Without a certificate of its own, a port has those of its hosts, for who asks for them by name.
    assert_eq!(answered(&live, 8444, TlsDial::new(&ours.pem(), "shop.example")).await, Some(200));
    assert_eq!(answered(&live, 8444, TlsDial::new(&ours.pem(), "shop.example").only_1_2()).await, None);
    assert_eq!(answered(&live, 8444, TlsDial::new(&ours.pem(), "edge.example")).await, None);
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 6);
}

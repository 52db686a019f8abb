//! Who may open connections to a service of bytes: those who prove who they are, those who come from somewhere.

use std::net::{IpAddr, SocketAddr};

use local::stream::Dial;
use world::wire::Wire;
use world::{Authority, From, TlsDial};

use super::{Live, received, service};
use local::Request;

/// The line with which the application answers, if the connection reaches it.
async fn answered(dial: &dyn Dial, address: SocketAddr) -> Option<String> {
    let mut wire = Wire::over(dial, address).await;
    wire.send(b"hello\n").await;
    wire.finish().await;
    let answer = String::from_utf8_lossy(&wire.rest().await).into_owned();
    answer.split(' ').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[tokio::test]
async fn callers_are_known_by_their_certificates() {
    let authority = Authority::new("mesh");
    let live = Live::of(
        r#"
        service "db.svc" {
            protocol "tcp"
            endpoint "10.0.0.1:5432"
            tls {
                certificate { files chain="${folder}/db/tls.crt" key="${folder}/db/tls.key"; }
                client ca-file="${folder}/db/ca.crt"
            }
            client-tls {
                certificate { files chain="${folder}/cart/tls.crt" key="${folder}/cart/tls.key"; }
                server ca-file="${folder}/db/ca.crt"
            }
            authorization default="deny" {
                rule "deny" from-identity="spiffe://live/night-batch"
                rule "allow" from="cart.svc"
                rule "allow" { from-identity "spiffe://live/batch" "spiffe://live/night-batch"; }
            }
        }
        service "cart.svc" { endpoint "10.0.0.2:3000" }
        node "db" serves="db.svc"
        node "cart" { serves "cart.svc"; calls "db.svc" local-port=9001; }
        "#,
    )
    .files(authority.leaf(&["db.svc"]).files("db"))
    .files(authority.leaf(&["spiffe://live/cart.svc"]).files("cart"))
    .up()
    .await;
    let mut wire = Wire::open(live.at("cart", 9001)).await;
    wire.send(b"hello\n").await;
    assert!(wire.line().await.starts_with("db.svc "));
    let db = live.at("db", 4100);
    for (name, passes) in [
        ("spiffe://live/cart.svc", true),
        ("spiffe://live/batch", true),
        ("spiffe://live/night-batch", false),
        ("spiffe://live/cart.svc.other", false),
        ("spiffe://other/cart.svc", false),
        ("cart.svc", false),
    ] {
        let dial = TlsDial::new(&authority.pem(), "db.svc").certificate(&authority.leaf(&[name]));
        let expected = passes.then(|| "db.svc".to_owned());
        assert_eq!(answered(&dial, db).await, expected, "{name}");
    }
}

#[tokio::test]
async fn callers_are_known_by_where_they_come_from() {
    let live = Live::up(
        r#"
        service "db.svc" {
            protocol "tcp"
            endpoint "10.0.0.1:5432"
            authorization default="deny" {
                rule "deny" source="127.99.1.13"
                rule "allow" source="127.99.1.0/24"
            }
        }
        service "web.svc" {
            endpoint "10.0.0.2:3000"
            authorization default="deny" { rule "allow" source="127.99.1.0/24"; }
        }
        node "db" serves="db.svc"
        node "web" serves="web.svc"
        "#,
    )
    .await;
    for (from, passes) in [([127, 99, 1, 2], true), ([127, 99, 1, 13], false), ([127, 99, 2, 2], false)] {
        let expected = passes.then(|| "db.svc".to_owned());
        assert_eq!(answered(&From(IpAddr::from(from)), live.at("db", 4100)).await, expected, "{from:?}");
    }
    let db = live.workload("10.0.0.1:5432");
    assert_eq!(db.connection_count(), 1, "nobody else got through");
    // Nor does anybody hear a server that speaks first before it is known who listens.
    db.greet_first();
    let mut silent = Wire::over(&From(IpAddr::from([127, 99, 2, 2])), live.at("db", 4100)).await;
    silent.finish().await;
    assert_eq!(silent.rest().await, b"");
    assert_eq!(db.connection_count(), 1);
    // Of requests, too, the address is the connection's, whatever a header says.
    for (from, status) in [([127, 99, 1, 2], 200), ([127, 99, 2, 2], 403)] {
        let mut client = local::Client::over(std::sync::Arc::new(From(IpAddr::from(from))), live.at("web", 4100));
        let request = Request::get("/").host("web.svc").header("x-forwarded-for", "127.99.1.2");
        let answer = client.send(&request).await.unwrap();
        assert_eq!(answer.status, status, "{from:?}");
        if status == 200 {
            assert_eq!(service(&answer), "web.svc");
            assert_eq!(received(&answer, "host"), ["web.svc"]);
        }
    }
}

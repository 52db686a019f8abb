//! Certificates of an SDS server: each sidecar asks for its own, believes the mesh's authority, and hears of new ones.

use std::collections::BTreeSet;

use local::{Client, Request};
use tokio::time::{Instant, sleep};
use world::{Authority, Secrets, TlsDial};

use super::{Live, PATIENCE, POLL, service};

#[tokio::test]
async fn sidecars_prove_who_they_are_with_what_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sds.sock");
    let (secrets, authority) = (Secrets::serve(&socket), Authority::new("mesh"));
    secrets.believe("spiffe://live", &authority.pem());
    for name in ["spiffe://live/cart.svc", "spiffe://live/batch", "spiffe://live/front"] {
        secrets.show(name, &authority.leaf(&[name]));
    }
    let payment = "spiffe://live/payment.svc";
    secrets.show(payment, &authority.leaf(&[payment, "payment.svc"]));
    let mesh = r#"
        certificate-provider "spire" { sds-socket "SOCKET"; }
        service "payment.svc" {
            endpoint "10.0.0.1:3000"
            tls { certificate provider="spire"; client ca-provider="spire"; }
            client-tls { certificate provider="spire"; server ca-provider="spire"; }
            authorization default="deny" { rule "allow" from="cart.svc"; rule "allow" from-identity="spiffe://live/front"; }
        }
        service "cart.svc" { endpoint "10.0.0.2:3000"; }
        gateway "front" { listen 8080; host "shop.example" { to "payment.svc"; }; }
        node "payment" serves="payment.svc"
        node "cart" serves="cart.svc" calls="payment.svc"
        node "batch" calls="payment.svc"
    "#;
    let live = Live::up(&mesh.replace("SOCKET", socket.to_str().unwrap())).await;
    let get = || Request::get("/").host("payment.svc");
    assert_eq!(service(&live.send("cart", get()).await), "payment.svc");
    assert_eq!(live.send("batch", get()).await.status, 403, "known, and not allowed");
    let through = live.send("front", Request::get("/").host("shop.example")).await;
    assert_eq!(service(&through), "payment.svc", "a gateway calls by its own name");
    let others = ["spiffe://live", "spiffe://live/batch", "spiffe://live/cart.svc", "spiffe://live/front"];
    let asked = others.into_iter().chain([payment]).map(str::to_owned);
    assert_eq!(secrets.asked(), asked.collect::<BTreeSet<_>>());

    // New certificates hold for new connections, without a restart.
    let address = live.at("payment", 4100);
    let cart = authority.leaf(&["spiffe://live/cart.svc"]);
    let dial = TlsDial::new(&authority.pem(), "payment.svc").certificate(&cart);
    let shown = async || dial.connect(address).await.unwrap().server_certificate;
    let first = shown().await;
    secrets.show(payment, &authority.leaf(&[payment, "payment.svc"]));
    let deadline = Instant::now() + PATIENCE;
    while shown().await == first {
        assert!(Instant::now() < deadline, "the old certificate is still shown");
        sleep(POLL).await;
    }
    // So do new authorities: who is of the old one is not believed any more.
    let asks =
        async || Client::over(dial.clone().dialer(), address).send(&get()).await.map(|answer| answer.status).ok();
    assert_eq!(asks().await, Some(200));
    secrets.believe("spiffe://live", &Authority::new("another").pem());
    while asks().await.is_some() {
        assert!(Instant::now() < deadline, "the old authority is still believed");
        sleep(POLL).await;
    }
}

#[tokio::test]
async fn secrets_may_have_names_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sds.sock");
    let (secrets, servers, callers) = (Secrets::serve(&socket), Authority::new("servers"), Authority::new("callers"));
    secrets.show("beta", &servers.leaf(&["beta.internal"]));
    secrets.show("alpha", &callers.leaf(&["spiffe://shop.example/alpha.svc"]));
    secrets.believe("servers", &servers.pem());
    secrets.believe("callers", &callers.pem());
    let mesh = r#"
        trust-domain "shop.example"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            tls {
                certificate { sds "beta" socket="SOCKET"; }
                client { ca-sds "callers" socket="SOCKET"; }
            }
            client-tls sni="beta.internal" {
                certificate { sds "alpha" socket="SOCKET"; }
                server { ca-sds "servers" socket="SOCKET"; subject-alt-name "beta.internal"; }
            }
            authorization default="deny" { rule "allow" from="alpha.svc"; }
        }
        service "alpha.svc" { endpoint "10.0.0.2:3000"; }
        node "alpha" serves="alpha.svc" calls="beta.svc"
        node "beta" serves="beta.svc"
    "#;
    let live = Live::up(&mesh.replace("SOCKET", socket.to_str().unwrap())).await;
    let get = || Request::get("/").host("beta.svc");
    assert_eq!(service(&live.send("alpha", get()).await), "beta.svc");
    assert_eq!(secrets.asked(), BTreeSet::from(["alpha", "beta", "callers", "servers"].map(str::to_owned)));
    // The identity is that of the trust domain, and not of the mesh's name.
    for (name, status) in [("spiffe://shop.example/alpha.svc", 200), ("spiffe://live/alpha.svc", 403)] {
        let dial = TlsDial::new(&servers.pem(), "beta.internal").certificate(&callers.leaf(&[name]));
        let answer = Client::over(dial.dialer(), live.at("beta", 4100)).send(&get()).await.unwrap();
        assert_eq!(answer.status, status, "{name}");
    }
}

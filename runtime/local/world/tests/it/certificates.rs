//! TLS says no where it should.

use std::sync::Arc;

use local::echo::{self, Echo, Tries};
use local::{Client, Request, Version};
use meshwright_world::{Authority, TlsDial, TlsServer, web_socket};

use crate::{identity, listener};

async fn serve(server: TlsServer) -> Echo {
    echo::serve_behind(listener().await, identity(), Tries::default(), Arc::new(server)).expect("a bound socket")
}

async fn is_answered(dial: TlsDial, echo: &Echo) -> bool {
    Client::over(dial.dialer(), echo.address()).send(&Request::get("/")).await.is_ok()
}

#[tokio::test]
async fn both_sides_check_each_other() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let leaf = ours.leaf(&["beta.svc", "spiffe://shop/beta", "127.0.0.1"]);
    let echo = serve(TlsServer::mutual(&leaf, &ours.pem())).await;
    let caller = ours.leaf(&["spiffe://shop/alpha"]);
    let dial = || TlsDial::new(&ours.pem(), "beta.svc");
    assert!(is_answered(dial().certificate(&caller), &echo).await);
    assert!(is_answered(TlsDial::new(&ours.pem(), "127.0.0.1").certificate(&caller), &echo).await);
    assert!(!is_answered(dial(), &echo).await, "without a certificate");
    assert!(!is_answered(dial().certificate(&theirs.leaf(&["spiffe://shop/alpha"])), &echo).await, "of others");
    assert!(!is_answered(dial().certificate(&ours.expired_leaf(&["spiffe://shop/alpha"])), &echo).await, "too old");
    assert!(!is_answered(TlsDial::new(&theirs.pem(), "beta.svc").certificate(&caller), &echo).await, "not believed");
    assert!(!is_answered(TlsDial::new(&ours.pem(), "gamma.svc").certificate(&caller), &echo).await, "another name");
    let encryption = echo.received()[0].encryption.clone().expect("an encrypted connection");
    assert_eq!(encryption.server_name.as_deref(), Some("beta.svc"));
    assert!(encryption.client_certificate.is_some());
}

#[tokio::test]
async fn the_protocol_is_agreed_on() {
    let ours = Authority::new("ours");
    let echo = serve(TlsServer::new(&ours.leaf(&["beta.svc"]))).await;
    let dial = TlsDial::new(&ours.pem(), "beta.svc").alpn(&["h2"]);
    let agreed = dial.clone().only_1_2().connect(echo.address()).await.expect("a handshake");
    assert_eq!((agreed.alpn.as_deref(), agreed.version.as_deref()), (Some("h2"), Some("TLSv1_2")));
    let mut client = Client::over(dial.only_1_3().dialer(), echo.address()).version(Version::Http2);
    client.send(&Request::get("/").host("beta.svc")).await.expect("an answer");
    assert_eq!(echo.received()[0].encryption.as_ref().and_then(|tls| tls.alpn.as_deref()), Some("h2"));
    let plain = TlsDial::new(&ours.pem(), "beta.svc");
    let opened = web_socket::open_with(&plain, echo.address(), "beta.svc", "/", &[]).await;
    assert_eq!(opened.expect("an upgrade").echo("hello").await, "hello");
}

#[test]
fn a_leaf_is_written_as_a_folder_of_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = Authority::new("ours");
    ours.leaf(&["beta.svc"]).write(&folder.path().join("beta"));
    let read = |name: &str| std::fs::read_to_string(folder.path().join("beta").join(name)).expect("a file");
    assert!(read("tls.crt").starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(read("tls.key").starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(read("ca.crt"), ours.pem());
}

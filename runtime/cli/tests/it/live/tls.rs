//! Connections between sidecars are encrypted, and the caller knows whom it reaches.

use local::Request;
use tokio::time::{Instant, sleep};
use world::wire::Wire;
use world::{Authority, TlsDial, wire};

use super::{Live, PATIENCE, POLL, Setup, received, service};

const FILES: &str = r#"
    certificate-provider "files" { folder "${folder}/tls" }
    service "beta.svc" {
        endpoint "10.0.0.1:3000"
        tls mode="MODE" { certificate provider="files" }
        client-tls mode="CLIENT" { server SERVER }
    }
    node "alpha" calls="beta.svc"
    node "beta" serves="beta.svc"
"#;

fn mesh(authority: &Authority, names: &[&str], replaced: &[(&str, &str)]) -> Setup {
    let mut body = FILES.to_owned();
    for (what, by) in replaced {
        body = body.replace(what, by);
    }
    for (what, by) in [("MODE", "strict"), ("CLIENT", "strict"), ("SERVER", "ca-provider=\"files\"")] {
        body = body.replace(what, by);
    }
    Live::of(&body).files(authority.leaf(names).files("tls"))
}

/// The status of the answer to whoever dials the sidecar and does not encrypt.
async fn answered(live: &Live, instance: &str, head: &[u8]) -> Option<u16> {
    let mut wire = Wire::open(live.at(instance, 4100)).await;
    wire.send(head).await;
    wire::status(&wire.rest().await)
}

fn get() -> Request {
    Request::get("/").host("beta.svc")
}

#[tokio::test]
async fn sidecars_speak_tls_and_refuse_what_is_not() {
    let live = mesh(&Authority::new("mesh"), &["spiffe://live/beta.svc"], &[]).up().await;
    let answer = live.send("alpha", get()).await;
    assert_eq!(service(&answer), "beta.svc");
    assert_eq!(received(&answer, "x-forwarded-client-cert"), [] as [&str; 0]);
    assert!(live.counter("alpha", "cluster.beta_svc.ssl.handshake").await >= 1);
    assert_eq!(answered(&live, "beta", b"GET / HTTP/1.1\r\nhost: beta.svc\r\n\r\n").await, None);
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 1);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_believed() {
    let other = Authority::new("mesh");
    let setup = mesh(
        &Authority::new("mesh"),
        &["spiffe://live/beta.svc"],
        &[("SERVER", "ca-file=\"${folder}/other.pem\" { subject-alt-name \"spiffe://live/beta.svc\"; }")],
    );
    let live = setup.file("other.pem", other.pem()).up().await;
    assert_eq!(live.send("alpha", get()).await.status, 503);
    assert!(live.counter("alpha", "cluster.beta_svc.ssl.fail_verify_error").await >= 1);
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 0);
}

#[tokio::test]
async fn a_certificate_of_another_service_is_not_believed() {
    let live = mesh(&Authority::new("mesh"), &["spiffe://live/gamma.svc", "gamma.svc"], &[]).up().await;
    assert_eq!(live.send("alpha", get()).await.status, 503);
    assert!(live.counter("alpha", "cluster.beta_svc.ssl.fail_verify_san").await >= 1);
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 0);
}

#[tokio::test]
async fn without_names_the_server_name_is_checked() {
    let by_file = ("SERVER", "ca-file=\"${folder}/tls/ca.crt\"");
    let live = mesh(&Authority::new("mesh"), &["beta.svc"], &[by_file]).up().await;
    assert_eq!(live.send("alpha", get()).await.status, 200);
    let live = mesh(&Authority::new("mesh"), &["gamma.svc"], &[by_file]).up().await;
    assert_eq!(live.send("alpha", get()).await.status, 503);
}

#[tokio::test]
async fn permissive_takes_both() {
    let both = [("MODE", "permissive"), ("CLIENT", "permissive")];
    let live = mesh(&Authority::new("mesh"), &["spiffe://live/beta.svc"], &both).up().await;
    assert_eq!(live.send("alpha", get()).await.status, 200);
    assert!(live.counter("alpha", "cluster.beta_svc.ssl.handshake").await >= 1, "a permissive caller encrypts");
    let head = b"GET / HTTP/1.1\r\nhost: beta.svc\r\nconnection: close\r\n\r\n";
    assert_eq!(answered(&live, "beta", head).await, Some(200));
}

#[tokio::test]
async fn services_behind_one_sidecar_show_their_own_certificates() {
    let authority = Authority::new("mesh");
    let live = Live::of(
        r#"
        service "one.svc" {
            endpoint "10.0.0.1:3000"
            tls { certificate { files chain="${folder}/one/tls.crt" key="${folder}/one/tls.key"; }; }
            client-tls { server ca-file="${folder}/one/ca.crt"; }
        }
        service "two.svc" {
            endpoint "10.0.0.1:3001"
            tls { certificate { files chain="${folder}/two/tls.crt" key="${folder}/two/tls.key"; }; }
            client-tls { server ca-file="${folder}/one/ca.crt"; }
        }
        service "open.svc" { endpoint "10.0.0.1:3002" }
        node "alpha" calls="*"
        node "both" { serves "one.svc" "two.svc" "open.svc" }
        "#,
    )
    .files(authority.leaf(&["one.svc"]).files("one"))
    .files(authority.leaf(&["two.svc"]).files("two"))
    .up()
    .await;
    for name in ["one.svc", "two.svc", "open.svc"] {
        assert_eq!(service(&live.send("alpha", Request::get("/").host(name)).await), name);
    }
    // A connection that was accepted for one service reaches no other.
    for name in ["one.svc", "two.svc"] {
        let head = format!("GET / HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
        assert_eq!(answered(&live, "both", head.as_bytes()).await, Some(404));
    }
}

#[tokio::test]
async fn certificates_are_read_again_when_they_change() {
    let authority = Authority::new("mesh");
    let live = mesh(&authority, &["beta.svc"], &[]).watched().up().await;
    let tls = live.folder().join("tls");
    let beta = live.at("beta", 4100);
    let dial = TlsDial::new(&authority.pem(), "beta.svc");
    let shown = || async { dial.connect(beta).await.unwrap().server_certificate };
    let first = shown().await;
    let becomes_another = async |before: &Option<Vec<u8>>| {
        let deadline = Instant::now() + PATIENCE;
        while shown().await == *before {
            assert!(Instant::now() < deadline, "the old certificate is still shown");
            sleep(POLL).await;
        }
    };
    // In place, one file after the other.
    authority.leaf(&["beta.svc"]).write(&tls);
    becomes_another(&first).await;
    // By moves, as most tools do.
    let second = shown().await;
    let beside = live.folder().join("next");
    authority.leaf(&["beta.svc"]).write(&beside);
    for file in ["tls.key", "tls.crt"] {
        std::fs::rename(beside.join(file), tls.join(file)).unwrap();
    }
    becomes_another(&second).await;
}

//! Callers prove who they are.

use local::{Client, Request};
use world::{Authority, Leaf, Outside, Serves, TlsDial, TlsServer};

use super::{Live, Setup, service};

fn mesh(names: &str) -> String {
    r#"
    service "beta.svc" {
        endpoint "10.0.0.1:3000"
        tls {
            certificate { files chain="${folder}/beta/tls.crt" key="${folder}/beta/tls.key"; }
            client ca-file="${folder}/beta/ca.crt" { NAMES; }
        }
        client-tls {
            certificate { files chain="${folder}/alpha/tls.crt" key="${folder}/alpha/tls.key"; }
            server ca-file="${folder}/beta/ca.crt"
        }
    }
    node "alpha" calls="beta.svc"
    node "beta" serves="beta.svc"
    "#
    .replace("NAMES", names)
}

fn setup(authority: &Authority, names: &str, alpha: &Leaf) -> Setup {
    Live::of(&mesh(names)).files(authority.leaf(&["beta.svc"]).files("beta")).files(alpha.files("alpha"))
}

/// The answer's status, if a caller with this certificate gets one.
async fn dialled(live: &Live, authority: &Authority, certificate: Option<&Leaf>) -> Option<u16> {
    let dial = TlsDial::new(&authority.pem(), "beta.svc");
    let dial = match certificate {
        Some(leaf) => dial.certificate(leaf),
        None => dial,
    };
    let mut client = Client::over(dial.dialer(), live.at("beta", 4100));
    client.send(&Request::get("/").host("beta.svc")).await.ok().map(|answer| answer.status)
}

#[tokio::test]
async fn only_callers_with_a_valid_certificate_pass() {
    let authority = Authority::new("mesh");
    let live = setup(&authority, "", &authority.leaf(&["spiffe://live/alpha"])).up().await;
    assert_eq!(service(&live.send("alpha", Request::get("/").host("beta.svc")).await), "beta.svc");
    let other = Authority::new("mesh");
    assert_eq!(dialled(&live, &authority, Some(&authority.leaf(&["anyone"]))).await, Some(200));
    assert_eq!(dialled(&live, &authority, None).await, None, "without a certificate");
    assert_eq!(dialled(&live, &authority, Some(&other.leaf(&["anyone"]))).await, None, "of another authority");
    assert_eq!(dialled(&live, &authority, Some(&authority.expired_leaf(&["anyone"]))).await, None, "expired");
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 2);
}

#[tokio::test]
async fn callers_need_one_of_the_names() {
    let authority = Authority::new("mesh");
    let names = "subject-alt-name \"spiffe://live/alpha\" \"batch.internal\"";
    let live = setup(&authority, names, &authority.leaf(&["spiffe://live/alpha"])).up().await;
    assert_eq!(live.send("alpha", Request::get("/").host("beta.svc")).await.status, 200);
    for (name, status) in
        [("spiffe://live/alpha", Some(200)), ("batch.internal", Some(200)), ("spiffe://live/alphabet", None)]
    {
        assert_eq!(dialled(&live, &authority, Some(&authority.leaf(&[name]))).await, status, "{name}");
    }
    let live = setup(&authority, names, &authority.leaf(&["spiffe://live/gamma"])).up().await;
    assert_eq!(live.send("alpha", Request::get("/").host("beta.svc")).await.status, 503);
}

#[tokio::test]
async fn versions_out_of_range_are_refused() {
    let authority = Authority::new("mesh");
    let body = mesh("").replace("tls {", "tls min-version=\"1.3\" {");
    let leaf = authority.leaf(&["beta.svc"]);
    let live = Live::of(&body).files(leaf.files("beta")).files(leaf.files("alpha")).up().await;
    let dial = || TlsDial::new(&authority.pem(), "beta.svc").certificate(&leaf);
    assert!(dial().only_1_2().connect(live.at("beta", 4100)).await.is_err());
    let agreed = dial().only_1_3().alpn(&["h2", "http/1.1"]).connect(live.at("beta", 4100)).await.unwrap();
    assert_eq!(agreed.alpn.as_deref(), Some("h2"));
}

#[tokio::test]
async fn a_service_without_a_sidecar_gets_a_name_and_a_certificate() {
    let (servers, callers) = (Authority::new("servers"), Authority::new("callers"));
    let mut outside = Outside::new().await;
    let server = TlsServer::mutual(&servers.leaf(&["bank.internal"]), &callers.pem());
    outside.add("198.51.100.7:443", Serves::Tls(server)).await;
    let live = Live::of(
        r#"
        service "bank.svc" {
            endpoint "198.51.100.7:443"
            client-tls sni="bank.internal" {
                certificate { files chain="${folder}/alpha/tls.crt" key="${folder}/alpha/tls.key"; }
                server ca-file="${folder}/servers.pem" { subject-alt-name "bank.internal"; }
            }
        }
        node "alpha" calls="bank.svc"
        "#,
    )
    .files(callers.leaf(&["alpha"]).files("alpha"))
    .file("servers.pem", servers.pem())
    .outside(outside)
    .up()
    .await;
    assert_eq!(live.send("alpha", Request::get("/").host("bank.svc")).await.status, 200);
    let received = live.outside().echo("198.51.100.7:443").received();
    let encryption = received.first().and_then(|received| received.encryption.as_ref()).unwrap();
    assert_eq!(encryption.server_name.as_deref(), Some("bank.internal"));
    assert!(encryption.client_certificate.is_some());
}

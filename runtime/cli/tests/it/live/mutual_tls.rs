//! Callers prove who they are.

use local::{Client, Request};
use world::{Authority, Leaf, TlsDial};

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

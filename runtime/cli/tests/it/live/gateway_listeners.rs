//! Ports of a gateway: which hosts they have, which certificates they show, what they speak.

use std::sync::Arc;

use local::{Client, Request, Version};
use world::{Authority, TlsDial};

use super::{Live, received, service};

const MESH: &str = r#"
    service "shop.svc" { endpoint "10.0.0.1:3000" }
    service "admin.svc" { endpoint "10.0.0.2:3000" }
    node "shop" serves="shop.svc"
    node "admin" serves="admin.svc"
    gateway "edge" {
        listen 8080
        listen 8443 { tls { certificate { files chain="${folder}/edge/tls.crt" key="${folder}/edge/tls.key" } } }
        listen 8081 protocol="http2"
        host "shop.example" {
            route { port 8080; redirect scheme="https" }
            to "shop.svc"
        }
        host "shop.example:8081" { to "admin.svc" }
        host "admin.example:8443" {
            certificate { files chain="${folder}/admin/tls.crt" key="${folder}/admin/tls.key" }
            to "admin.svc"
        }
    }
"#;

fn get(host: &str) -> Request {
    Request::get("/").host(host)
}

#[tokio::test]
async fn each_port_has_its_hosts_routes_and_certificates() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let mut files = one.leaf(&["shop.example", "unknown.example"]).files("edge");
    files.extend(other.leaf(&["admin.example"]).files("admin"));
    let live = Live::with(files, MESH).await;

    let answer = live.send_to("edge", 8080, get("shop.example")).await;
    assert_eq!((answer.status, answer.header("location").as_deref()), (301, Some("https://shop.example/")));
    assert_eq!(live.send_to("edge", 8080, get("admin.example")).await.status, 404, "on its own port only");

    let at = live.at("edge", 8443);
    let over = |authority: &Authority, name: &str| {
        Client::over(Arc::new(TlsDial::new(&authority.pem(), name).alpn(&["http/1.1"])), at)
    };
    let answer = over(&one, "shop.example").send(&get("shop.example")).await.unwrap();
    assert_eq!(service(&answer), "shop.svc");
    assert_eq!(received(&answer, "x-forwarded-proto"), ["https"]);
    assert_eq!(service(&over(&other, "admin.example").send(&get("admin.example")).await.unwrap()), "admin.svc");
    assert!(over(&one, "admin.example").send(&get("admin.example")).await.is_err(), "the host's own certificate");
    assert_eq!(service(&over(&one, "unknown.example").send(&get("shop.example")).await.unwrap()), "shop.svc");
    let agreed = TlsDial::new(&one.pem(), "shop.example").alpn(&["h2", "http/1.1"]).connect(at).await.unwrap();
    assert_eq!(agreed.alpn.as_deref(), Some("h2"));

    let mut client = Client::new(live.at("edge", 8081)).version(Version::Http2);
    assert_eq!(service(&client.send(&get("shop.example")).await.unwrap()), "admin.svc", "the host with the port");
    assert!(Client::new(live.at("edge", 8081)).send(&get("shop.example")).await.is_err(), "HTTP/2 alone");
}

#[tokio::test]
async fn callers_do_not_steer_the_gateway() {
    let live = Live::up(
        r#"
        service "shop.svc" { endpoint "10.0.0.1:3000" }
        node "shop" serves="shop.svc"
        gateway "edge" listen=8080 { host "*" { to "shop.svc" } }
        "#,
    )
    .await;
    let steering = [
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-max-retries", "9"),
        ("x-envoy-original-path", "/admin"),
        ("x-envoy-internal", "true"),
        ("x-meshwright-route", "admin.svc"),
    ];
    let request = steering.iter().fold(get("any.example"), |request, (name, value)| request.header(name, value));
    let answer = live.send("edge", request).await;
    assert_eq!(service(&answer), "shop.svc");
    for (name, value) in steering {
        assert!(!received(&answer, name).contains(&value.to_owned()), "{name}");
    }
}

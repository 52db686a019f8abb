//! What an application may reach outside the mesh by way of its sidecar.

use local::Request;
use world::tunnel::Tunnel;
use world::{Outside, Serves};

use super::{Live, service};

const BETA: &str = r#"
    service "beta.svc" { endpoint "10.0.0.1:3000" }
    node "beta" serves="beta.svc"
"#;

async fn outside() -> Outside {
    let mut outside = Outside::new().await;
    for server in ["api.example:8080", "api.example:9090", "a.b.wild.example:8080", "other.example:8080"] {
        outside.add(server, Serves::Http).await;
    }
    outside.add("bytes.example:25", Serves::Tcp).await;
    outside.names().set("metadata.wild.example", &[[169, 254, 169, 254].into()]);
    outside.names().set("home.wild.example", &[[127, 0, 0, 1].into()]);
    outside
}

fn get(host: &str) -> Request {
    Request::get(&format!("http://{host}/"))
}

#[tokio::test]
async fn only_listed_hosts_and_ports_are_reached() {
    let body = r#"
        node "alpha" {
            calls "beta.svc"
            egress "listed" {
                host "api.example" port=8080
                host "*.wild.example" port=8080
                host "bytes.example" port=25
            }
        }
    "#;
    let live = Live::of(&format!("{BETA}{body}")).outside(outside().await).up().await;
    assert_eq!(service(&live.send("alpha", get("beta.svc")).await), "beta.svc");
    for (host, found) in [("api.example:8080", "api.example"), ("a.b.wild.example:8080", "a.b.wild.example")] {
        assert_eq!(service(&live.send("alpha", get(host)).await), found);
    }
    for host in ["api.example", "api.example:9090", "other.example:8080", "wild.example:8080", "10.0.0.1:3000"] {
        assert_eq!(live.send("alpha", get(host)).await.status, 404, "{host}");
    }
    for host in ["metadata.wild.example:8080", "home.wild.example:8080"] {
        assert_eq!(live.send("alpha", get(host)).await.status, 403, "{host}");
    }
    let proxy = live.at("alpha", 4000);
    for target in ["api.example:8080", "a.b.wild.example:8080"] {
        let mut wire = Tunnel::to(target).open(proxy).await.unwrap();
        wire.send(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(wire.line().await.starts_with("HTTP/1.1 200"), "{target}");
    }
    let mut wire = Tunnel::to("bytes.example:25").open(proxy).await.unwrap();
    wire.send(b"x\n").await;
    assert!(wire.line().await.starts_with("bytes.example "));
    for (target, status) in [
        ("api.example:9090", 404),
        ("other.example:8080", 404),
        ("beta.svc:4100", 404),
        ("169.254.169.254:80", 404),
        ("metadata.wild.example:8080", 403),
        ("home.wild.example:8080", 403),
    ] {
        assert_eq!(Tunnel::to(target).open(proxy).await.err(), Some(status), "{target}");
    }
}

#[tokio::test]
async fn anything_but_metadata_and_the_sidecar_itself_is_reached() {
    let body = r#"
        node "alpha" {
            calls "beta.svc"
            // meshwright: allow open-egress: that is what is tested
            egress "allow-all"
        }
    "#;
    let live = Live::of(&format!("{BETA}{body}")).outside(outside().await).up().await;
    assert_eq!(service(&live.send("alpha", get("beta.svc")).await), "beta.svc");
    assert_eq!(service(&live.send("alpha", get("other.example:8080")).await), "other.example");
    let proxy = live.at("alpha", 4000);
    assert!(Tunnel::to("api.example:9090").open(proxy).await.is_ok());
    let own = proxy.ip();
    for target in [
        "169.254.169.254:80".to_owned(),
        "169.254.170.2:80".to_owned(),
        "[::ffff:169.254.169.254]:80".to_owned(),
        "[fd00:ec2::254]:80".to_owned(),
        "127.0.0.1:9901".to_owned(),
        "[::1]:9901".to_owned(),
        "0.0.0.0:9901".to_owned(),
        format!("{own}:9901"),
        format!("{own}:4000"),
        format!("{own}:15090"),
        "metadata.wild.example:80".to_owned(),
    ] {
        assert_eq!(live.send("alpha", get(&target)).await.status, 403, "{target}");
        assert_eq!(Tunnel::to(&target).open(proxy).await.err(), Some(403), "{target}");
    }
}

#[tokio::test]
async fn the_sidecar_checks_certificates_where_it_encrypts() {
    let authority = world::Authority::new("nobody knows it");
    let mut outside = Outside::new().await;
    let server = world::TlsServer::new(&authority.leaf(&["api.example"]));
    outside.add("api.example:443", Serves::Tls(server)).await;
    let body = r#"node "alpha" { calls "beta.svc"; egress "listed" { host "api.example" originate-tls=#true } }"#;
    let live = Live::of(&format!("{BETA}{body}")).outside(outside).up().await;
    for host in ["api.example", "api.example:443"] {
        assert_eq!(live.send("alpha", get(host)).await.status, 503, "{host}");
    }
    live.wait_for_counter("alpha", "cluster.egress-tls_api_example_443.ssl.fail_verify_error", |count| count > 0).await;
    assert_eq!(live.outside().echo("api.example:443").received_count(), 0);
}

#[tokio::test]
async fn without_a_policy_nothing_outside_is_reached() {
    let live =
        Live::of(&format!("{BETA}{}", r#"node "alpha" { calls "beta.svc" }"#)).outside(outside().await).up().await;
    assert_eq!(live.send("alpha", get("api.example:8080")).await.status, 404);
    assert_eq!(Tunnel::to("api.example:8080").open(live.at("alpha", 4000)).await.err(), Some(404));
}

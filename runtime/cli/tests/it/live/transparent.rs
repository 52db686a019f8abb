//! Connections that are taken without the application's knowledge, in a network of the test's own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use local::echo::{self, Identity, Tries};
use local::{Client, Request};
use tokio::net::TcpListener;
use world::wire::Wire;
use world::{Authority, From, Outside, Serves, TlsDial, TlsServer, namespace};

use super::{Live, received, service};

const BETA: &str = r#"
    service "beta.svc" {
        port 80
        endpoint "10.0.0.1:3000"
        ip-access { deny "127.9.66.0/24"; }
    }
    service "db.svc" { protocol "tcp"; port 5432; dns "db.internal:5432" }
    node "beta" { serves "beta.svc"; transparent-proxy }
"#;

fn from(address: IpAddr, to: SocketAddr) -> Client {
    Client::over(Arc::new(From(address)), to)
}

async fn serve(address: &str) -> local::Echo {
    let address: SocketAddr = address.parse().unwrap();
    namespace::add_address(address.ip());
    let identity = Identity { node: None, service: "far.example".to_owned(), endpoint: address.to_string() };
    echo::serve(TcpListener::bind(address).await.unwrap(), identity, Tries::default()).unwrap()
}

#[test]
fn requests_are_taken_on_both_sides() {
    if !namespace::enter("live::transparent::requests_are_taken_on_both_sides") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let far = serve("10.7.7.7:80").await;
        let body = r#"node "alpha" { calls "beta.svc"; transparent-proxy }"#;
        let live = Live::of(&format!("{BETA}{body}")).intercepted().up().await;
        let alpha = live.at("alpha", 15001).ip();
        let beta = live.workload("10.0.0.1:3000");
        // The application of alpha calls whatever address by name: its sidecar finds the service.
        for to in [beta.address(), far.address(), "10.1.2.3:80".parse().unwrap()] {
            let answer = from(alpha, to).send(&Request::get("/").host("beta.svc")).await.unwrap();
            assert_eq!(service(&answer), "beta.svc", "{to}");
        }
        let unknown = from(alpha, far.address()).send(&Request::get("/").host("far.example")).await.unwrap();
        assert_eq!(unknown.status, 404);
        assert_eq!(far.received_count(), 0);
        let mut bytes = Wire::over(&From(alpha), far.address()).await;
        bytes.send(b"\0\x01\x02 these are no request\n").await;
        assert!(bytes.is_ended().await, "bytes to nobody's address");
        // Somebody outside the mesh calls the application of beta: its sidecar was asked.
        let stranger = IpAddr::from([127, 9, 9, 9]);
        let answer = from(stranger, beta.address()).send(&Request::get("/").host("anything")).await.unwrap();
        assert_eq!(service(&answer), "beta.svc");
        assert_eq!(received(&answer, "host"), ["anything"]);
        let taken = live.counter("beta", "http.transparent_ingress_route_3000_http.downstream_rq_total").await;
        assert!(taken >= 1);
        // Another one may not come, whatever it claims.
        let denied = Request::get("/").host("anything").header("x-forwarded-for", "127.9.9.9");
        let answer = from(IpAddr::from([127, 9, 66, 1]), beta.address()).send(&denied).await.unwrap();
        assert_eq!(answer.status, 403);
        assert!(beta.received().iter().all(|received| received.peer.ip() != stranger));
    });
}

#[test]
fn what_is_unknown_goes_on_where_everything_is_allowed() {
    if !namespace::enter("live::transparent::what_is_unknown_goes_on_where_everything_is_allowed") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (far, metadata) = (serve("10.7.7.7:8080").await, serve("169.254.169.254:80").await);
        let body = r#"
            node "alpha" {
                calls "beta.svc"
                transparent-proxy
                // meshwright: allow open-egress: that is what is tested
                egress "allow-all"
            }
        "#;
        let live = Live::of(&format!("{BETA}{body}")).intercepted().up().await;
        let alpha = live.at("alpha", 15001).ip();
        let answer = from(alpha, far.address()).send(&Request::get("/").host("far.example")).await.unwrap();
        assert_eq!(service(&answer), "far.example");
        let answer = from(alpha, far.address()).send(&Request::get("/").host("beta.svc")).await.unwrap();
        assert_eq!(service(&answer), "beta.svc");
        let refused = from(alpha, metadata.address()).send(&Request::get("/").host("far.example")).await.unwrap();
        assert_eq!(refused.status, 403);
        let mut bytes = Wire::over(&From(alpha), metadata.address()).await;
        bytes.send(b"\0\x01\x02 no request\n").await;
        assert!(bytes.is_ended().await);
        assert_eq!(metadata.received_count(), 0);
        // Nobody gets anywhere who dials the sidecar itself.
        let direct = from(alpha, live.at("alpha", 15001)).send(&Request::get("/").host("far.example")).await.unwrap();
        assert_eq!(direct.status, 403);
    });
}

#[test]
fn bytes_are_told_apart_by_port_and_encrypted_ones_by_name() {
    if !namespace::enter("live::transparent::bytes_are_told_apart_by_port_and_encrypted_ones_by_name") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let authority = Authority::new("outside");
        let mut outside = Outside::new().await;
        for name in ["bank.example", "a.wild.example", "other.example"] {
            outside.add(&format!("{name}:443"), Serves::Tls(TlsServer::new(&authority.leaf(&[name])))).await;
        }
        outside.add("db.internal:5432", Serves::Tcp).await;
        let body = r#"
            node "alpha" {
                calls "beta.svc" "db.svc"
                transparent-proxy
                egress "listed" { host "bank.example"; host "*.wild.example"; }
            }
        "#;
        let live = Live::of(&format!("{BETA}{body}")).outside(outside).intercepted().up().await;
        let alpha = live.at("alpha", 15001).ip();
        // The port says which service of bytes is meant, whatever address is dialled.
        let mut bytes = Wire::over(&From(alpha), "10.5.5.5:5432".parse().unwrap()).await;
        bytes.send(b"x\n").await;
        assert!(bytes.line().await.starts_with("db.internal "));
        let mut bytes = Wire::over(&From(alpha), "10.5.5.5:5433".parse().unwrap()).await;
        bytes.send(b"\0\x01\x02 x\n").await;
        assert!(bytes.is_ended().await, "no service has this port");
        // The server name says which host is meant; the application's own TLS reaches it.
        let far: SocketAddr = "10.3.3.3:443".parse().unwrap();
        let dial = |name: &str| TlsDial::new(&authority.pem(), name).over(Arc::new(From(alpha)));
        for name in ["bank.example", "a.wild.example"] {
            let answer = Client::over(dial(name).dialer(), far).send(&Request::get("/").host(name)).await.unwrap();
            assert_eq!(service(&answer), name);
        }
        for name in ["other.example", "wild.example", "beta.svc"] {
            assert!(dial(name).connect(far).await.is_err(), "{name}");
        }
        let elsewhere: SocketAddr = "10.3.3.3:8443".parse().unwrap();
        assert!(dial("bank.example").connect(elsewhere).await.is_err(), "on another port");
        assert_eq!(live.outside().echo("other.example:443").connection_count(), 0);
    });
}

#[test]
fn interception_has_the_ports_that_the_task_says() {
    if !namespace::enter("live::transparent::interception_has_the_ports_that_the_task_says") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let live = Live::of(
            r#"
            service "beta.svc" { port 80; endpoint "10.0.0.1:3000"; }
            node "alpha" { calls "beta.svc"; transparent-proxy outbound-port=16001; }
            node "beta" { serves "beta.svc"; transparent-proxy inbound-port=16000; }
            "#,
        )
        .intercepted()
        .up()
        .await;
        let alpha = live.at("alpha", 16001).ip();
        let beta = live.workload("10.0.0.1:3000");
        let answer =
            from(alpha, "10.1.2.3:80".parse().unwrap()).send(&Request::get("/").host("beta.svc")).await.unwrap();
        assert_eq!(service(&answer), "beta.svc");
        let stranger = IpAddr::from([127, 9, 9, 9]);
        let answer = from(stranger, beta.address()).send(&Request::get("/").host("anything")).await.unwrap();
        assert_eq!(service(&answer), "beta.svc");
        assert_eq!(live.counter("beta", "http.transparent_ingress_route_3000_http.downstream_rq_total").await, 1);
    });
}

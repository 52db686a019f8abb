//! One port, every protocol.

use std::sync::Arc;

use local::echo::{self, GRPC_STATUS};
use local::{Client, Health, Request, Version};
use meshwright_world::wire::{Wire, exchange, status};
use meshwright_world::{From, grpc, web_socket};

use crate::{identity, listener, workload};

#[tokio::test]
async fn both_versions_of_http_are_answered_on_one_port() {
    let echo = workload().await;
    for (version, spoken) in [(Version::Http1, "HTTP/1.1"), (Version::Http2, "HTTP/2.0")] {
        let mut client = Client::new(echo.address()).version(version);
        let request = Request::new("POST", "/a?b=c").host("beta.svc").header("x-one", "1").body("hello");
        let answer = client.send(&request).await.expect("an answer").json().expect("JSON");
        assert_eq!((&answer["host"], &answer["path"]), (&"beta.svc".into(), &"/a?b=c".into()), "{spoken}");
        let received = echo.received().pop().expect("a request");
        assert_eq!(received.protocol, spoken);
        assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/a?b=c"));
        assert_eq!((received.host.as_str(), received.header("x-one")), ("beta.svc", vec!["1"]));
        assert_eq!(received.body, "hello");
    }
    assert_eq!((echo.received_count(), echo.connection_count()), (2, 2));
}

#[tokio::test]
async fn a_call_of_grpc_ends_as_it_asks() {
    let echo = workload().await;
    let mut client = Client::new(echo.address()).version(Version::Http2);
    let request = || grpc::request("beta.svc", "/shop.Cart/Add", b"message");
    let reply = grpc::call(&mut client, &request()).await.expect("a reply");
    assert_eq!((reply.status, reply.grpc_status), (200, Some(0)));
    assert_eq!(reply.echo()["path"], "/shop.Cart/Add");
    let reply = grpc::call(&mut client, &request().header(GRPC_STATUS, "14")).await.expect("a reply");
    assert_eq!((reply.grpc_status, reply.grpc_message.as_str()), (Some(14), "as the request says"));
}

#[tokio::test]
async fn the_health_service_says_what_it_is_told() {
    let echo = workload().await;
    let mut client = Client::new(echo.address()).version(Version::Http2);
    assert!(grpc::health(&mut client, "beta.svc").await.expect("a reply").is_serving());
    echo.set_health(Health::NotServing);
    let reply = grpc::health(&mut client, "beta.svc").await.expect("a reply");
    assert_eq!((reply.grpc_status, reply.message.as_ref()), (Some(0), &[8, 2][..]));
    let check = Request::get("/healthz").host("beta.svc").header("user-agent", "Envoy/HC");
    assert_eq!(client.send(&check).await.expect("an answer").status, 503);
    assert_eq!(echo.received_count(), 2, "Envoy's own checks are not requests");
}

#[tokio::test]
async fn messages_of_a_web_socket_come_back() {
    let echo = workload().await;
    let mut socket = web_socket::open(echo.address(), "beta.svc", "/chat").await.expect("an upgrade");
    assert_eq!(socket.header("x-echo-service"), Some("beta.svc"));
    assert_eq!(socket.echo("hello").await, "hello");
    assert_eq!(socket.echo("again").await, "again");
    assert_eq!(echo.received()[0].path, "/chat");
}

#[tokio::test]
async fn bytes_after_any_other_upgrade_come_back() {
    let echo = workload().await;
    let mut wire = Wire::open(echo.address()).await;
    wire.send(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: shop\r\n\r\n").await;
    assert_eq!(status(&wire.until(b"\r\n\r\n").await), Some(101));
    wire.send(b"\x00\xff").await;
    assert_eq!(wire.receive(2).await, b"\x00\xff");
}

#[tokio::test]
async fn bytes_are_sent_as_they_are() {
    let echo = workload().await;
    let answer = exchange(echo.address(), b"GET / HTTP/1.1\r\nhost: a\r\nx-a: b\r\r\n\r\n").await;
    assert_eq!(status(&answer), Some(400));
}

#[tokio::test]
async fn a_tcp_workload_names_itself_and_repeats() {
    let echo = echo::serve_tcp(listener().await, identity()).expect("a bound socket");
    let answer = exchange(echo.address(), b"hello").await;
    assert_eq!(answer, b"beta.svc 10.0.0.1:3000 beta\nhello");
    assert_eq!(echo.received()[0].body, "hello");
    echo.greet_first();
    let mut wire = Wire::open(echo.address()).await;
    assert_eq!(wire.line().await, "beta.svc 10.0.0.1:3000 beta\n");
    wire.send(b"late").await;
    assert_eq!(wire.receive(4).await, b"late");
}

#[tokio::test]
async fn a_client_chooses_its_own_address() {
    let echo = workload().await;
    let from = From([127, 9, 9, 9].into());
    Client::over(Arc::new(from), echo.address()).send(&Request::get("/")).await.expect("an answer");
    assert_eq!(echo.received()[0].peer.ip(), from.0);
}

//! Workloads change their behaviour while a test runs.

use std::time::{Duration, Instant};

use local::{Behaviour, Client, Request, Version};
use meshwright_world::grpc;
use meshwright_world::wire::Wire;

use crate::workload;

#[tokio::test]
async fn the_next_requests_fail_and_those_after_them_do_not() {
    let echo = workload().await;
    let mut client = Client::new(echo.address());
    echo.behave_for(2, Behaviour::Status(503));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let check = Request::get("/").header("user-agent", "Envoy/HC");
        assert_eq!(client.send(&check).await.expect("an answer").status, 200, "health is another matter");
        statuses.push(client.send(&Request::get("/")).await.expect("an answer").status);
    }
    assert_eq!(statuses, [503, 503, 200]);
    echo.behave(Behaviour::Status(418));
    assert_eq!(client.send(&Request::get("/")).await.expect("an answer").status, 418);
    echo.reset();
    assert_eq!(client.send(&Request::get("/")).await.expect("an answer").status, 200);
    assert_eq!(echo.received_count(), 1);
}

#[tokio::test]
async fn a_connection_is_reset_or_closed_without_an_answer() {
    let echo = workload().await;
    for (behaviour, is_reset) in [(Behaviour::Reset, true), (Behaviour::Close, false)] {
        echo.behave(behaviour);
        let mut stream = tokio::net::TcpStream::connect(echo.address()).await.expect("a connection");
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await;
        match is_reset {
            true => assert_eq!(read.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset),
            false => assert_eq!(read.expect("an end"), 0),
        }
    }
    let mut wire = Wire::open(echo.address()).await;
    wire.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(wire.is_ended().await);
}

#[tokio::test]
async fn answers_are_delayed_or_kept_back() {
    let echo = workload().await;
    for behaviour in [Behaviour::Delay(Duration::from_millis(60)), Behaviour::DelayBody(Duration::from_millis(60))] {
        echo.behave(behaviour);
        let before = Instant::now();
        let answer = Client::new(echo.address()).send(&Request::get("/")).await.expect("an answer");
        assert_eq!((answer.status, before.elapsed() >= Duration::from_millis(60)), (200, true));
    }
    echo.behave(Behaviour::Hang);
    let mut client = Client::new(echo.address()).timeout(Duration::from_millis(50));
    assert!(client.send(&Request::get("/")).await.is_err());
}

#[tokio::test]
async fn a_workload_stands_in_for_a_service_with_answers_of_its_own() {
    let echo = workload().await;
    let headers = vec![("x-user".to_owned(), "ada".to_owned())];
    echo.behave(Behaviour::Reply { status: 403, headers, body: "no".into() });
    let answer = Client::new(echo.address()).send(&Request::get("/")).await.expect("an answer");
    assert_eq!((answer.status, answer.header("x-user").as_deref(), &*answer.text()), (403, Some("ada"), "no"));
    let mut client = Client::new(echo.address()).version(Version::Http2);
    let request = grpc::request("auth.svc", "/a.B/C", b"");
    echo.behave(Behaviour::GrpcMessage(vec![8, 7].into()));
    assert_eq!(grpc::call(&mut client, &request).await.expect("a reply").message.as_ref(), [8, 7]);
    echo.behave(Behaviour::GrpcStatus(7));
    assert_eq!(grpc::call(&mut client, &request).await.expect("a reply").grpc_status, Some(7));
}

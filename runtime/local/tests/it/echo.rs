//! What the echo workload answers, and how it is made to fail and to wait.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use meshwright_local::echo::{self, Echo, Identity, Tries};
use meshwright_local::{Client, Request, Response, send_all};
use tokio::net::TcpListener;

async fn echo_of(service: &str, tries: Tries) -> Echo {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = "10.123.0.21:3000".to_owned();
    let identity = Identity { node: Some("beta".to_owned()), service: service.to_owned(), endpoint };
    echo::serve(listener, identity, tries).expect("a served socket")
}

async fn answer(request: Request) -> Response {
    let echo = echo_of("beta.svc", Tries::default()).await;
    Client::new(echo.address()).send(&request).await.expect("an answer")
}

async fn check(request: Request, expected: Expect) {
    let response = answer(request).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("Content-Type").as_deref(), Some("application/json"));
    expected.assert_eq(&response.text());
}

#[tokio::test]
async fn the_answer_says_who_answers_and_what_was_asked() {
    let request = Request::get("/a?b=c").host("beta.svc").header("x-two", "1").header("x-one", "z");
    check(request.header("X-Two", "2"), expect![[r#"{"node":"beta","service":"beta.svc","endpoint":"10.123.0.21:3000","method":"GET","path":"/a?b=c","host":"beta.svc","headers":{"host":["beta.svc"],"x-one":["z"],"x-two":["1","2"]}}"#]]).await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_shown_escaped() {
    let request = Request::new("POST", "/").host("h").header("x", b"\xff\t\"").body("ignored");
    check(request, expect![[r#"{"node":"beta","service":"beta.svc","endpoint":"10.123.0.21:3000","method":"POST","path":"/","host":"h","headers":{"content-length":["7"],"host":["h"],"x":["\\xff\\t\\\""]}}"#]]).await;
}

#[tokio::test]
async fn an_absolute_target_is_sent_as_it_is() {
    let request = Request::get("http://beta.svc/a");
    check(request, expect![[r#"{"node":"beta","service":"beta.svc","endpoint":"10.123.0.21:3000","method":"GET","path":"/a","host":"beta.svc","headers":{"host":["beta.svc"]}}"#]]).await;
}

#[tokio::test]
async fn a_status_is_answered_on_request() {
    assert_eq!(answer(Request::get("/").header(echo::STATUS, "418")).await.status, 418);
}

#[tokio::test]
async fn headers_are_answered_on_request() {
    let asked = ["x-a: 1", "x-a:2", "no header", "content-type: text/plain", "bad name: 1"];
    let request = asked.into_iter().fold(Request::get("/"), |request, line| request.header(echo::HEADER, line));
    let response = answer(request).await;
    let values: Vec<_> = response.headers.iter().filter(|(name, _)| name == "x-a").map(|(_, value)| value).collect();
    assert_eq!(values, [b"1", b"2"]);
    assert_eq!(response.header("content-type").as_deref(), Some("text/plain"));
}

#[tokio::test]
async fn a_status_that_http_cannot_answer_with_is_ignored() {
    for status in ["100", "999", "many"] {
        assert_eq!(answer(Request::get("/").header(echo::STATUS, status)).await.status, 200, "{status}");
    }
}

#[tokio::test]
async fn the_first_tries_of_a_request_fail() {
    let tries = Tries::default();
    let (here, there) = (echo_of("beta.svc", tries.clone()).await, echo_of("beta.svc", tries.clone()).await);
    let other_service = echo_of("gamma.svc", tries).await;
    let request = |id: &str| Request::get("/").header(echo::FAIL, "2").header("x-request-id", id);
    let ask = async |address: SocketAddr, request: Request| {
        Client::new(address).send(&request).await.expect("an answer").status
    };
    assert_eq!(ask(here.address(), request("a")).await, 503);
    assert_eq!(ask(there.address(), request("a")).await, 503, "tries count on whichever endpoint they arrive");
    assert_eq!(ask(here.address(), request("a")).await, 200);
    assert_eq!(ask(here.address(), request("b")).await, 503, "another request begins anew");
    assert_eq!(ask(other_service.address(), request("a")).await, 503, "another service begins anew");
    assert_eq!(ask(here.address(), request("c").header(echo::STATUS, "502")).await, 502);
}

#[tokio::test]
async fn an_answer_is_delayed_on_request() {
    let before = Instant::now();
    answer(Request::get("/").header(echo::DELAY, "30")).await;
    assert!(before.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests() {
    let echo = echo_of("beta.svc", Tries::default()).await;
    let requests = (0..500).map(|number| Request::get(&format!("/{number}"))).collect();
    let answers = send_all(echo.address(), requests, 8).await;
    assert_eq!(answers.len(), 500);
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = answer.expect("an answer").json().expect("JSON");
        assert_eq!(answer["path"], format!("/{number}"));
    }
}

#[tokio::test]
async fn a_client_finds_its_server_again_after_the_connection_was_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let identity = || Identity { node: None, service: "a".to_owned(), endpoint: "10.0.0.1:1".to_owned() };
    let first = echo::serve(listener, identity(), Tries::default()).expect("a served socket");
    let mut client = Client::new(address);
    client.send(&Request::get("/")).await.expect("an answer");
    drop(first);
    let again = loop {
        // The old socket is closed by a task that has yet to run.
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let _second = echo::serve(again, identity(), Tries::default()).expect("a served socket");
    client.send(&Request::get("/")).await.expect("an answer on a new connection");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_an_error() {
    let echo = echo_of("beta.svc", Tries::default()).await;
    let mut client = Client::new(echo.address()).timeout(Duration::from_millis(50));
    let error = client.send(&Request::get("/").header(echo::DELAY, "60000")).await.expect_err("too late");
    assert!(error.to_string().contains("within 50ms"), "{error}");
    client.send(&Request::get("/")).await.expect("the client is usable again");
}

#[tokio::test]
async fn what_is_not_http_is_refused_before_it_is_sent() {
    let mut client = Client::new("127.0.0.1:1".parse().expect("an address"));
    for request in [Request::get("no path"), Request::new("G T", "/"), Request::get("/").header("a b", "c")] {
        let error = client.send(&request).await.expect_err("not HTTP");
        assert!(error.to_string().starts_with("not a valid request"), "{error}");
    }
}

#[test]
fn credentials_are_encoded_as_the_rfc_says() {
    assert_eq!(meshwright_local::basic_auth("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

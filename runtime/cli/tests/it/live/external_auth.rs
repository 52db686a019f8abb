//! Another server is asked about each request.

use envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy::google::rpc::Status;
use envoy::service::auth::v3::check_response::HttpResponse;
use envoy::service::auth::v3::{CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse};
use envoy::r#type::v3::HttpStatus;
use local::{Behaviour, Request};
use prost::Message as _;

use super::{Live, received};

const MESH: &str = r#"
    rules { rule "fail-open" level="off" reason="what it means is tested"; }
    service "beta.svc" {
        endpoint "10.0.0.1:3000"
        health-check path="/healthz" interval="1s" cache="0s"
        external-auth service="guard.svc" path-prefix="/check" failure="FAILURE" timeout="500ms" max-body-bytes=8 {
            send-header "x-tenant"
            accept-header "x-user"
            header "x-internal" exact="yes" invert=#true
        }
    }
    service "guard.svc" { endpoint "10.0.0.2:3000" }
    node "alpha" calls="beta.svc"
    node "beta" serves="beta.svc"
    node "guard" serves="guard.svc"
"#;

fn reply(status: u16, headers: &[(&str, &str)]) -> Behaviour {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Behaviour::Reply { status, headers, body: "because".into() }
}

#[tokio::test]
async fn the_answer_decides() {
    let live = Live::up(&MESH.replace("FAILURE", "closed")).await;
    let guard = live.workload("10.0.0.2:3000");
    let ask = || Request::get("/a?b=c").host("beta.svc").header("x-tenant", "t").header("x-user", "forged");
    guard.behave(reply(200, &[("x-user", "ada"), ("x-other", "o")]));
    let answer = live.send("alpha", ask().header("x-secret", "s").header("authorization", "Bearer x")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(received(&answer, "x-user"), ["ada"]);
    assert_eq!(received(&answer, "x-other"), [] as [&str; 0]);
    let asked = guard.received();
    let question = asked.iter().find(|it| it.path.starts_with("/check")).unwrap();
    assert_eq!(question.path, "/check/a?b=c");
    let sent = |name: &str| question.headers.iter().any(|(header, _)| header == name);
    assert!(sent("x-tenant") && sent("authorization") && !sent("x-secret"), "{:?}", question.headers);
    for status in [401, 403, 302, 404] {
        guard.behave(reply(status, &[]));
        let answer = live.send("alpha", ask()).await;
        assert_eq!((answer.status, answer.text().as_ref()), (status, "because"));
    }
    guard.behave(reply(500, &[]));
    assert_eq!(live.send("alpha", ask()).await.status, 403, "an error is no answer");
    let reached = live.workload("10.0.0.1:3000").received_count();
    guard.behave(Behaviour::Hang);
    assert_eq!(live.send("alpha", ask()).await.status, 403, "no answer in time");
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), reached);
    assert_eq!(live.send("alpha", ask().header("x-internal", "yes")).await.status, 200, "nobody is asked");
    let twice = |one: &str, other: &str| ask().header("x-internal", one).header("x-internal", other);
    assert_eq!(live.send("alpha", twice("no", "yes")).await.status, 403);
    let unasked = live.send("alpha", twice("yes", "no")).await;
    assert_eq!(received(&unasked, "x-internal"), ["yes"], "what was judged is what the application gets");
    assert_eq!(live.counter("alpha", "cluster.beta_svc.membership_healthy").await, 1, "checks are not asked about");
}

#[tokio::test]
async fn without_an_answer_an_open_door_stays_open() {
    let live = Live::up(&MESH.replace("FAILURE", "open")).await;
    let guard = live.workload("10.0.0.2:3000");
    guard.behave(Behaviour::Hang);
    let ask = || Request::get("/").host("beta.svc");
    assert_eq!(live.send("alpha", ask()).await.status, 200);
    guard.behave(reply(403, &[]));
    assert_eq!(live.send("alpha", ask()).await.status, 403);
}

/// `google.rpc.Status` of a code, and beside it the rest of an answer to the question.
fn verdict(code: i32, rest: Option<HttpResponse>) -> Behaviour {
    let status = Some(Status { code, ..Status::default() });
    Behaviour::GrpcMessage(
        CheckResponse { status, http_response: rest, ..CheckResponse::default() }.encode_to_vec().into(),
    )
}

#[tokio::test]
async fn a_guard_that_speaks_grpc_decides() {
    let live = Live::up(
        r#"
        rules { rule "fail-open" level="off" reason="what it means is tested"; }
        service "beta.svc" { endpoint "10.0.0.1:3000"; external-auth service="guard.svc" grpc=#true timeout="500ms" max-body-bytes=8; }
        service "gamma.svc" { endpoint "10.0.0.1:3001"; external-auth service="guard.svc" grpc=#true timeout="500ms" failure="open"; }
        service "guard.svc" { protocol "grpc"; endpoint "10.0.0.2:3000"; }
        node "alpha" calls="*"
        node "all" { serves "beta.svc" "gamma.svc"; }
        node "guard" serves="guard.svc"
        "#,
    )
    .await;
    let guard = live.workload("10.0.0.2:3000");
    let ask = || Request::new("POST", "/a?b=c").host("beta.svc").header("x-tenant", "t").body("12345678");
    let user = HeaderValue { key: "x-user".to_owned(), value: "ada".to_owned(), ..HeaderValue::default() };
    let header = HeaderValueOption { header: Some(user), ..HeaderValueOption::default() };
    let allowed = OkHttpResponse { headers: vec![header], ..OkHttpResponse::default() };
    guard.behave(verdict(0, Some(HttpResponse::OkResponse(allowed))));
    let answer = live.send("alpha", ask().header("x-user", "forged")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(received(&answer, "x-user"), ["ada"]);
    let asked = guard.received();
    let question = asked.first().unwrap();
    assert_eq!(question.path, "/envoy.service.auth.v3.Authorization/Check");
    assert_eq!(question.host, "guard.svc");
    let asked = CheckRequest::decode(&question.body[5..]).unwrap();
    let asked = asked.attributes.unwrap().request.unwrap().http.unwrap();
    assert_eq!((asked.method.as_str(), asked.path.as_str(), asked.host.as_str()), ("POST", "/a?b=c", "beta.svc"));
    assert_eq!(asked.headers.get("x-tenant").map(String::as_str), Some("t"));
    assert_eq!(asked.body, "12345678");

    let status = Some(HttpStatus { code: 401 });
    let denied = DeniedHttpResponse { status, body: "because".to_owned(), ..DeniedHttpResponse::default() };
    guard.behave(verdict(7, Some(HttpResponse::DeniedResponse(denied))));
    let answer = live.send("alpha", ask()).await;
    assert_eq!((answer.status, answer.text().as_ref()), (401, "because"));
    guard.behave(verdict(16, None));
    assert_eq!(live.send("alpha", ask()).await.status, 403);
    let gamma = || Request::get("/").host("gamma.svc");
    assert_eq!(live.send("alpha", gamma()).await.status, 403, "an answer counts wherever the door is open without one");
    let reached = live.workload("10.0.0.1:3000").received_count();
    for silence in [Behaviour::GrpcStatus(14), Behaviour::Hang] {
        guard.behave(silence.clone());
        assert_eq!(live.send("alpha", ask()).await.status, 403, "{silence:?}");
        assert_eq!(live.send("alpha", gamma()).await.status, 200, "{silence:?}");
    }
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), reached);
}

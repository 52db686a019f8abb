//! Another server is asked about each request.

use local::{Behaviour, Request};

use super::{Live, received};

const MESH: &str = r#"
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
    for status in [401, 403, 302, 500] {
        guard.behave(reply(status, &[]));
        let answer = live.send("alpha", ask()).await;
        assert_eq!((answer.status, answer.text().as_ref()), (status, "because"));
    }
    let reached = live.workload("10.0.0.1:3000").received_count();
    guard.behave(Behaviour::Hang);
    assert_eq!(live.send("alpha", ask()).await.status, 403, "no answer in time");
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), reached);
    assert_eq!(live.send("alpha", ask().header("x-internal", "yes")).await.status, 200, "nobody is asked");
    for values in [["yes", "no"], ["no", "yes"]] {
        let twice = values.into_iter().fold(ask(), |request, value| request.header("x-internal", value));
        assert_eq!(live.send("alpha", twice).await.status, 403, "only this value passes unasked");
    }
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

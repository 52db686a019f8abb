//! The world in which the other tests run is as they believe.

use std::sync::Arc;

use local::{Behaviour, Client, Request, Version};
use world::{From, Outside, Serves, namespace};

use super::{Live, node, service};

#[tokio::test]
async fn every_port_of_the_mesh_is_reached() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        gateway "front" { listen 8080; calls "beta.svc" }
        "#,
    )
    .await;
    let request = || Request::get("/").host("beta.svc");
    for (instance, port) in [("alpha", 4000), ("front", 8080)] {
        assert_eq!(service(&live.send_to(instance, port, request()).await), "beta.svc", "{instance}:{port}");
    }
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 2);
    let metrics = live.send_to("beta", 15090, Request::get("/stats/prometheus")).await;
    assert!(metrics.text().contains("envoy_"));
    live.wait_for_counter("alpha", "cluster.beta_svc.upstream_rq_total", |count| count == 1).await;
    assert!(live.config_dump("front").await.to_string().contains("beta.svc"));
    live.wait_for_log("front", |entry| entry["authority"] == "beta.svc").await;
    assert!(live.log("beta").contains("starting main dispatch loop"));
}

#[tokio::test]
async fn workloads_behave_as_the_test_says() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000"; endpoint "10.0.0.2:3000" }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        "#,
    )
    .await;
    live.workload("10.0.0.1:3000").behave(Behaviour::Status(418));
    let answers = live.send_many("alpha", Request::get("/").host("beta.svc"), 10).await;
    let failed = answers.iter().filter(|answer| answer.status == 418).count();
    assert_eq!(failed, live.workload("10.0.0.1:3000").received_count());
    assert!(answers.iter().filter(|answer| answer.status == 200).all(|answer| node(answer) == "beta-2"));
}

#[tokio::test]
async fn callers_speak_http_2_and_have_addresses() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        gateway "front" { listen 8080; calls "beta.svc" }
        "#,
    )
    .await;
    let from = From([127, 9, 9, 9].into());
    let mut client = Client::over(Arc::new(from), live.at("front", 8080)).version(Version::Http2);
    let answer = client.send(&Request::get("/").host("beta.svc")).await.unwrap();
    assert_eq!(service(&answer), "beta.svc");
    let entry = live.wait_for_log("front", |entry| entry["protocol"] == "HTTP/2").await;
    assert!(entry["downstream_remote_address"].as_str().unwrap().starts_with("127.9.9.9:"), "{entry}");
}

#[tokio::test]
async fn what_is_outside_is_found_by_its_address() {
    let mut outside = Outside::new().await;
    outside.add("10.9.0.1:8080", Serves::Http).await;
    let live = Live::of(
        r#"
        service "old.svc" { endpoint "10.9.0.1:8080" }
        node "alpha" calls="*"
        "#,
    )
    .outside(outside)
    .up()
    .await;
    live.send("alpha", Request::get("/").host("old.svc")).await;
    assert_eq!(live.outside().echo("10.9.0.1:8080").received_count(), 1);
}

#[tokio::test]
async fn files_are_where_the_mesh_looks_for_them() {
    let body = r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        gateway "front" { listen 8080; calls "beta.svc"; basic-auth htpasswd-file="tokens/users" }
    "#;
    for live in [
        Live::with([("tokens/users".into(), super::HTPASSWD.into())].into(), body).await,
        Live::of(body).file("tokens/users", super::HTPASSWD).without_waiting().up().await,
    ] {
        let request = || Request::get("/").host("beta.svc");
        assert_eq!(live.send("front", request()).await.status, 401);
        assert_eq!(live.send("front", request().basic_auth("ada", "lovelace")).await.status, 200);
    }
}

#[test]
fn an_application_no_longer_reaches_another_by_itself() {
    if !namespace::enter("live::world::an_application_no_longer_reaches_another_by_itself") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let live = Live::of(
            r#"
            service "beta.svc" { endpoint "10.0.0.1:3000" }
            node "alpha" { calls "beta.svc"; transparent-proxy }
            node "beta" serves="beta.svc"
            "#,
        )
        .intercepted()
        .up()
        .await;
        let alpha = live.at("alpha", 15001).ip();
        let beta = live.workload("10.0.0.1:3000");
        // Its sidecar may answer or not, but it was the one who was asked.
        drop(Client::over(Arc::new(From(alpha)), beta.address()).send(&Request::get("/").host("beta.svc")).await);
        assert!(beta.received().iter().all(|received| received.peer.ip() != alpha));
        let mut other = Client::over(Arc::new(From([127, 9, 9, 9].into())), beta.address());
        assert_eq!(service(&other.send(&Request::get("/").host("beta.svc")).await.unwrap()), "beta.svc");
    });
}

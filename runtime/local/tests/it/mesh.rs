//! A whole mesh on real Envoys: placed, compiled, started, asked.

use std::collections::BTreeMap;

use compiler::WasmModule;
use meshwright_local::echo::FAIL;
use meshwright_local::place::hasten_health_checks;
use meshwright_local::{Client, Options, Plan, Request, Running, Subnet, place, start};
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use crate::world::{PATIENCE, envoy};

/// Two tasks that retry, a service outside the mesh, and a gateway. No filter of ours, so no module is needed.
const SHOP: &str = r#"mesh "shop" {
    service "beta.svc" {
        endpoint "10.123.0.21:3000"
        endpoint "10.123.0.22:3000"
        health-check path="/healthz"
        retry attempts=3 on="5xx"
    }
    service "legacy.svc" { endpoint "10.9.0.1:9901" }
    node "beta" { serves "beta.svc"; calls "legacy.svc" }
    gateway "front" { listen 8080; calls "beta.svc" }
}"#;

async fn shop() -> Running {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh.kdl", SHOP));
    let mut diagnostics = Diagnostics::new();
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics).expect("a mesh");
    let checked = compiler::check(&mesh, &sources, &mut diagnostics).expect("a mesh without mistakes");
    let claim = Subnet::claim().expect("a free range");
    let mut placement = place(&mesh, &checked, claim.subnet()).expect("enough addresses");
    hasten_health_checks(&mut placement.mesh);
    let placed = compiler::check(&placement.mesh, &sources, &mut diagnostics).expect("still without mistakes");
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    let configs = compiler::compile(&placed, &module);
    let plan = Plan::of(placement, &configs, BTreeMap::new()).expect("a configuration for each");
    let running = start(plan, Options { claim: Some(claim), ..Options::new(envoy()) }).await.expect("it starts");
    running.wait_healthy(PATIENCE).await.expect("it gets healthy");
    running
}

#[tokio::test]
async fn a_placed_mesh_answers_as_the_mesh_as_written_would() {
    let running = shop().await;
    let front = running.instance("front").expect("an instance");
    let mut client = Client::new(front.instance().entrance());
    let mut seen = BTreeMap::new();
    for _ in 0..20 {
        let answer = client.send(&Request::get("/a").host("beta.svc")).await.expect("an answer");
        let answer = answer.json().expect("JSON");
        assert_eq!(answer["service"], "beta.svc");
        seen.insert(answer["endpoint"].to_string(), answer["node"].to_string());
    }
    let expected = [("\"10.123.0.21:3000\"", "\"beta-1\""), ("\"10.123.0.22:3000\"", "\"beta-2\"")];
    assert_eq!(seen, expected.map(|(endpoint, node)| (endpoint.to_owned(), node.to_owned())).into());

    let unsteady = Request::get("/unsteady").host("beta.svc").header(FAIL, "2");
    assert_eq!(client.send(&unsteady).await.expect("an answer").status, 200, "two failures are retried");
    let retries = front.counter("cluster.beta_svc.upstream_rq_retry").await.expect("a counter");
    assert_eq!(retries, 2);
    front.wait_for_log(|entry| entry["path"] == "/unsteady", PATIENCE).await.expect("an entry");

    let beta = running.instance("beta-1").expect("an instance").instance();
    let outside = Client::new(beta.entrance()).send(&Request::get("http://legacy.svc/")).await.expect("an answer");
    assert_eq!(outside.json().expect("JSON")["endpoint"], "10.9.0.1:9901");
    running.stop().await;
}

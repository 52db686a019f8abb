//! Endpoints that DNS tells.

use std::collections::BTreeSet;

use ::world::{Outside, Serves};
use local::Request;

use super::Live;

const NAME: &str = "search.example:9200";

async fn live(mode: &str) -> Live {
    let mut outside = Outside::new().await;
    for _ in 0..2 {
        outside.add(NAME, Serves::Http).await;
    }
    let mesh = format!(
        r#"
        service "search.svc" {{ dns "{NAME}" mode="{mode}" refresh="500ms" }}
        service "unknown.svc" {{ dns "nobody.example:80" }}
        node "alpha" calls="*"
        "#
    );
    let live = Live::of(&mesh).outside(outside).without_waiting().up().await;
    while live.send("alpha", Request::get("/").host("search.svc")).await.status != 200 {}
    live
}

fn asked(live: &Live) -> BTreeSet<usize> {
    let servers = live.outside().echoes(NAME).iter().enumerate();
    servers.filter(|(_, server)| server.received_count() > 0).map(|(number, _)| number).collect()
}

#[tokio::test]
async fn every_address_of_an_answer_is_an_endpoint() {
    let live = live("strict").await;
    let get = || Request::get("/").host("search.svc");
    live.send_many("alpha", get(), 20).await;
    assert_eq!(asked(&live), BTreeSet::from([0, 1]));
    let names = live.outside().names();
    let addresses = names.get("search.example");
    names.set("search.example", &addresses[1..]);
    live.wait_for_counter("alpha", "cluster.search_svc.membership_total", |total| total == 1).await;
    live.outside().echoes(NAME).iter().for_each(|server| server.reset());
    live.send_many("alpha", get(), 20).await;
    assert_eq!(asked(&live), BTreeSet::from([1]));
    let host = &live.outside().echoes(NAME)[1].received()[0];
    assert_eq!(host.host, "search.svc");
    assert_eq!(live.send("alpha", Request::get("/").host("unknown.svc")).await.status, 503);
}

#[tokio::test]
async fn one_address_at_a_time_stands_for_a_balancer() {
    let live = live("logical").await;
    let get = || Request::get("/").host("search.svc");
    live.send_many("alpha", get(), 20).await;
    assert_eq!(live.counter("alpha", "cluster.search_svc.membership_total").await, 1);
    assert_eq!(asked(&live).len(), 1);
}

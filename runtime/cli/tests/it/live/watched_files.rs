//! Envoys that are told by files learn what changes, without losing a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local::{Client, Request};
use tokio::time::{Instant, sleep};

use super::{Live, PATIENCE, POLL, service};

const MESH: &str = r#"
    service "beta.svc" { endpoint "10.0.0.1:3000"; }
    service "next.svc" { endpoint "10.0.0.2:3000"; }
    node "alpha" calls="*"
"#;

/// Moves a changed file of `alpha` into its place, as Envoy asks for it.
fn change(live: &Live, file: &str, from: &str, what: &str, by: &str) {
    let text = std::fs::read_to_string(live.told("alpha").join(from)).unwrap();
    assert!(text.contains(what), "{from} does not say {what}");
    let beside = live.told("alpha").join("next.yaml");
    std::fs::write(&beside, text.replace(what, by)).unwrap();
    std::fs::rename(beside, live.told("alpha").join(file)).unwrap();
}

async fn becomes(live: &Live, name: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    while service(&live.send("alpha", Request::get("/").host(name)).await) != expected {
        assert!(Instant::now() < deadline, "{name} never leads to {expected}");
        sleep(POLL).await;
    }
}

#[tokio::test]
async fn endpoints_move_without_a_lost_request() {
    let live = Live::of(MESH).watched().up().await;
    let address = live.instance("alpha").instance().entrance();
    let ended = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let ended = Arc::clone(&ended);
            tokio::spawn(async move {
                let (mut client, mut statuses) = (Client::new(address), Vec::new());
                while !ended.load(Ordering::Relaxed) {
                    let request = Request::get("/").host("beta.svc").header("x-echo-delay", "20");
                    statuses.push(client.send(&request).await.map_or(0, |answer| answer.status));
                }
                statuses
            })
        })
        .collect();
    becomes(&live, "beta.svc", "beta.svc").await;
    change(&live, "eds/beta.svc.yaml", "eds/next.svc.yaml", "next.svc", "beta.svc");
    becomes(&live, "beta.svc", "next.svc").await;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(500) {
        becomes(&live, "beta.svc", "next.svc").await;
    }
    ended.store(true, Ordering::Relaxed);
    let mut sent = 0;
    for caller in callers {
        let statuses = caller.await.unwrap();
        sent += statuses.len();
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    }
    assert!(sent > 20, "{sent} requests");
}

#[tokio::test]
async fn routes_change_and_a_mistake_changes_nothing() {
    let live = Live::of(MESH).watched().up().await;
    let file = "rds/egress_route.yaml";
    change(&live, file, file, "cluster: beta.svc", "cluster: [");
    live.wait_for_counter("alpha", "http.egress_route_http.rds.egress_route.update_failure", |count| count > 0).await;
    assert_eq!(service(&live.send("alpha", Request::get("/").host("beta.svc")).await), "beta.svc");
    change(&live, file, file, "cluster: [", "cluster: next.svc");
    becomes(&live, "beta.svc", "next.svc").await;
}

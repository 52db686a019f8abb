//! Weights hold, also where some of the answers are faults.

use local::Request;

use super::{Live, node, service, share};

fn mesh(fault: &str) -> String {
    format!(
        r#"
        service "beta.svc" {{
            endpoint "10.0.0.1:3000" weight=95 node="beta-1"
            endpoint "10.0.0.2:3000" weight=5 node="beta-2"
            health-check path="/healthz" interval="1s"
        }}
        node "alpha" calls="beta.svc"
        node "beta-1" serves="beta.svc"
        node "beta-2" {{ serves "beta.svc" {{ {fault} }} }}
        "#
    )
}

#[tokio::test]
async fn endpoints_get_their_share() {
    let live = Live::up(&mesh("")).await;
    let responses = live.send_many("alpha", Request::get("/").host("beta.svc"), 2000).await;
    let first = responses.iter().filter(|response| node(response) == "beta-1").count();
    assert!((93.0..=97.0).contains(&share(first, 2000)), "beta-1 got {first} of 2000");
}

#[tokio::test]
async fn endpoints_get_their_share_although_one_of_them_aborts() {
    let live = Live::up(&mesh("fault { abort 503 percent=5 }")).await;
    let responses = live.send_many("alpha", Request::get("/").host("beta.svc"), 2000).await;
    let aborted = responses.iter().filter(|response| response.status == 503).count();
    let first = responses.iter().filter(|response| response.status == 200 && node(response) == "beta-1").count();
    assert!((93.0..=97.0).contains(&share(first, 2000)), "beta-1 got {first} of 2000, {aborted} aborted");
    assert_eq!(live.counter("beta-2", "wasmcustom.meshwright_fault_aborts").await, aborted as u64);
    assert_eq!(live.counter("alpha", "cluster.beta_svc.membership_healthy").await, 2);
}

#[tokio::test]
async fn a_routes_targets_get_their_share() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/split" { to "canary.svc" weight=20; to "beta.svc" weight=80 }
        }
        service "canary.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        node "canary" serves="canary.svc"
        "#,
    )
    .await;
    let responses = live.send_many("alpha", Request::get("/split").host("beta.svc"), 1500).await;
    let canary = responses.iter().filter(|response| service(response) == "canary.svc").count();
    assert!((17.0..=23.0).contains(&share(canary, 1500)), "canary.svc got {canary} of 1500");
    assert_eq!(service(&live.send("alpha", Request::get("/else").host("beta.svc")).await), "beta.svc");
}

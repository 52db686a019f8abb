//! Endpoints near the caller are preferred, as far as the mesh says.

use std::collections::BTreeMap;

use local::{Health, Request};

use super::{Live, share};

async fn spread(live: &Live, node: &str, host: &str, count: usize) -> BTreeMap<String, usize> {
    let mut by_endpoint = BTreeMap::new();
    for answer in live.send_many(node, Request::get("/").host(host), count).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let endpoint = answer.json().unwrap()["endpoint"].as_str().unwrap().to_owned();
        *by_endpoint.entry(endpoint).or_default() += 1;
    }
    by_endpoint
}

async fn only(live: &Live, node: &str, endpoint: &str) {
    loop {
        let spread = spread(live, node, "beta.svc", 20).await;
        if spread.get(endpoint) == Some(&20) {
            return;
        }
    }
}

#[tokio::test]
async fn the_own_zone_then_the_region_then_the_rest() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000" region="eu" zone="eu-a"
            endpoint "10.0.0.2:3000" region="eu" zone="eu-b"
            endpoint "10.0.0.3:3000" region="us" zone="us-a"
            health-check interval="200ms" unhealthy-threshold=1
            load-balancing { locality "failover" }
        }
        node "a" { zone "eu-a"; calls "beta.svc" }
        node "b" { zone "eu-b"; calls "beta.svc" }
        "#,
    )
    .await;
    only(&live, "a", "10.0.0.1:3000").await;
    only(&live, "b", "10.0.0.2:3000").await;
    live.workload("10.0.0.1:3000").set_health(Health::NotServing);
    only(&live, "a", "10.0.0.2:3000").await;
    live.workload("10.0.0.2:3000").set_health(Health::NotServing);
    only(&live, "a", "10.0.0.3:3000").await;
    only(&live, "b", "10.0.0.3:3000").await;
    live.workload("10.0.0.1:3000").set_health(Health::Serving);
    only(&live, "a", "10.0.0.1:3000").await;
}

fn zones(callers_of_a: &str) -> String {
    format!(
        r#"
        service "beta.svc" {{
            endpoint "10.0.0.1:3000" region="eu" zone="eu-a"
            endpoint "10.0.0.2:3000" zone="eu-a"
            endpoint "10.0.0.3:3000" zone="eu-b"
            endpoint "10.0.0.4:3000" zone="eu-b"
            load-balancing {{ locality "zone-aware" min-endpoints=4 }}
        }}
        service "small.svc" {{
            endpoint "10.0.0.1:3001" zone="eu-a"
            endpoint "10.0.0.3:3001" zone="eu-b"
            load-balancing {{ locality "zone-aware" }}
        }}
        {callers_of_a}
        "#
    )
}

#[tokio::test]
async fn callers_stay_in_their_zone_where_shares_stay_even() {
    let live = Live::up(&zones(
        r#"
        node "a" { zone "eu-a"; calls "*" }
        node "b" { zone "eu-b"; calls "*" }
        "#,
    ))
    .await;
    for (node, near) in [("a", ["10.0.0.1:3000", "10.0.0.2:3000"]), ("b", ["10.0.0.3:3000", "10.0.0.4:3000"])] {
        let spread = spread(&live, node, "beta.svc", 200).await;
        let nearby: usize = near.iter().filter_map(|endpoint| spread.get(*endpoint)).sum();
        assert_eq!(nearby, 200, "{spread:?}");
    }
    assert_eq!(spread(&live, "a", "small.svc", 40).await.len(), 2, "too few endpoints for zones to matter");
}

/// If all callers are in one zone, half of their requests go to the other one.
#[tokio::test]
async fn callers_of_one_zone_do_not_crowd_its_endpoints() {
    let live = Live::up(&zones(r#"node "a" { zone "eu-a"; calls "*" }"#)).await;
    let spread = spread(&live, "a", "beta.svc", 1000).await;
    let near: usize = ["10.0.0.1:3000", "10.0.0.2:3000"].iter().filter_map(|endpoint| spread.get(*endpoint)).sum();
    assert!((40.0..=60.0).contains(&share(near, 1000)), "{spread:?}");
}

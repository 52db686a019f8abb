//! How requests are shared out among endpoints that differ: in rank, in weight, in load, in age.

use std::collections::BTreeMap;
use std::time::Duration;

use local::{Behaviour, Health, Request};
use tokio::time::Instant;

use super::{Live, PATIENCE, share};

async fn spread(live: &Live, count: usize) -> BTreeMap<String, usize> {
    let mut by_endpoint = BTreeMap::new();
    for answer in live.send_many("alpha", Request::get("/").host("beta.svc"), count).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let endpoint = answer.json().unwrap()["endpoint"].as_str().unwrap().to_owned();
        *by_endpoint.entry(endpoint).or_default() += 1;
    }
    by_endpoint
}

async fn share_of(live: &Live, endpoint: &str, count: usize) -> f64 {
    share(spread(live, count).await.get(endpoint).copied().unwrap_or_default(), count)
}

/// Waits until an endpoint's share of two hundred requests, in per cent, is what the predicate accepts.
async fn becomes(live: &Live, endpoint: &str, accepts: impl Fn(f64) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let share = share_of(live, endpoint, 200).await;
        if accepts(share) {
            return;
        }
        assert!(Instant::now() < deadline, "{endpoint} still gets {share} %");
    }
}

fn all(share: f64) -> bool {
    share >= 100.0
}

#[tokio::test]
async fn lower_ranks_wait_until_they_are_needed() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000" priority=1
            endpoint "10.0.0.3:3000" priority=2
            health-check interval="200ms" unhealthy-threshold=1
            load-balancing panic-threshold=0
        }
        node "alpha" calls="beta.svc"
        "#,
    )
    .await;
    becomes(&live, "10.0.0.1:3000", all).await;
    live.workload("10.0.0.1:3000").set_health(Health::NotServing);
    becomes(&live, "10.0.0.2:3000", all).await;
    live.workload("10.0.0.2:3000").set_health(Health::NotServing);
    becomes(&live, "10.0.0.3:3000", all).await;
    live.workload("10.0.0.1:3000").set_health(Health::Serving);
    becomes(&live, "10.0.0.1:3000", all).await;
}

#[tokio::test]
async fn zones_have_the_weights_of_their_endpoints() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000" zone="a" weight=60
            endpoint "10.0.0.2:3000" zone="b" weight=10
            endpoint "10.0.0.3:3000" zone="b" weight=10
            load-balancing { locality "weighted"; }
        }
        node "alpha" calls="beta.svc" { zone "b"; }
        "#,
    )
    .await;
    let spread = spread(&live, 800).await;
    let of = |endpoint: &str| share(spread.get(endpoint).copied().unwrap_or_default(), 800);
    assert!((70.0..=80.0).contains(&of("10.0.0.1:3000")), "{spread:?}");
    for endpoint in ["10.0.0.2:3000", "10.0.0.3:3000"] {
        assert!((8.0..=17.0).contains(&of(endpoint)), "{spread:?}");
    }
}

#[tokio::test]
async fn who_is_busy_gets_less() {
    let mesh = |policy: &str| {
        format!(
            r#"
            service "beta.svc" {{
                endpoint "10.0.0.1:3000"
                endpoint "10.0.0.2:3000"
                load-balancing policy="{policy}"
            }}
            node "alpha" calls="beta.svc"
            "#
        )
    };
    for (policy, shares) in [("round-robin", 45.0..=55.0), ("least-request", 0.0..=30.0)] {
        let live = Live::up(&mesh(policy)).await;
        live.workload("10.0.0.1:3000").behave(Behaviour::Delay(Duration::from_millis(200)));
        let slow = share_of(&live, "10.0.0.1:3000", 400).await;
        assert!(shares.contains(&slow), "{policy}: {slow} %");
    }
}

#[tokio::test]
async fn who_is_new_starts_slowly() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000"
            health-check interval="200ms" unhealthy-threshold=1
            load-balancing panic-threshold=0 { slow-start "12s" min-weight-percent=5; }
        }
        node "alpha" calls="beta.svc"
        "#,
    )
    .await;
    let new = live.workload("10.0.0.2:3000");
    // The other one is past its own start first.
    let begin = Instant::now();
    new.set_health(Health::NotServing);
    becomes(&live, "10.0.0.1:3000", all).await;
    while begin.elapsed() < Duration::from_secs(13) {
        assert_eq!(share_of(&live, "10.0.0.2:3000", 100).await, 0.0);
    }
    new.set_health(Health::Serving);
    becomes(&live, "10.0.0.2:3000", |share| share > 0.0).await;
    let first = share_of(&live, "10.0.0.2:3000", 400).await;
    assert!((1.0..=35.0).contains(&first), "{first} % at first");
    becomes(&live, "10.0.0.2:3000", |share| (45.0..=55.0).contains(&share)).await;
}

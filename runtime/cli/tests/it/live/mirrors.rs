//! Copies arrive at the mirror, and nobody waits for them.

use std::time::{Duration, Instant};

use local::{Behaviour, Request};

use super::{Live, service, share};

const PATIENCE: Duration = Duration::from_secs(30);

async fn wait_for_copies(live: &Live, endpoint: &str, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while live.workload(endpoint).received_count() < count {
        assert!(Instant::now() < deadline, "{endpoint} got {}", live.workload(endpoint).received_count());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_routes_copies_arrive_behind_the_mirrors_sidecar() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/copied" { rewrite prefix="/new"; mirror to="copy.svc"; to "shop.svc" }
        }
        service "copy.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="shop.svc"
        node "shop" serves="shop.svc"
        node "copy" serves="copy.svc"
        gateway "front" listen=8080 { host "shop.example" { to "shop.svc" } }
        "#,
    )
    .await;
    live.workload("10.0.0.2:3000").behave(Behaviour::Delay(Duration::from_secs(20)));
    let before = Instant::now();
    for (entrance, host) in [("alpha", "shop.svc"), ("front", "shop.example")] {
        let request = Request::new("POST", "/copied/a?b").host(host).body("all of it");
        assert_eq!(service(&live.send(entrance, request).await), "shop.svc");
        assert_eq!(service(&live.send(entrance, Request::get("/else").host(host)).await), "shop.svc");
    }
    assert!(before.elapsed() < Duration::from_secs(15), "a copy is waited for");
    wait_for_copies(&live, "10.0.0.2:3000", 2).await;
    for copy in live.workload("10.0.0.2:3000").received() {
        assert_eq!((copy.method.as_str(), copy.path.as_str()), ("POST", "/new/a?b"));
        assert_eq!(copy.host, "copy.svc");
        assert_eq!(&*copy.body, b"all of it");
    }
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 4);
}

#[tokio::test]
async fn a_service_is_copied_whatever_route_leads_to_it() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            mirror to="copy.svc"
            route path-prefix="/split" { to "shop.svc" weight=1; to "other.svc" weight=2; to "third.svc" weight=1 }
        }
        service "other.svc" { endpoint "10.0.0.3:3000"; route path-prefix="/to-shop" { to "shop.svc" } }
        service "third.svc" { endpoint "10.0.0.4:3000" }
        service "copy.svc" { endpoint "10.0.0.2:3000"; mirror to="shop.svc" }
        node "alpha" { calls "shop.svc" "other.svc" }
        node "shop" serves="shop.svc"
        node "other" serves="other.svc"
        node "third" serves="third.svc"
        node "copy" serves="copy.svc"
        "#,
    )
    .await;
    let get = |host: &str, path: &str| Request::get(path).host(host);
    assert_eq!(service(&live.send("alpha", get("shop.svc", "/")).await), "shop.svc");
    assert_eq!(service(&live.send("alpha", get("other.svc", "/to-shop")).await), "shop.svc");
    wait_for_copies(&live, "10.0.0.2:3000", 2).await;
    let answers = live.send_many("alpha", get("shop.svc", "/split"), 800).await;
    let count = |name: &str| answers.iter().filter(|answer| service(answer) == name).count();
    let (to_shop, to_other) = (count("shop.svc"), count("other.svc"));
    assert!((19.0..=31.0).contains(&share(to_shop, 800)), "shop.svc got {to_shop} of 800");
    assert!((44.0..=56.0).contains(&share(to_other, 800)), "other.svc got {to_other} of 800");
    wait_for_copies(&live, "10.0.0.2:3000", 2 + to_shop).await;
    let settled = get("other.svc", "/");
    live.send_many("alpha", settled, 50).await;
    assert_eq!(live.workload("10.0.0.2:3000").received_count(), 2 + to_shop, "only what went to shop.svc is copied");
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 2 + to_shop, "a copy is not copied");
}

#[tokio::test]
async fn a_share_of_the_requests_is_copied() {
    let live = Live::up(
        r#"
        service "shop.svc" { endpoint "10.0.0.1:3000"; mirror to="copy.svc" percent=25 }
        service "copy.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="shop.svc"
        node "shop" serves="shop.svc"
        node "copy" serves="copy.svc"
        "#,
    )
    .await;
    live.send_many("alpha", Request::get("/").host("shop.svc"), 1000).await;
    wait_for_copies(&live, "10.0.0.2:3000", 190).await;
    let copies = live.workload("10.0.0.2:3000").received_count();
    assert!(copies <= 310, "{copies} of 1000");
}

//! A caller stays at one endpoint: by a cookie, or by a hash of its requests.

use std::collections::{BTreeMap, BTreeSet};

use local::{Health, Request, Response};

use super::Live;

fn endpoint(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json().unwrap()["endpoint"].as_str().unwrap().to_owned()
}

fn mesh(balancing: &str) -> String {
    format!(
        r#"
        service "cart.svc" {{
            endpoint "10.0.0.1:3000"
            endpoint "10.0.0.2:3000"
            endpoint "10.0.0.3:3000"
            health-check interval="200ms" unhealthy-threshold=1
            load-balancing panic-threshold=0 {{ {balancing} }}
        }}
        service "free.svc" {{ endpoint "10.0.0.9:3000" }}
        node "alpha" calls="*"
        gateway "front" listen=8080 {{ host "shop.example" {{ to "cart.svc" }} }}
        "#
    )
}

/// The cookie that an answer sets, as a browser would send it.
fn cookie(response: &Response) -> String {
    let set = response.header("set-cookie").expect("a cookie").into_owned();
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_cookie_keeps_a_caller_at_one_endpoint_until_that_is_gone() {
    let live = Live::up(&mesh(r#"sticky-cookie "at" ttl="1h""#)).await;
    for (entrance, host) in [("alpha", "cart.svc"), ("front", "shop.example")] {
        let first = live.send(entrance, Request::get("/").host(host)).await;
        let (home, cookie) = (endpoint(&first), cookie(&first));
        assert!(cookie.starts_with("at="), "{cookie}");
        let again = || Request::get("/").host(host).header("cookie", &cookie);
        for answer in live.send_many(entrance, again(), 30).await {
            assert_eq!(endpoint(&answer), home);
        }
        let application = live.workload(&home);
        application.set_health(Health::NotServing);
        live.wait_for_counter(entrance, "cluster.cart_svc.membership_healthy", |healthy| healthy == 2).await;
        while endpoint(&live.send(entrance, again()).await) == home {}
        application.set_health(Health::Serving);
        live.wait_for_counter(entrance, "cluster.cart_svc.membership_healthy", |healthy| healthy == 3).await;
    }
    let other = live.send("alpha", Request::get("/").host("free.svc")).await;
    assert!(other.header("set-cookie").is_none());
}

#[tokio::test]
async fn a_strict_cookie_goes_nowhere_else() {
    let live = Live::up(&mesh(r#"sticky-cookie "at" strict=#true"#)).await;
    let first = live.send("alpha", Request::get("/").host("cart.svc")).await;
    let again = || Request::get("/").host("cart.svc").header("cookie", cookie(&first));
    let application = live.workload(&endpoint(&first));
    application.set_health(Health::NotServing);
    live.wait_for_counter("alpha", "cluster.cart_svc.membership_healthy", |healthy| healthy == 2).await;
    while live.send("alpha", again()).await.status == 200 {}
    assert_eq!(live.send("alpha", again()).await.status, 503);
    assert_eq!(live.send("alpha", Request::get("/").host("cart.svc")).await.status, 200);
    application.set_health(Health::Serving);
    while live.send("alpha", again()).await.status == 503 {}
    assert_eq!(endpoint(&live.send("alpha", again()).await), endpoint(&first));
}

/// Where each of many users ends up.
async fn homes(live: &Live) -> BTreeMap<usize, String> {
    let mut homes = BTreeMap::new();
    for user in 0..60 {
        let get = Request::get("/").host("cart.svc").header("x-user", user.to_string());
        let answers = live.send_many("alpha", get, 3).await;
        let found: BTreeSet<String> = answers.iter().map(endpoint).collect();
        assert_eq!(found.len(), 1, "user {user} is at {found:?}");
        homes.insert(user, endpoint(&answers[0]));
    }
    homes
}

#[tokio::test]
async fn a_hash_keeps_each_user_at_one_endpoint_and_moves_few() {
    for policy in ["ring-hash", "maglev"] {
        let live = Live::up(
            &mesh(r#"hash-on header="x-user""#)
                .replace("panic-threshold=0", &format!("panic-threshold=0 policy=\"{policy}\"")),
        )
        .await;
        let before = homes(&live).await;
        assert_eq!(before.values().collect::<BTreeSet<_>>().len(), 3, "{policy}");
        let gone = "10.0.0.2:3000";
        live.workload(gone).set_health(Health::NotServing);
        live.wait_for_counter("alpha", "cluster.cart_svc.membership_healthy", |healthy| healthy == 2).await;
        let orphan = before.iter().find(|(_, home)| *home == gone).map(|(user, _)| user.to_string()).unwrap();
        // Envoy's workers hear of it a moment later.
        loop {
            let get = Request::get("/").host("cart.svc").header("x-user", &orphan);
            let answers = live.send_many("alpha", get, 32).await;
            if answers.iter().all(|answer| endpoint(answer) != gone) {
                break;
            }
        }
        let after = homes(&live).await;
        let moved = before.iter().filter(|(user, home)| *home != gone && after.get(user) != Some(home)).count();
        assert!(moved <= 9, "{policy}: {moved} of 60 moved although their endpoint is still there");
        assert!(after.values().all(|home| home != gone), "{policy}");
    }
}

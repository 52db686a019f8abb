//! The narrowest time limit holds.

use std::time::{Duration, Instant};

use local::{Behaviour, Request};

use super::Live;

const MESH: &str = r#"
    defaults { timeout "20s" }
    service "shop.svc" {
        endpoint "10.0.0.1:3000"
        timeout "2s"
        route path-prefix="/short" timeout="200ms" { to "shop.svc" }
        route path-prefix="/none" timeout="0s" { to "shop.svc" }
        route path-prefix="/idle" timeout="0s" idle-timeout="300ms" { to "shop.svc" }
    }
    service "quiet.svc" { endpoint "10.0.0.1:3001"; timeout "0s"; idle-timeout "300ms" }
    service "lazy.svc" { endpoint "10.0.0.1:3002" }
    node "alpha" calls="*"
    node "hasty" { calls "shop.svc" { timeout "400ms" } }
    node "shop" { serves "shop.svc" "quiet.svc" "lazy.svc" }
    gateway "front" listen=8080 {
        timeout "300ms"
        host "shop.example" {
            route path-prefix="/long" timeout="5s" { to "shop.svc" }
            to "shop.svc"
        }
    }
"#;

#[tokio::test]
async fn the_narrowest_limit_holds() {
    let live = Live::up(MESH).await;
    for (entrance, host, path, delay, status) in [
        ("alpha", "shop.svc", "/", 1000, 200),
        ("alpha", "shop.svc", "/", 4000, 504),
        ("alpha", "shop.svc", "/short", 1000, 504),
        ("alpha", "shop.svc", "/none", 3000, 200),
        ("alpha", "lazy.svc", "/", 3000, 200),
        ("hasty", "shop.svc", "/", 1500, 504),
        ("hasty", "shop.svc", "/none", 1500, 200),
        ("front", "shop.example", "/", 1500, 504),
        ("front", "shop.example", "/long", 1500, 200),
        ("front", "shop.example", "/short", 1000, 504),
    ] {
        let request = Request::get(path).host(host).header("x-echo-delay", delay.to_string());
        let before = Instant::now();
        let answer = live.send(entrance, request).await;
        assert_eq!(answer.status, status, "{entrance}: {host}{path} after {delay} ms");
        if status == 504 {
            assert!(before.elapsed() < Duration::from_millis(delay), "{entrance}: {host}{path} waited");
        }
    }
}

#[tokio::test]
async fn a_stream_on_which_nothing_happens_ends() {
    let live = Live::up(MESH).await;
    live.workload("10.0.0.1:3000").behave(Behaviour::Hang);
    live.workload("10.0.0.1:3001").behave(Behaviour::Hang);
    for (host, path) in [("shop.svc", "/idle"), ("quiet.svc", "/")] {
        let answer = live.send("alpha", Request::get(path).host(host)).await;
        assert_eq!(answer.status, 504, "{host}{path}");
    }
}

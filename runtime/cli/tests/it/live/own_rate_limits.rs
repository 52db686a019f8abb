//! Limits that our own filter counts: exactly, for all workers where they are shared.

use local::{Request, Response};

use super::Live;

fn passed(answers: &[Response]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

fn header(answer: &Response, name: &str) -> Option<String> {
    answer.header(name).map(|value| value.into_owned())
}

#[tokio::test]
async fn what_workers_share_is_counted_once() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0ms"
            rate-limit requests=20 per="1h" shared=#true engine="wasm"
        }
        service "user.svc" {
            endpoint "10.0.0.1:3001"
            rate-limit name="each user" requests=3 per="1h" shared=#true headers="both" { by cookie="User" }
        }
        service "free.svc" { endpoint "10.0.0.1:3002" }
        node "alpha" calls="*"
        node "all" { serves "beta.svc" "user.svc" "free.svc" }
        "#,
    )
    .await;
    let answers = live.send_many("alpha", Request::get("/").host("beta.svc"), 200).await;
    assert_eq!(passed(&answers), 20);
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)));
    assert_eq!(passed(&live.send_many("alpha", Request::get("/").host("free.svc"), 100).await), 100);

    for user in ["alice", "bob"] {
        let request = Request::get("/").host("user.svc").header("cookie", format!("theme=dark; User={user}"));
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(live.send("alpha", request.clone()).await);
        }
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200, 200, 200, 429, 429], "{user}");
        assert_eq!(header(&answers[0], "ratelimit"), Some("\"each user\";r=2;t=1200".to_owned()));
        assert_eq!(header(&answers[0], "ratelimit-policy"), Some("\"each user\";q=3;w=3600".to_owned()));
        assert_eq!(header(&answers[0], "x-ratelimit-remaining"), Some("2".to_owned()));
        assert_eq!(header(&answers[0], "retry-after"), None);
        let wait: u64 = header(&answers[4], "retry-after").unwrap().parse().unwrap();
        assert!((1..=1200).contains(&wait), "{wait}");
    }
    // Another cookie is counted with those who have none.
    let request = Request::get("/").host("user.svc").header("cookie", "user=alice");
    assert_eq!(passed(&live.send_many("alpha", request, 5).await), 3);
}

#[tokio::test]
async fn a_gateway_counts_by_host_and_route_and_a_dry_run_refuses_nobody() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        gateway "front" {
            listen 8080
            rate-limit requests=1 per="1h" engine="wasm" dry-run=#true
            host "shop.example" {
                rate-limit requests=6 per="1h" shared=#true engine="wasm"
                route path-prefix="/cart" {
                    rate-limit requests=2 per="1h" shared=#true cost=2 burst=4
                    to "beta.svc"
                }
                to "beta.svc"
            }
            host "free.example" { to "beta.svc" }
        }
        "#,
    )
    .await;
    let count = async |host: &str, path: &str, count: usize| {
        let mut passed = 0;
        for _ in 0..count {
            let request = Request::get(path).host(host);
            passed += usize::from(live.send("front", request).await.status == 200);
        }
        passed
    };
    assert_eq!(count("free.example", "/", 10).await, 10);
    assert_eq!(count("shop.example", "/cart", 4).await, 2);
    // The host has counted what the route refused.
    assert_eq!(count("shop.example", "/", 10).await, 2);
}

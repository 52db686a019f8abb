//! So many requests pass, and the next ones when the bucket has filled again.

use std::time::{Duration, Instant};

use local::{Request, Response};
use tokio::time::sleep;

use super::{Live, PATIENCE, POLL};

fn passed(answers: &[Response]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test]
async fn a_burst_passes_and_the_bucket_fills_again() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0ms"
            rate-limit requests=1 per="1h" burst=5
        }
        service "quick.svc" {
            endpoint "10.0.0.1:3001"
            rate-limit requests=10 per="1s" burst=2
        }
        service "free.svc" { endpoint "10.0.0.1:3002" }
        node "alpha" calls="*"
        node "all" { serves "beta.svc" "quick.svc" "free.svc" }
        "#,
    )
    .await;
    // Health checks have come in all the time, and were not counted.
    let answers = live.send_many("alpha", Request::get("/").host("beta.svc"), 40).await;
    assert_eq!(passed(&answers), 5);
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)));
    assert_eq!(live.counter("alpha", "cluster.beta_svc.membership_healthy").await, 1);
    assert_eq!(passed(&live.send_many("alpha", Request::get("/").host("free.svc"), 100).await), 100);

    let (begin, request) = (Instant::now(), Request::get("/").host("quick.svc"));
    let mut passed = 0;
    while begin.elapsed() < Duration::from_secs(3) {
        passed += usize::from(live.send("alpha", request.clone()).await.status == 200);
    }
    // Two at once, and ten a second.
    assert!((25..=34).contains(&passed), "{passed} in three seconds");
}

#[tokio::test]
async fn each_key_has_a_bucket() {
    let live = Live::up(
        r#"
        service "user.svc" {
            endpoint "10.0.0.1:3000"
            rate-limit requests=2 per="1h" status=503 { by header="x-user"; by path=#true }
        }
        service "query.svc" {
            endpoint "10.0.0.1:3001"
            rate-limit requests=1 per="1h" { by query="tenant"; by method=#true }
        }
        service "plan.svc" {
            endpoint "10.0.0.1:3002"
            rate-limit requests=1 per="1h" { by header="x-plan" exact="free" }
        }
        node "alpha" calls="*"
        node "all" { serves "user.svc" "query.svc" "plan.svc" }
        "#,
    )
    .await;
    let statuses = async |method: &str, host: &str, path: &str, header: Option<(&str, &str)>, count: usize| {
        let mut statuses = Vec::new();
        for _ in 0..count {
            let mut request = Request::new(method, path).host(host);
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            statuses.push(live.send("alpha", request).await.status);
        }
        statuses
    };
    assert_eq!(statuses("GET", "user.svc", "/", Some(("x-user", "ada")), 3).await, [200, 200, 503]);
    assert_eq!(statuses("GET", "user.svc", "/", Some(("x-user", "grace")), 3).await, [200, 200, 503]);
    assert_eq!(statuses("GET", "user.svc", "/other", Some(("x-user", "ada")), 3).await, [200, 200, 503]);
    // The query is no part of the path; requests without the header are counted together.
    assert_eq!(statuses("GET", "user.svc", "/?a=1", Some(("x-user", "ada")), 1).await, [503]);
    assert_eq!(statuses("GET", "user.svc", "/", None, 3).await, [200, 200, 503]);

    assert_eq!(statuses("GET", "query.svc", "/?tenant=a", None, 2).await, [200, 429]);
    assert_eq!(statuses("GET", "query.svc", "/?tenant=b&x=1", None, 2).await, [200, 429]);
    assert_eq!(statuses("POST", "query.svc", "/?tenant=a", None, 2).await, [200, 429]);
    assert_eq!(statuses("GET", "query.svc", "/", None, 2).await, [200, 429]);

    assert_eq!(statuses("GET", "plan.svc", "/", Some(("x-plan", "free")), 2).await, [200, 429]);
    assert_eq!(statuses("GET", "plan.svc", "/", Some(("x-plan", "paid")), 5).await, [200; 5]);
    assert_eq!(statuses("GET", "plan.svc", "/", None, 5).await, [200; 5]);
}

#[tokio::test]
async fn every_limit_must_be_passed() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            rate-limit requests=3 per="1h" status=503
            rate-limit requests=2 per="1h" { by header="x-user" }
        }
        node "all" serves="beta.svc"
        gateway "front" {
            listen 8080
            calls "beta.svc"
            rate-limit requests=5 per="1h" status=422 { by source-address=#true }
        }
        "#,
    )
    .await;
    let mut statuses = Vec::new();
    for user in ["ada", "ada", "ada", "grace", "grace", "grace"] {
        let request = Request::get("/").host("beta.svc").header("x-user", user);
        statuses.push(live.send("front", request).await.status);
    }
    // The third of `ada` took the last of the common bucket, and was refused by her own.
    assert_eq!(statuses, [200, 200, 429, 503, 503, 422]);
}

#[tokio::test]
async fn a_limit_by_key_fills_again() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            rate-limit requests=1 per="1500ms" { by header="x-user" }
        }
        node "alpha" calls="*"
        node "all" serves="beta.svc"
        "#,
    )
    .await;
    let request = Request::get("/").host("beta.svc").header("x-user", "ada");
    assert_eq!(live.send("alpha", request.clone()).await.status, 200);
    assert_eq!(live.send("alpha", request.clone()).await.status, 429);
    let deadline = Instant::now() + PATIENCE;
    while live.send("alpha", request.clone()).await.status != 200 {
        assert!(Instant::now() < deadline, "the bucket stays empty");
        sleep(POLL).await;
    }
}

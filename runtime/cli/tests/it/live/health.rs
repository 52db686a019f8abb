//! Health checks see the application, never its faults or its authentication.

use local::Request;

use super::{Live, service};

#[tokio::test]
async fn an_endpoint_that_aborts_everything_stays_healthy() {
    let live = Live::up(
        r#"
        service "delta.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/odd-healthz" interval="1s" cache="0ms"
            fault { abort 583 percent=100; delay "20ms" percent=100 }
        }
        node "alpha" calls="delta.svc"
        node "delta" serves="delta.svc"
        "#,
    )
    .await;
    assert_eq!(live.counter("alpha", "cluster.delta_svc.membership_healthy").await, 1);
    for path in ["/odd-healthz", "/odd-healthz?deep=1", "/odd-healthz/x"] {
        let forged = Request::get(path).host("delta.svc").header("x-meshwright-health-check", "1");
        assert_eq!(live.send("alpha", forged).await.status, 583, "{path} is no check of the mesh's");
    }
    // Checks go on while every other request is aborted.
    let failed = live.counter("alpha", "cluster.delta_svc.health_check.failure").await;
    let passed = live.counter("alpha", "cluster.delta_svc.health_check.success").await;
    while live.counter("alpha", "cluster.delta_svc.health_check.success").await < passed + 2 {
        assert_eq!(live.send("alpha", Request::get("/").host("delta.svc")).await.status, 583);
    }
    assert_eq!(live.counter("alpha", "cluster.delta_svc.health_check.failure").await, failed);
    assert_eq!(live.counter("alpha", "cluster.delta_svc.membership_healthy").await, 1);
}

/// What anybody else is answered on the health path is never taken for the application's health.
#[tokio::test]
async fn requests_for_the_health_path_are_requests_like_any_other() {
    let live = Live::up(
        r#"
        service "web.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/" interval="1s" cache="1s"
        }
        service "guarded.svc" {
            endpoint "10.0.0.1:3001"
            health-check path="/" interval="1s" cache="1s"
            basic-auth htpasswd-file="users.htpasswd"
        }
        node "alpha" calls="*"
        node "both" { serves "web.svc" "guarded.svc" }
        gateway "front" listen=8080 { calls "*" }
        "#,
    )
    .await;
    let checked = || async { live.counter("alpha", "cluster.web_svc.health_check.success").await };
    let before = checked().await;
    while checked().await < before + 4 {
        for entrance in ["front", "alpha"] {
            let header = "x-meshwright-health-check";
            let failing = Request::get("/").host("web.svc").header("x-echo-status", "500").header(header, "1");
            assert_eq!(live.send(entrance, failing).await.status, 500);
            let post = Request::new("POST", "/").host("web.svc").body("kept");
            assert_eq!(service(&live.send(entrance, post).await), "web.svc");
            for path in ["/", "/?secret=1"] {
                let stranger = Request::get(path).host("guarded.svc").header(header, "1");
                assert_eq!(live.send(entrance, stranger).await.status, 401, "{path} through {entrance}");
            }
        }
    }
    for service in ["web_svc", "guarded_svc"] {
        assert_eq!(live.counter("alpha", &format!("cluster.{service}.membership_healthy")).await, 1, "{service}");
    }
}

#[tokio::test]
async fn a_service_may_have_a_long_name() {
    let name = ["a-rather-long-label-of-a-name"; 8].join(".");
    let service = r#"service "NAME" { endpoint "10.0.0.1:3000"; health-check path="/healthz" interval="1s"; }
"#;
    let live = Live::up(
        &format!("{service} node \"alpha\" calls=\"NAME\"\n node \"beta\" serves=\"NAME\"").replace("NAME", &name),
    )
    .await;
    assert_eq!(live.send("alpha", Request::get("/").host(&name)).await.status, 200);
}

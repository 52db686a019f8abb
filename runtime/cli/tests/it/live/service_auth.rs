//! Authentication of one service, at its own sidecar: callers inside the mesh need credentials too.

use local::Request;

use super::{Live, service};

#[tokio::test]
async fn one_service_asks_for_credentials_and_its_neighbour_does_not() {
    let live = Live::up(
        r#"
        service "guarded.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s"
            basic-auth htpasswd-file="users.htpasswd"
            fault { abort 501 percent=100 }
        }
        service "open.svc" { endpoint "10.0.0.1:3001" }
        node "alpha" calls="*"
        node "both" { serves "guarded.svc" "open.svc" }
        "#,
    )
    .await;
    let guarded = |path: &str| Request::get(path).host("guarded.svc");
    assert_eq!(live.counter("alpha", "cluster.guarded_svc.membership_healthy").await, 1);
    let refused = live.send("alpha", guarded("/")).await;
    assert_eq!(refused.status, 401, "authentication runs before the fault");
    assert_eq!(refused.header("www-authenticate").as_deref(), Some("Basic realm=\"live\", charset=\"UTF-8\""));
    assert_eq!(live.send("alpha", guarded("/").basic_auth("ada", "lovelace")).await.status, 501);
    assert_eq!(live.send("alpha", guarded("/healthz/../secret")).await.status, 401);
    assert_eq!(service(&live.send("alpha", Request::get("/").host("open.svc")).await), "open.svc");
}

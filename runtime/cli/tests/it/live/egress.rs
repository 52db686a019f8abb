//! What an application can call through its sidecar, and how it names it.

use local::Request;

use super::{Live, service};

const MESH: &str = r#"
    service "beta.svc" { endpoint "10.0.0.1:3000" }
    service "gamma.svc" { endpoint "10.0.0.2:3000" }
    service "outside.svc" { endpoint "10.0.0.9:80" }
    node "alpha" { calls "beta.svc" "outside.svc" }
    node "beta" serves="beta.svc"
    node "gamma" serves="gamma.svc"
"#;

#[tokio::test]
async fn a_service_is_named_by_url_by_host_and_with_the_mesh_port() {
    let live = Live::up(MESH).await;
    for request in [
        Request::get("http://beta.svc/"),
        Request::get("http://BETA.svc/"),
        Request::get("http://beta.svc:4100/"),
        Request::get("/").host("beta.svc"),
        Request::get("/").host("beta.svc:4100"),
    ] {
        assert_eq!(service(&live.send("alpha", request.clone()).await), "beta.svc", "{request:?}");
    }
    assert_eq!(service(&live.send("alpha", Request::get("http://outside.svc/")).await), "outside.svc");
}

#[tokio::test]
async fn what_a_node_does_not_call_is_unknown_to_it() {
    let live = Live::up(MESH).await;
    for host in ["nowhere.svc", "gamma.svc", "beta.svc:3000", "beta.svc,gamma.svc", "10.0.0.1:3000"] {
        let response = live.send("alpha", Request::get("/").host(host)).await;
        assert_eq!(response.status, 404, "{host}");
    }
    assert_eq!(live.send("gamma", Request::get("/").host("beta.svc")).await.status, 404);
}

//! What an overlay changes is changed in the running Envoy, and only there.

use local::Request;

use super::{Live, service};

#[tokio::test]
async fn overlays_take_effect_where_they_are_said() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            envoy-overlay "cluster" json="{\"per_connection_buffer_limit_bytes\": 65536}" reason="a test"
        }
        service "other.svc" { endpoint "10.0.0.1:3001" }
        node "all" { serves "beta.svc" "other.svc" }
        gateway "front" {
            listen 8080
            calls "*"
            envoy-overlay "http-connection-manager" json="{\"serverName\": \"shop\"}" reason="a test"
        }
        gateway "back" { listen 8081; calls "*" }
        "#,
    )
    .await;
    let request = || Request::get("/").host("beta.svc");
    let changed = live.send("front", request()).await;
    assert_eq!(service(&changed), "beta.svc");
    assert_eq!(changed.header("server").as_deref(), Some("shop"));
    assert_eq!(live.send("back", request()).await.header("server").as_deref(), Some("envoy"));
    for gateway in ["front", "back"] {
        let dump = live.config_dump(gateway).await;
        let limits: Vec<(String, u64)> = clusters(&dump)
            .filter_map(|it| Some((it["name"].as_str()?.to_owned(), it["per_connection_buffer_limit_bytes"].as_u64()?)))
            .collect();
        assert_eq!(limits, [("beta.svc".to_owned(), 65536)], "{gateway}");
    }
}

fn clusters(dump: &serde_json::Value) -> impl Iterator<Item = &serde_json::Value> {
    let sections = dump["configs"].as_array().into_iter().flatten();
    let clusters = sections.flat_map(|it| it["static_clusters"].as_array().into_iter().flatten());
    clusters.map(|it| &it["cluster"])
}

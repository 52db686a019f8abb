//! A route names a part of a service's endpoints.

use local::Request;

use super::Live;

#[tokio::test]
async fn requests_go_to_the_subset_that_is_named_or_to_the_default() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000" { labels { version "v1" } }
            endpoint "10.0.0.2:3000" { labels { version "v2"; tier "gold" } }
            endpoint "10.0.0.3:3000" { labels { version "v2" } }
            subset "v1" { labels { version "v1" } }
            subset "gold" { labels { version "v2"; tier "gold" } }
            default-subset "v1"
            route path-prefix="/beta" { to "beta.svc" subset="gold" }
        }
        service "other.svc" {
            endpoint "10.0.0.4:3000"
            route path-prefix="/" { to "beta.svc" subset="gold" }
        }
        node "alpha" calls="*"
        gateway "front" listen=8080 { host "shop.example" { to "beta.svc" } }
        "#,
    )
    .await;
    for (entrance, host, path, expected) in [
        ("alpha", "beta.svc", "/", "10.0.0.1:3000"),
        ("alpha", "beta.svc", "/beta", "10.0.0.2:3000"),
        ("alpha", "other.svc", "/", "10.0.0.2:3000"),
        ("front", "shop.example", "/", "10.0.0.1:3000"),
        ("front", "shop.example", "/beta", "10.0.0.2:3000"),
    ] {
        for answer in live.send_many(entrance, Request::get(path).host(host), 10).await {
            assert_eq!(answer.json().unwrap()["endpoint"], expected, "{host}{path}");
        }
    }
}

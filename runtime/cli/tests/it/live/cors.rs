//! Browsers' preflight requests are answered on the way.

use local::{Request, Response};

use super::{Live, service};

const MESH: &str = r#"
    service "shop.svc" {
        endpoint "10.0.0.1:3000"
        cors {
            allow-origin "https://shop.example"
            allow-origin-regex "https://[a-z]+\\.shop\\.example"
            allow-method "GET" "POST"
            allow-header "content-type"
            expose-header "x-request-id"
            allow-credentials #true
            max-age "1h"
        }
        route path-prefix="/public" { cors { allow-origin "*"; allow-method "GET" }; to "shop.svc" }
        route path-prefix="/other" { to "other.svc" }
    }
    service "other.svc" { endpoint "10.0.0.2:3000" }
    node "alpha" calls="shop.svc"
    node "shop" { serves "shop.svc" "other.svc" }
    gateway "front" listen=8080 {
        calls "shop.svc"
        basic-auth htpasswd-file="users.htpasswd"
        host "open.example" { to "shop.svc" }
        host "own.example" { cors { allow-origin "https://host.example"; allow-method "PUT" }; to "shop.svc" }
    }
"#;

fn preflight(host: &str, path: &str, origin: &str) -> Request {
    let request = Request::new("OPTIONS", path).host(host).header("origin", origin);
    request.header("access-control-request-method", "POST")
}

fn allowed(answer: &Response) -> Option<String> {
    answer.header("access-control-allow-origin").map(Into::into)
}

#[tokio::test]
async fn preflight_requests_are_answered_before_anyone_is_asked() {
    let live = Live::up(MESH).await;
    let shop = "https://shop.example";
    for (entrance, host, path, origin, methods) in [
        ("alpha", "shop.svc", "/", shop, "GET,POST"),
        ("alpha", "shop.svc", "/", "https://www.shop.example", "GET,POST"),
        ("alpha", "shop.svc", "/public", "https://anybody.example", "GET"),
        ("front", "shop.svc", "/", shop, "GET,POST"),
        ("front", "open.example", "/", shop, "GET,POST"),
        ("front", "open.example", "/public", "https://anybody.example", "GET"),
        ("front", "own.example", "/", "https://host.example", "PUT"),
        ("front", "own.example", "/public", "https://anybody.example", "GET"),
    ] {
        let answer = live.send(entrance, preflight(host, path, origin)).await;
        let what = format!("{entrance}: {host}{path} from {origin}");
        assert_eq!((answer.status, allowed(&answer).as_deref()), (200, Some(origin)), "{what}");
        assert_eq!(answer.header("access-control-allow-methods").as_deref(), Some(methods), "{what}");
    }
    let answer = live.send("alpha", preflight("shop.svc", "/", shop)).await;
    for (header, value) in [
        ("access-control-allow-headers", "content-type"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(answer.header(header).as_deref(), Some(value), "{header}");
    }
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 0);
}

#[tokio::test]
async fn other_origins_are_not_told_that_they_may() {
    let live = Live::up(MESH).await;
    let get = |path: &str, origin: &str| Request::get(path).host("shop.svc").header("origin", origin);
    let answer = live.send("alpha", get("/", "https://shop.example")).await;
    assert_eq!(allowed(&answer).as_deref(), Some("https://shop.example"));
    assert_eq!(answer.header("access-control-expose-headers").as_deref(), Some("x-request-id"));
    let answer = live.send("alpha", get("/", "https://evil.example")).await;
    assert_eq!((service(&answer).as_str(), allowed(&answer)), ("shop.svc", None));
    let answer = live.send("alpha", get("/other", "https://shop.example")).await;
    assert_eq!((service(&answer).as_str(), allowed(&answer)), ("other.svc", None), "it says nothing of origins");
    let answer = live.send("front", preflight("own.example", "/", "https://shop.example")).await;
    assert_eq!((answer.status, allowed(&answer)), (401, None), "the host's rules stand for the service's");
}

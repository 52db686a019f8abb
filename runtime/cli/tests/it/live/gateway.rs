//! The front gateway: credentials first, whatever is asked for.

use local::Request;

use super::{Live, received, service};

const MESH: &str = r#"
    service "beta.svc" { endpoint "10.0.0.1:3000"; health-check path="/healthz" interval="1s" }
    node "beta" serves="beta.svc"
    gateway "front" listen=8080 {
        calls "beta.svc"
        basic-auth realm="the \"shop\"" htpasswd-file="users.htpasswd" forward-user-header="x-user"
        host "*.shop.example" { to "beta.svc" }
    }
"#;

const CHALLENGE: &str = r#"Basic realm="the \"shop\"", charset="UTF-8""#;

#[tokio::test]
async fn credentials_are_asked_of_every_request() {
    let live = Live::up(MESH).await;
    let to_beta = |path: &str| Request::get(path).host("beta.svc");
    for (what, request) in [
        ("no credentials", to_beta("/")),
        ("wrong password", to_beta("/").basic_auth("ada", "wrong")),
        ("unknown user", to_beta("/").basic_auth("eve", "lovelace")),
        ("empty password", to_beta("/").basic_auth("ada", "")),
        ("health path", to_beta("/healthz")),
        ("health path, wrong password", to_beta("/healthz").basic_auth("ada", "wrong")),
        ("unknown host", Request::get("/").host("nowhere.svc")),
        ("two credentials", to_beta("/").basic_auth("ada", "lovelace").basic_auth("ada", "lovelace")),
        ("another scheme", to_beta("/").header("authorization", "Bearer YWRhOmxvdmVsYWNl")),
    ] {
        let response = live.send("front", request).await;
        assert_eq!(response.status, 401, "{what}");
        assert_eq!(response.header("www-authenticate").as_deref(), Some(CHALLENGE), "{what}");
    }
    for (user, password) in [("ada", "lovelace"), ("grace", "hopper")] {
        let forged = to_beta("/").basic_auth(user, password).header("x-user", "root");
        let response = live.send("front", forged).await;
        assert_eq!(service(&response), "beta.svc");
        assert_eq!(received(&response, "x-user"), [user], "the application gets the proven name, not the forged one");
    }
    let lower_case = to_beta("/").header("authorization", "basic YWRhOmxvdmVsYWNl");
    assert_eq!(service(&live.send("front", lower_case).await), "beta.svc");
}

#[tokio::test]
async fn a_wildcard_host_leads_to_its_service() {
    let live = Live::up(MESH).await;
    let request = |host: &str| Request::get("/").host(host).basic_auth("ada", "lovelace");
    let response = live.send("front", request("www.shop.example")).await;
    assert_eq!(service(&response), "beta.svc");
    assert_eq!(received(&response, "x-forwarded-host"), ["www.shop.example"]);
    for host in ["WWW.shop.example:8080", "www.shop.example:443", "www.shop.example."] {
        assert_eq!(service(&live.send("front", request(host)).await), "beta.svc", "{host}");
    }
    assert_eq!(live.send("front", request("shop.example")).await.status, 404);
    let two_hosts = Request::get("/").host("evil,www.shop.example").basic_auth("ada", "lovelace");
    assert_eq!(live.send("front", two_hosts).await.status, 400);
}

/// Behind a load balancer of ours the scheme is what the outside world used.
#[tokio::test]
async fn forwarded_headers_are_believed_from_trusted_hops_only() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        gateway "edge" listen=8080 { calls "beta.svc" }
        gateway "behind" listen=8080 { trusted-hops 1; calls "beta.svc" }
        "#,
    )
    .await;
    for (gateway, scheme) in [("edge", "http"), ("behind", "https")] {
        let request = Request::get("/").host("beta.svc").header("x-forwarded-proto", "https");
        let response = live.send(gateway, request).await;
        assert_eq!(received(&response, "x-forwarded-proto"), [scheme], "{gateway}");
    }
}

#[tokio::test]
async fn a_host_obeys_its_targets_routes_and_its_splits_are_not_cut_short() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            timeout "1s"
            route path-prefix="/new" { to "next.svc" }
        }
        service "next.svc" { endpoint "10.0.0.2:3000"; timeout "10s" }
        node "beta" serves="beta.svc"
        node "next" serves="next.svc"
        gateway "front" listen=8080 {
            host "one.example" { to "beta.svc" }
            host "part.example" { route path-prefix="/new/api" { to "beta.svc" } }
            host "split.example" { to "beta.svc" weight=1; to "next.svc" weight=1 }
        }
        "#,
    )
    .await;
    let get = |host: &str, path: &str| Request::get(path).host(host);
    for (host, path, expected) in [
        ("one.example", "/", "beta.svc"),
        ("one.example", "/new/x", "next.svc"),
        ("part.example", "/new/api/x", "next.svc"),
    ] {
        assert_eq!(service(&live.send("front", get(host, path)).await), expected, "{host}{path}");
    }
    assert_eq!(live.send("front", get("part.example", "/new")).await.status, 404);
    let slow = get("split.example", "/").header("x-echo-delay", "1500");
    for response in live.send_many("front", slow, 8).await {
        assert_eq!(response.status, 200, "the longest limit of the targets holds");
    }
}

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
    assert_eq!(service(&live.send("front", request("WWW.shop.example:8080")).await), "beta.svc");
    assert_eq!(live.send("front", request("shop.example")).await.status, 404);
    let two_hosts = Request::get("/").host("evil,www.shop.example").basic_auth("ada", "lovelace");
    assert_eq!(live.send("front", two_hosts).await.status, 400);
}

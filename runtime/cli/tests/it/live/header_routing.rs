//! Header routing: by what the client sends, never by the mesh's own header.

use local::Request;

use super::{Live, received, service};

const MESH: &str = r#"
    service "beta.svc" {
        endpoint "10.0.0.1:3000"
        header-routing { rule to="canary.svc" { header "x-canary" exact="on" } }
    }
    service "canary.svc" { endpoint "10.0.0.2:3000" }
    node "alpha" calls="beta.svc"
    node "beta" serves="beta.svc"
    node "canary" serves="canary.svc"
    gateway "front" listen=8080 {
        calls "beta.svc"
        host "shop.example" { to "beta.svc" }
    }
"#;

#[tokio::test]
async fn the_header_leads_to_the_other_target() {
    let live = Live::up(MESH).await;
    for (entrance, host) in
        [("alpha", "beta.svc"), ("front", "beta.svc"), ("front", "beta.svc:8080"), ("front", "shop.example")]
    {
        let request = || Request::get("/").host(host);
        let through = format!("{entrance}, {host}");
        assert_eq!(service(&live.send(entrance, request()).await), "beta.svc", "{through}");
        let canary = live.send(entrance, request().header("x-canary", "on")).await;
        assert_eq!(service(&canary), "canary.svc", "{through}");
        assert_eq!(received(&canary, "x-meshwright-route"), [] as [&str; 0], "{through}");
        for value in ["off", "ON", "on "] {
            let other = live.send(entrance, request().header("x-canary", value)).await;
            let expected = if value.trim() == "on" { "canary.svc" } else { "beta.svc" };
            assert_eq!(service(&other), expected, "{through}, {value:?}");
        }
    }
}

#[tokio::test]
async fn clients_cannot_forge_the_internal_header() {
    let live = Live::up(MESH).await;
    for entrance in ["alpha", "front"] {
        let forged = Request::get("/").host("beta.svc").header("x-meshwright-route", "canary.svc");
        let response = live.send(entrance, forged).await;
        assert_eq!(service(&response), "beta.svc", "{entrance}");
        assert_eq!(received(&response, "x-meshwright-route"), [] as [&str; 0]);
        let twice = Request::get("/")
            .host("beta.svc")
            .header("x-meshwright-route", "canary.svc")
            .header("X-Meshwright-Route", "canary.svc");
        assert_eq!(service(&live.send(entrance, twice).await), "beta.svc", "{entrance}");
    }
}

#[tokio::test]
async fn a_repeated_header_is_not_trusted() {
    let live = Live::up(MESH).await;
    let repeated = Request::get("/").host("beta.svc").header("x-canary", "on").header("x-canary", "off");
    assert_eq!(service(&live.send("alpha", repeated).await), "beta.svc");
}

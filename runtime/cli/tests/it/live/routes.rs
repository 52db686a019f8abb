//! Routes take the requests that they say, at a caller's sidecar and at a gateway.

use local::Request;

use super::{Live, service};

const MESH: &str = r#"
    service "shop.svc" {
        endpoint "10.0.0.1:3000"
        port 8080
        route path-prefix="/Any-Case/" case-sensitive=#false { to "hit.svc" }
        route path="/exact" { to "hit.svc" }
        route path-prefix="/pre" { to "hit.svc" }
        route path-regex="/item/[0-9]+" { to "hit.svc" }
        route path-regex="/TEM/[a-z]+" case-sensitive=#false { to "hit.svc" }
        route path="/one" method="PUT" { to "hit.svc" }
        route path="/two" method="POST,DELETE" { to "hit.svc" }
        route path="/secure" scheme="https" { to "hit.svc" }
        route path="/plain" scheme="http" { to "hit.svc" }
        route path="/headers" {
            header "x-exact" exact="one"
            header "x-blocked" present=#true invert=#true
            header "x-range" range="-3..10"
            header "x-like" contains="Bot" ignore-case=#true
            header "x-build" regex="v[0-9]+"
            to "hit.svc"
        }
        route path="/other" { header "x-exact" exact="one" invert=#true; to "hit.svc" }
        route path="/query" {
            query "exact" exact="1"
            query "prefix" prefix="de"
            query "suffix" suffix="-new"
            query "contains" contains="sale" ignore-case=#true
            query "regex" regex="[0-9]+"
            query "there" present=#true
            to "hit.svc"
        }
    }
    service "hit.svc" { endpoint "10.0.0.2:3000" }
    node "alpha" calls="shop.svc"
    node "shop" serves="shop.svc"
    node "hit" serves="hit.svc"
    gateway "front" listen=8080 {
        calls "shop.svc"
        host "shop.example" { to "shop.svc" }
        host "narrow.example" { route path-regex="/(?:pre|item)/?.*" { to "shop.svc" } }
    }
"#;

#[tokio::test]
async fn routes_with_a_lower_number_are_tried_first() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/" { respond 210 }
            route path-prefix="/a" priority=20 { respond 220 }
            route path-prefix="/a/b" priority=10 { respond 230 }
        }
        node "alpha" calls="shop.svc"
        node "shop" serves="shop.svc"
        "#,
    )
    .await;
    for (path, status) in [("/a/b", 230), ("/a", 220), ("/", 210)] {
        assert_eq!(live.send("alpha", Request::get(path).host("shop.svc")).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_route_takes_what_meets_all_its_conditions() {
    let live = Live::up(MESH).await;
    let get = Request::get;
    let method = |method: &str, path: &str| Request::new(method, path);
    let headers = || {
        let all = get("/headers").header("x-exact", "one").header("x-range", "9");
        all.header("x-like", "a robot").header("x-build", "v12")
    };
    let query = "/query?exact=1&prefix=de-at&suffix=a-new&contains=SALES&regex=12&there";
    for (entrance, host) in [("alpha", "shop.svc"), ("front", "shop.svc"), ("front", "shop.example")] {
        for (hit, request) in [
            (true, get("/any-CASE/x")),
            (false, get("/any-CASE")),
            (true, get("/exact")),
            (true, get("/exact?query=1")),
            (false, get("/exact/")),
            (false, get("/Exact")),
            (true, get("/prefixed")),
            (false, get("/Pre")),
            (true, get("/item/12?query=1")),
            (false, get("/item/12a")),
            (false, get("/a/item/12")),
            (true, get("/tem/ABC")),
            (true, method("PUT", "/one")),
            (false, method("POST", "/one")),
            (true, method("POST", "/two")),
            (true, method("DELETE", "/two")),
            (false, method("GET", "/two")),
            (false, get("/secure")),
            (true, get("/plain")),
            (true, headers()),
            (false, headers().header("x-blocked", "")),
            (false, get("/headers").header("x-exact", "one")),
            (true, get("/other").header("x-exact", "two")),
            (false, get("/other").header("x-exact", "one")),
            (false, get("/other")),
            (true, get(query)),
            (false, get("/query?exact=1&prefix=de")),
            (false, get(&query.replace("regex=12", "regex=a12"))),
            (false, get(&query.replace("&there", ""))),
        ] {
            let what = format!("{entrance}, {host}: {} {}", request.method, request.target);
            let answer = live.send(entrance, request.host(host)).await;
            let expected = if hit { "hit.svc" } else { "shop.svc" };
            assert_eq!(service(&answer), expected, "{what}");
        }
    }
}

#[tokio::test]
async fn two_expressions_hold_together_and_the_query_does_not_help() {
    let live = Live::up(MESH).await;
    for (path, expected) in [
        ("/item/12", Some("hit.svc")),
        ("/item/12?a=b", Some("hit.svc")),
        ("/item/", Some("shop.svc")),
        ("/item/x?y=/item/12", Some("shop.svc")),
        ("/prefix", Some("hit.svc")),
        ("/exact", None),
        ("/exact?/item/12", None),
    ] {
        let answer = live.send("front", Request::get(path).host("narrow.example")).await;
        match expected {
            Some(expected) => assert_eq!(service(&answer), expected, "{path}"),
            None => assert_eq!(answer.status, 404, "{path}"),
        }
    }
}

#[tokio::test]
async fn the_port_is_the_one_that_the_caller_names_or_the_listener_has() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            port 8080
            route path-prefix="/own" port=8080 { to "hit.svc" }
            route path-prefix="/tls" port=8443 { to "hit.svc" }
        }
        service "bare.svc" { endpoint "10.0.0.1:3001"; route port=80 { to "hit.svc" } }
        service "hit.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="*"
        node "shop" { serves "shop.svc" "bare.svc" }
        node "hit" serves="hit.svc"
        gateway "front" listen=8080 {
            calls "shop.svc"
            host "shop.example" {
                route path-prefix="/here" port=8080 { to "hit.svc" }
                route path-prefix="/there" port=8443 { to "hit.svc" }
                to "shop.svc"
            }
        }
        "#,
    )
    .await;
    for (entrance, host, path, expected) in [
        ("alpha", "shop.svc", "/own", "hit.svc"),
        ("alpha", "shop.svc:8080", "/own", "hit.svc"),
        ("alpha", "shop.svc:8443", "/own", "shop.svc"),
        ("alpha", "shop.svc:8443", "/tls", "hit.svc"),
        ("alpha", "shop.svc", "/tls", "shop.svc"),
        ("alpha", "shop.svc:4100", "/own", "shop.svc"),
        ("alpha", "bare.svc", "/", "hit.svc"),
        ("alpha", "bare.svc:80", "/", "hit.svc"),
        ("alpha", "bare.svc:4100", "/", "bare.svc"),
        ("front", "shop.svc", "/own", "hit.svc"),
        ("front", "shop.svc", "/tls", "shop.svc"),
        ("front", "shop.example", "/here", "hit.svc"),
        ("front", "shop.example:8443", "/here", "hit.svc"),
        ("front", "shop.example", "/there", "shop.svc"),
        ("front", "shop.example", "/own", "hit.svc"),
    ] {
        let answer = live.send(entrance, Request::get(path).host(host)).await;
        assert_eq!(service(&answer), expected, "{entrance}: {host}{path}");
    }
}

//! Requests arrive rewritten and with their headers changed, or are answered on the way.

use local::{Request, Response};
use serde_json::Value;

use super::{Live, received, service};

#[track_caller]
fn said(answer: &Response, field: &str) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body: Value = answer.json().unwrap();
    body[field].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn paths_arrive_rewritten_with_their_query() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/old/" { rewrite prefix="/new/"; to "shop.svc" }
            route path-prefix="/Case/" case-sensitive=#false { rewrite prefix="/"; to "shop.svc" }
            route path-prefix="/all" { rewrite path="/50%25/%REQ(x)"; to "shop.svc" }
        }
        service "versions.svc" {
            endpoint "10.0.0.1:3001"
            route path-prefix="/v1" { rewrite { regex "/v([0-9])/([^/]+)" substitution="/\\2/\\1" }; to "versions.svc" }
        }
        node "alpha" calls="*"
        node "shop" { serves "shop.svc" "versions.svc" }
        gateway "front" listen=8080 {
            host "shop.example" { to "shop.svc" }
            host "versions.example" { to "versions.svc" }
            host "below.example" { route path-prefix="/shop/" { rewrite prefix="/"; to "shop.svc" } }
        }
        "#,
    )
    .await;
    for (entrance, host, asked, arrived) in [
        ("alpha", "shop.svc", "/old/a?b=/old/", "/new/a?b=/old/"),
        ("alpha", "shop.svc", "/cASE/a?b", "/a?b"),
        ("alpha", "shop.svc", "/all/a?b=c", "/50%25/%REQ(x)?b=c"),
        ("alpha", "versions.svc", "/v1/a/v2/b?/v1/c", "/a/1/b/2?/v1/c"),
        ("front", "versions.example", "/v1/a/v2/b?/v1/c", "/a/1/b/2?/v1/c"),
        ("alpha", "shop.svc", "/same?x", "/same?x"),
        ("front", "shop.example", "/old/a", "/new/a"),
        ("front", "shop.example", "/all", "/50%25/%REQ(x)"),
        ("front", "below.example", "/shop/a?b", "/a?b"),
        ("front", "below.example", "/shop/old/a?b", "/new/a?b"),
        ("front", "below.example", "/shop/CASE/A", "/A"),
        ("front", "below.example", "/shop/all/x?y", "/50%25/%REQ(x)?y"),
    ] {
        let answer = live.send(entrance, Request::get(asked).host(host)).await;
        assert_eq!(said(&answer, "path"), arrived, "{entrance}: {host}{asked}");
    }
    assert_eq!(live.send("front", Request::get("/old/a").host("below.example")).await.status, 404);
}

#[tokio::test]
async fn the_host_becomes_what_a_rewrite_says() {
    // Behind a sidecar nobody would know these names.
    let mut outside = world::Outside::new().await;
    outside.add("10.9.0.1:8080", world::Serves::Http).await;
    let live = Live::of(
        r#"
        service "old.svc" {
            endpoint "10.9.0.1:8080"
            route path-prefix="/fixed" { rewrite host="legacy.example"; to "old.svc" }
            route path-prefix="/header" { rewrite host-from-header="x-tenant-host"; to "old.svc" }
        }
        service "meshed.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="*"
        node "meshed" serves="meshed.svc"
        gateway "front" listen=8080 {
            host "shop.example" {
                route path-prefix="/kept" { rewrite host-kept=#true; to "old.svc" }
                route path-prefix="/named" { rewrite host-of-service=#true; to "old.svc" }
                route path-prefix="/split" { rewrite host="legacy.example"; to "old.svc" weight=1; to "meshed.svc" weight=0 }
                route path-prefix="/shared" { to "old.svc" weight=1; to "meshed.svc" weight=0 }
                route path-prefix="/meshed" { to "meshed.svc" }
                to "old.svc"
            }
        }
        "#,
    )
    .outside(outside)
    .up()
    .await;
    for (entrance, host, path, arrived, forwarded) in [
        ("alpha", "old.svc", "/fixed", "legacy.example", vec!["old.svc"]),
        ("alpha", "old.svc", "/header", "tenant.example", vec!["old.svc"]),
        ("alpha", "old.svc", "/", "old.svc", vec![]),
        ("front", "shop.example", "/kept", "shop.example", vec![]),
        ("front", "shop.example", "/named", "old.svc", vec!["shop.example"]),
        ("front", "shop.example", "/fixed", "legacy.example", vec!["shop.example"]),
        ("front", "shop.example", "/split", "legacy.example", vec!["shop.example"]),
        ("front", "shop.example", "/shared", "old.svc", vec!["shop.example"]),
        ("front", "shop.example", "/meshed", "meshed.svc", vec!["shop.example"]),
        ("front", "shop.example", "/", "old.svc", vec!["shop.example"]),
    ] {
        let request = Request::get(path).host(host).header("x-tenant-host", "tenant.example");
        let answer = live.send(entrance, request).await;
        assert_eq!(said(&answer, "host"), arrived, "{entrance}: {host}{path}");
        assert_eq!(received(&answer, "x-forwarded-host"), forwarded, "{entrance}: {host}{path}");
    }
}

#[tokio::test]
async fn headers_are_edited_from_the_target_outwards() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            request-headers { remove "x-debug"; set "x-who" value="service 100%"; add "x-all" value="service" }
            response-headers { set "x-from" value="service"; add "x-protocol" value="%PROTOCOL%" format=#true }
            route path-prefix="/edited" {
                request-headers { set "x-who" value="route"; add "x-all" value="route" }
                to "shop.svc" {
                    request-headers { set "x-debug" value="target"; set "x-who" value="target"; add "x-all" value="target" }
                }
            }
            route path-prefix="/split" {
                request-headers { remove "x-target" ; add "x-all" value="route" }
                to "shop.svc" weight=1 { request-headers { set "x-target" value="target"; add "x-all" value="target" } }
                to "plain.svc" weight=1 { response-headers { set "x-from" value="target" } }
            }
        }
        service "plain.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="shop.svc"
        node "shop" serves="shop.svc"
        node "plain" serves="plain.svc"
        gateway "front" listen=8080 {
            calls "shop.svc"
            request-headers { set "x-who" value="gateway"; add "x-all" value="gateway" }
            response-headers { remove "x-protocol" }
            host "shop.example" {
                request-headers { set "x-who" value="host"; add "x-all" value="host" }
                to "shop.svc"
            }
        }
        "#,
    )
    .await;
    let request = |path: &str, host: &str| {
        let request = Request::get(path).host(host).header("x-who", "caller");
        request.header("x-debug", "caller").header("x-all", "caller")
    };
    for (entrance, host, path, who, all) in [
        ("alpha", "shop.svc", "/", "service 100%", vec!["caller", "service"]),
        ("alpha", "shop.svc", "/edited", "route", vec!["caller", "target", "service", "route"]),
        ("front", "shop.svc", "/", "gateway", vec!["caller", "service", "gateway"]),
        (
            "front",
            "shop.example",
            "/edited",
            "gateway",
            vec!["caller", "target", "service", "route", "host", "gateway"],
        ),
    ] {
        let answer = live.send(entrance, request(path, host)).await;
        let what = format!("{entrance}: {host}{path}");
        assert_eq!(received(&answer, "x-who"), [who], "{what}");
        assert_eq!(received(&answer, "x-all").join(",").replace(", ", ","), all.join(","), "{what}");
        assert_eq!(received(&answer, "x-debug"), [] as [&str; 0], "{what}");
        assert_eq!(answer.header("x-from").as_deref(), Some("service"), "{what}");
        let protocol = (entrance == "alpha").then_some("HTTP/1.1");
        assert_eq!(answer.header("x-protocol").as_deref(), protocol, "{what}");
    }
    let answers = live.send_many("alpha", request("/split", "shop.svc"), 40).await;
    for answer in &answers {
        let (from, all) = match service(answer).as_str() {
            "shop.svc" => ("service", "caller,target,service,route"),
            _ => ("target", "caller,route"),
        };
        assert_eq!(answer.header("x-from").as_deref(), Some(from));
        assert_eq!(received(answer, "x-all").join(",").replace(", ", ","), all);
        assert_eq!(received(answer, "x-target"), [] as [&str; 0], "the route is wider than its target");
    }
    assert!(answers.iter().any(|answer| service(answer) == "plain.svc"));
}

#[tokio::test]
async fn redirects_and_answers_ask_nobody() {
    let live = Live::up(
        r#"
        service "shop.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/moved" { redirect scheme="https" host="shop.example" port=8443 prefix="/there" status=308 strip-query=#true }
            route path-prefix="/news" { redirect prefix="/blog" }
            route path="/home" { redirect path="/" status=302; response-headers { set "x-why" value="moved" } }
            route path="/see" { redirect path="/other" status=303 }
            route path="/tls" { redirect scheme="https" status=307 }
            route path="/robots.txt" { respond 200 body="User-agent: *\n" content-type="text/robots" }
            route path="/plain" { respond 418 body="short" }
            route path="/empty" { respond 204 }
        }
        node "alpha" calls="shop.svc"
        node "shop" serves="shop.svc"
        gateway "front" listen=8080 {
            host "www.example" { route path-prefix="/s/" { rewrite prefix="/"; to "shop.svc" } }
        }
        "#,
    )
    .await;
    for (entrance, host, path, status, location) in [
        ("alpha", "shop.svc", "/moved/a?b=c", 308, "https://shop.example:8443/there/a"),
        ("alpha", "shop.svc", "/news/a?b=c", 301, "http://shop.svc/blog/a?b=c"),
        ("alpha", "shop.svc", "/home?b=c", 302, "http://shop.svc/?b=c"),
        ("alpha", "shop.svc", "/see", 303, "http://shop.svc/other"),
        ("alpha", "shop.svc", "/tls?b=c", 307, "https://shop.svc/tls?b=c"),
        ("front", "www.example", "/s/news/a", 301, "http://www.example/blog/a"),
        ("front", "www.example", "/s/tls?b=c", 307, "https://www.example/s/tls?b=c"),
    ] {
        let answer = live.send(entrance, Request::get(path).host(host)).await;
        assert_eq!((answer.status, answer.header("location").as_deref()), (status, Some(location)), "{host}{path}");
    }
    let home = live.send("alpha", Request::get("/home").host("shop.svc")).await;
    assert_eq!(home.header("x-why").as_deref(), Some("moved"));
    for (entrance, host, path, status, body, kind) in [
        ("alpha", "shop.svc", "/robots.txt", 200, "User-agent: *\n", Some("text/robots")),
        ("alpha", "shop.svc", "/plain", 418, "short", Some("text/plain")),
        ("alpha", "shop.svc", "/empty", 204, "", None),
        ("front", "www.example", "/s/robots.txt", 200, "User-agent: *\n", Some("text/robots")),
    ] {
        let answer = live.send(entrance, Request::get(path).host(host)).await;
        let said = (answer.status, answer.text().into_owned(), answer.header("content-type").map(Into::into));
        assert_eq!(said, (status, body.to_owned(), kind.map(str::to_owned)), "{host}{path}");
    }
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 0);
}

//! Header routing: by what the client sends, never by the mesh's own header.

use std::collections::BTreeSet;

use local::{Request, Response};

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

/// Where requests for the service enter, and by which name.
const ENTRANCES: [(&str, &str); 4] =
    [("alpha", "beta.svc"), ("front", "beta.svc"), ("front", "beta.svc:8080"), ("front", "shop.example")];

/// The same mesh with other rules, which may also lead to `blue.svc`.
fn mesh(rules: &str) -> String {
    format!(
        r#"
        service "beta.svc" {{
            endpoint "10.0.0.1:3000"
            header-routing {{ {rules} }}
        }}
        service "canary.svc" {{ endpoint "10.0.0.2:3000" }}
        service "blue.svc" {{ endpoint "10.0.0.3:3000" }}
        node "alpha" calls="beta.svc"
        gateway "front" listen=8080 {{
            calls "beta.svc"
            host "shop.example" {{ to "beta.svc" }}
        }}
        "#
    )
}

/// The cookies that an answer sets.
fn set_cookies(response: &Response) -> Vec<String> {
    let set = response.headers.iter().filter(|(name, _)| name == "set-cookie");
    set.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}

#[tokio::test]
async fn the_header_leads_to_the_other_target() {
    let live = Live::up(MESH).await;
    for (entrance, host) in ENTRANCES {
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
    for (entrance, host) in ENTRANCES {
        let through = format!("{entrance}, {host}");
        let forged = Request::get("/").host(host).header("x-meshwright-route", "canary.svc");
        let response = live.send(entrance, forged).await;
        assert_eq!(service(&response), "beta.svc", "{through}");
        assert_eq!(received(&response, "x-meshwright-route"), [] as [&str; 0]);
        let twice = Request::get("/")
            .host(host)
            .header("x-meshwright-route", "canary.svc")
            .header("X-Meshwright-Route", "canary.svc");
        assert_eq!(service(&live.send(entrance, twice).await), "beta.svc", "{through}");
    }
}

#[tokio::test]
async fn what_is_repeated_is_not_trusted() {
    let rules = r#"
        rule to="canary.svc" { header "x-canary" exact="on" }
        rule to="canary.svc" { cookie "canary" exact="on" }
        rule to="canary.svc" { query "canary" exact="on" }
    "#;
    let live = Live::up(&mesh(rules)).await;
    for (entrance, host) in ENTRANCES {
        let asked = |path: &str, headers: &[(&str, &str)]| {
            headers.iter().fold(Request::get(path).host(host), |request, (name, value)| request.header(name, value))
        };
        for (once, twice) in [
            (asked("/", &[("x-canary", "on")]), asked("/", &[("x-canary", "on"), ("x-canary", "off")])),
            (asked("/", &[("cookie", "a=1; canary=on")]), asked("/", &[("cookie", "canary=on; canary=off")])),
            (asked("/", &[("cookie", "canary=on")]), asked("/", &[("cookie", "canary=on"), ("cookie", "canary=off")])),
            (asked("/?canary=on", &[]), asked("/?canary=on&canary=off", &[])),
            (asked("/?%63anary=%6fn", &[]), asked("/?canary=on&%63anary=off", &[])),
        ] {
            assert_eq!(service(&live.send(entrance, once).await), "canary.svc", "{entrance}, {host}");
            assert_eq!(service(&live.send(entrance, twice).await), "beta.svc", "{entrance}, {host}");
        }
    }
    assert!(live.counter("alpha", "wasmcustom.meshwright_header_routing_undecided").await >= 5);
}

#[tokio::test]
async fn groups_hold_by_any_of_their_conditions() {
    let rules = r#"
        rule to="canary.svc" {
            method "GET" "POST"
            any {
                header "x-team" contains="blue" ignore-case=#true
                cookie "team" present=#true
                all { query "preview" exact="1"; header "x-build" range="2..10"; }
            }
        }
    "#;
    let live = Live::up(&mesh(rules)).await;
    for (entrance, host) in [("alpha", "beta.svc"), ("front", "shop.example")] {
        let get = |path: &str| Request::get(path).host(host);
        for taken in [
            get("/").header("x-team", "The BLUE ones"),
            get("/").header("cookie", "team="),
            get("/?preview=1").header("x-build", "9"),
        ] {
            assert_eq!(service(&live.send(entrance, taken).await), "canary.svc", "{entrance}");
        }
        for left in [
            get("/?preview=1"),
            get("/?preview=1").header("x-build", "10"),
            Request::new("DELETE", "/").host(host).header("x-team", "blue"),
        ] {
            assert_eq!(service(&live.send(entrance, left).await), "beta.svc", "{entrance}");
        }
    }
}

#[tokio::test]
async fn a_user_is_decided_about_alike_at_every_entrance() {
    let rules = r#"
        rule {
            percent 60
            sticky header="x-user"
            to "canary.svc" weight=1
            to "blue.svc" weight=1 { request-headers { set "x-colour" value="blue"; }; }
        }
    "#;
    let live = Live::up(&mesh(rules)).await;
    let mut taken = BTreeSet::new();
    for user in 0..40 {
        let mut homes = BTreeSet::new();
        for (entrance, host) in ENTRANCES {
            let answer =
                live.send(entrance, Request::get("/").host(host).header("x-user", format!("user-{user}"))).await;
            let home = service(&answer);
            assert_eq!(!received(&answer, "x-colour").is_empty(), home == "blue.svc");
            homes.insert(home);
        }
        assert_eq!(homes.len(), 1, "user-{user}: {homes:?}");
        taken.extend(homes);
    }
    assert_eq!(taken.len(), 3, "{taken:?}");
    assert_eq!(service(&live.send("alpha", Request::get("/").host("beta.svc")).await), "beta.svc");
}

#[tokio::test]
async fn a_visitor_stays_where_the_first_visit_led() {
    let rules = r#"
        rule to="canary.svc" {
            percent 50
            visitor-cookie "variant" ttl="1h" same-site="strict"
        }
    "#;
    let live = Live::up(&mesh(rules)).await;
    for (entrance, host) in [("alpha", "beta.svc"), ("front", "shop.example")] {
        let mut homes = BTreeSet::new();
        while homes.len() < 2 {
            let first = live.send(entrance, Request::get("/").host(host)).await;
            let (home, set) = (service(&first), set_cookies(&first));
            assert_eq!(set.len(), 1, "{set:?}");
            let (cookie, attributes) = set[0].split_once(';').unwrap();
            assert_eq!(attributes, " Path=/; Max-Age=3600; SameSite=Strict; HttpOnly");
            assert!(!cookie.contains("canary"), "{cookie}");
            for again in live.send_many(entrance, Request::get("/").host(host).header("cookie", cookie), 10).await {
                assert_eq!(service(&again), home);
                assert_eq!(set_cookies(&again), [] as [&str; 0]);
            }
            homes.insert(home);
        }
        let forged = live.send(entrance, Request::get("/").host(host).header("cookie", "variant=canary.svc")).await;
        assert_eq!(set_cookies(&forged).len(), 1);
    }
}

#[tokio::test]
async fn a_dry_run_moves_nobody_and_tells_the_service() {
    let rules = r#"
        rule to="canary.svc" { header "x-canary" exact="on"; dry-run #true; }
        rule to="blue.svc" { header "x-blue" exact="on" }
    "#;
    let live = Live::up(&mesh(rules)).await;
    let told = "x-meshwright-route-dry-run";
    for (entrance, host) in [("alpha", "beta.svc"), ("front", "shop.example")] {
        let request = || Request::get("/").host(host);
        let dry = live.send(entrance, request().header("x-canary", "on")).await;
        assert_eq!(service(&dry), "beta.svc");
        assert_eq!(received(&dry, told), ["canary.svc"]);
        assert!(dry.header(told).is_none());
        let both = live.send(entrance, request().header("x-canary", "on").header("x-blue", "on")).await;
        assert_eq!(service(&both), "blue.svc");
        assert_eq!(received(&both, told), ["canary.svc"]);
        let forged = live.send(entrance, request().header(told, "blue.svc")).await;
        assert_eq!(service(&forged), "beta.svc");
        assert_eq!(received(&forged, told), [] as [&str; 0]);
        assert!(live.counter(entrance, "wasmcustom.meshwright_header_routing_dry_run").await >= 2);
    }
}

#[tokio::test]
async fn chance_splits_by_weight() {
    let live = Live::up(&mesh("rule { percent 50; to \"canary.svc\" weight=3; to \"blue.svc\" weight=1; }")).await;
    let answers = live.send_many("alpha", Request::get("/").host("beta.svc"), 400).await;
    let went = |name: &str| answers.iter().filter(|answer| service(answer) == name).count();
    // Expected are 200, 150 and 50; five standard deviations are 50, 48 and 33.
    assert!((150..=250).contains(&went("beta.svc")), "{}", went("beta.svc"));
    assert!((102..=198).contains(&went("canary.svc")), "{}", went("canary.svc"));
    assert!((17..=83).contains(&went("blue.svc")), "{}", went("blue.svc"));
}

#[tokio::test]
async fn the_route_table_follows_rules_without_a_filter() {
    let rules = r#"
        rule to="canary.svc" {
            header "x-tester" present=#true
            any { cookie "beta" exact="on" ignore-case=#true; cookie "team" regex="b[0-9]+"; query "beta" prefix="o"; }
        }
        rule {
            header "x-split" exact="1"
            percent 50
            to "canary.svc"
            to "blue.svc"
        }
        engine "native"
    "#;
    let live = Live::up(&mesh(rules)).await;
    for (entrance, host) in [("alpha", "beta.svc"), ("front", "shop.example")] {
        let tester = |path: &str| Request::get(path).host(host).header("x-tester", "1");
        for taken in [
            tester("/").header("cookie", "a=1; beta=ON"),
            tester("/").header("cookie", "team=b12"),
            tester("/?beta=on"),
        ] {
            assert_eq!(service(&live.send(entrance, taken).await), "canary.svc", "{entrance}");
        }
        for left in
            [tester("/"), tester("/").header("cookie", "beta=off; team=c1"), Request::get("/?beta=on").host(host)]
        {
            assert_eq!(service(&live.send(entrance, left).await), "beta.svc", "{entrance}");
        }
        let mut homes = BTreeSet::new();
        while homes.len() < 3 {
            homes.insert(service(&live.send(entrance, Request::get("/").host(host).header("x-split", "1")).await));
        }
    }
}

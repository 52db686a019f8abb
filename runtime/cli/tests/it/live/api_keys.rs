//! Keys of callers, and passwords that Envoy checks itself.

use local::Request;

use super::{Live, received};

const KEYS: &str = "# shops\nshop:3f5a1c9e7b2d4860\nmill:9d8c7b6a5f4e3d2c\n";

#[tokio::test]
async fn only_known_keys_pass_and_stay_here() {
    let live = Live::of(
        r#"
        service "header.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0s"
            api-key header="x-api-key" keys-file="clients.keys" forward-client-header="x-client"
        }
        service "query.svc" { endpoint "10.0.0.1:3001"; api-key query="key" keys-file="clients.keys"; }
        service "cookie.svc" {
            endpoint "10.0.0.1:3002"
            api-key cookie="key" keys-file="clients.keys" hide=#false
        }
        node "alpha" calls="*"
        node "beta" { serves "header.svc" "query.svc" "cookie.svc" }
        "#,
    )
    .file("clients.keys", KEYS)
    .up()
    .await;
    let header = || Request::get("/").host("header.svc");
    let good = live.send("alpha", header().header("x-api-key", "3f5a1c9e7b2d4860").header("x-client", "mill")).await;
    assert_eq!(good.status, 200);
    assert_eq!(received(&good, "x-client"), ["shop"], "the client cannot be forged");
    assert_eq!(received(&good, "x-api-key"), [] as [&str; 0]);
    for bad in ["", "3f5a1c9e7b2d486", "3f5a1c9e7b2d48600", "shop:3f5a1c9e7b2d4860", "3F5A1C9E7B2D4860"] {
        assert_eq!(live.send("alpha", header().header("x-api-key", bad)).await.status, 401, "{bad}");
    }
    assert_eq!(live.send("alpha", header()).await.status, 401);
    assert_eq!(live.send("alpha", header().header("x-client", "shop")).await.status, 401);
    let query = |path: &str| Request::get(path).host("query.svc");
    assert_eq!(live.send("alpha", query("/?key=9d8c7b6a5f4e3d2c&a=b")).await.status, 200);
    assert_eq!(live.send("alpha", query("/?key=9d8c7b6a5f4e3d2d")).await.status, 401);
    let seen = live.workload("10.0.0.1:3001").received();
    assert!(seen.iter().all(|it| !it.path.contains("9d8c")), "the key stays here");
    let cookie = |value: &str| Request::get("/").host("cookie.svc").header("cookie", value);
    assert_eq!(live.send("alpha", cookie("a=b; key=9d8c7b6a5f4e3d2c")).await.status, 200);
    assert_eq!(live.send("alpha", cookie("key=x")).await.status, 401);
    assert_eq!(live.counter("alpha", "cluster.header_svc.membership_healthy").await, 1, "checks need no key");
}

#[tokio::test]
async fn both_engines_judge_keys_alike_and_only_ours_refuses_a_second_one() {
    let live = Live::of(
        r#"
        service "ours.svc" {
            endpoint "10.0.0.1:3000"
            api-key keys-file="clients.keys" forward-client-header="x-client" { header "authorization" "x-api-key"; query "key"; }
        }
        service "envoys.svc" {
            endpoint "10.0.0.1:3001"
            api-key keys-file="clients.keys" forward-client-header="x-client" engine="native" { header "authorization" "x-api-key"; query "key"; }
        }
        service "some.svc" {
            endpoint "10.0.0.1:3002"
            api-key keys-file="hashed.keys" header="x-api-key" forward-client-header="x-client" client="mill"
        }
        node "alpha" calls="*"
        node "beta" { serves "ours.svc" "envoys.svc" "some.svc" }
        "#,
    )
    .file("clients.keys", KEYS)
    .file("hashed.keys", "shop:{SHA256}4ca6726048f43ffddf1a7149730e4e6abd58c621b4ac15ecdd66d99045ce88f9\nmill:9d8c7b6a5f4e3d2c\n")
    .up()
    .await;
    for host in ["ours.svc", "envoys.svc"] {
        let get = |path: &str| Request::get(path).host(host).header("x-client", "root");
        for good in [
            get("/").header("authorization", "Bearer 3f5a1c9e7b2d4860"),
            get("/").header("x-api-key", "3f5a1c9e7b2d4860"),
            get("/?a=b&key=3f5a1c9e7b2d4860"),
        ] {
            let answer = live.send("alpha", good.clone()).await;
            assert_eq!(answer.status, 200, "{host}: {good:?}");
            assert_eq!(received(&answer, "x-client"), ["shop"], "{host}");
            assert!(!answer.text().contains("3f5a1c9e7b2d4860"), "{host}: the key stays here");
        }
        for bad in [
            get("/"),
            get("/").header("x-api-key", "3f5a1c9e7b2d4861"),
            get("/?key="),
            get("/").header("authorization", "Bearer x"),
        ] {
            assert_eq!(live.send("alpha", bad.clone()).await.status, 401, "{host}: {bad:?}");
        }
        let two = get("/").header("x-api-key", "3f5a1c9e7b2d4860").header("x-api-key", "x");
        assert_eq!(live.send("alpha", two).await.status, if host == "ours.svc" { 401 } else { 200 }, "{host}");
    }
    let some = |key: &str| Request::get("/").host("some.svc").header("x-api-key", key);
    assert_eq!(live.send("alpha", some("9d8c7b6a5f4e3d2c")).await.status, 200);
    assert_eq!(live.send("alpha", some("3f5a1c9e7b2d4860")).await.status, 403, "known, and not allowed");
    let unknown = live.send("alpha", some("x")).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(unknown.header("www-authenticate").as_deref(), Some("ApiKey realm=\"live\""));
    let envoy = live.config_dump("beta").await.to_string();
    for key in ["3f5a1c9e7b2d4860", "9d8c7b6a5f4e3d2c"] {
        assert!(!envoy.contains(key), "Envoy hides its own keys, and ours has none");
    }
}

#[tokio::test]
async fn both_engines_judge_passwords_alike() {
    let live = Live::of(
        r#"
        service "ours.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0s"
            basic-auth htpasswd-file="sha.htpasswd" forward-user-header="x-user"
        }
        service "envoys.svc" {
            endpoint "10.0.0.1:3001"
            health-check path="/healthz" interval="1s" cache="0s"
            basic-auth htpasswd-file="sha.htpasswd" forward-user-header="x-user" engine="native"
        }
        node "alpha" calls="*"
        node "beta" { serves "ours.svc" "envoys.svc" }
        "#,
    )
    .file("sha.htpasswd", "grace:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\n")
    .up()
    .await;
    let good = local::client::basic_auth("grace", "hopper");
    let table = [
        (vec![good.clone()], 200),
        (vec![local::client::basic_auth("grace", "lovelace")], 401),
        (vec![local::client::basic_auth("ada", "hopper")], 401),
        (vec!["Basic".to_owned()], 401),
        (vec![String::new()], 401),
        (vec!["Bearer x".to_owned()], 401),
        (vec![good.clone(), good.clone()], 401),
        (vec!["Basic x".to_owned(), good], 401),
        (Vec::new(), 401),
    ];
    for host in ["ours.svc", "envoys.svc"] {
        for (authorization, status) in &table {
            let mut request = Request::get("/healthz").host(host).header("x-user", "root");
            for value in authorization {
                request = request.header("authorization", value);
            }
            let answer = live.send("alpha", request).await;
            assert_eq!(answer.status, *status, "{host}: {authorization:?}");
            if *status == 200 {
                assert_eq!(received(&answer, "x-user"), ["grace"], "{host}");
            } else {
                assert!(answer.header("www-authenticate").is_some_and(|it| it.starts_with("Basic")), "{host}");
            }
        }
    }
    for cluster in ["ours_svc", "envoys_svc"] {
        assert_eq!(live.counter("alpha", &format!("cluster.{cluster}.membership_healthy")).await, 1);
    }
}

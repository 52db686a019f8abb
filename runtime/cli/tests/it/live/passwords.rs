//! Passwords in every format, rules and groups, at a service's own sidecar and at a gateway.

use local::Request;

use super::{Live, received};

/// Everybody's password is `secret`.
const USERS: &str = "\
bcrypt:$2y$08$r4HyEiR6dWdohjsAwB9Kt.5e6ujyEemlpK5YA1uVTp4AWoVsfh4Ti
argon2id:$argon2id$v=19$m=19456,t=2,p=1$k9IaA4BQam2N0br3XgvBGA$CUZkC7YhYuw8ebQ7mQNpo9pJpqeaZ5YbpG1LKTjwOXY
pbkdf2:$pbkdf2-sha256$20000$9Z6zlnKuNWaMcU7JmRPivA$wBwy3xO3jzVzyzc6.PrP5EKu3NpZDMQ4u.7lagaypj4
sha512:$6$Bn6bwf9jEqmzNMFl$5enwkcBRVXdblGCCsPg/bgRVN3iQ1D./RH5iGRVagi72zRkgm7cc5r70mhmMuRRv6JZWchcK1vVMjjWYqbxOB.
apr1:$apr1$pQHyFgDn$GLp0ZBR/Y8SuMToPXF/j1/
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
";

#[tokio::test]
async fn every_format_signs_in_and_is_checked_once() {
    let live = Live::of(
        r#"
        service "guarded.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0s"
            basic-auth htpasswd-file="formats.htpasswd" forward-user-header="x-user" failure-budget="1s"
        }
        node "alpha" calls="*"
        node "beta" serves="guarded.svc"
        "#,
    )
    .file("formats.htpasswd", USERS)
    .up()
    .await;
    let get = |user: &str, password: &str| Request::get("/").host("guarded.svc").basic_auth(user, password);
    for _ in 0..5 {
        for user in ["bcrypt", "argon2id", "pbkdf2", "sha512", "apr1", "sha"] {
            let passed = live.send("alpha", get(user, "secret").header("x-user", "root")).await;
            assert_eq!(passed.status, 200, "{user}");
            assert_eq!(received(&passed, "x-user"), [user]);
            assert_eq!(live.send("alpha", get(user, "Secret")).await.status, 401, "{user}");
        }
        assert_eq!(live.send("alpha", get("stranger", "secret")).await.status, 401);
    }
    // Right and wrong ones of five users, and perhaps one for the stranger, whose stand-in may have a fast hash.
    let checks = live.counter("beta", "wasmcustom.meshwright_basic_auth_slow_checks").await;
    assert!((10..=11).contains(&checks), "{checks}");
    assert_eq!(live.counter("alpha", "cluster.guarded_svc.membership_healthy").await, 1, "checks need no password");
}

#[tokio::test]
async fn guesses_are_throttled_and_who_is_known_passes() {
    let live = Live::of(
        r#"
        service "guarded.svc" {
            endpoint "10.0.0.1:3000"
            basic-auth htpasswd-file="formats.htpasswd" failure-budget="1ms"
        }
        node "alpha" calls="*"
        node "beta" serves="guarded.svc"
        "#,
    )
    .file("formats.htpasswd", USERS)
    .up()
    .await;
    let get = |password: &str| Request::get("/").host("guarded.svc").basic_auth("bcrypt", password);
    let mut client = live.client("alpha");
    assert_eq!(client.send(&get("secret")).await.unwrap().status, 200);
    let mut throttled = 0;
    for guess in 0..20 {
        let answer = client.send(&get(&format!("guess {guess}"))).await.unwrap();
        match answer.status {
            401 => assert!(answer.header("www-authenticate").is_some()),
            429 => {
                throttled += 1;
                let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=40).contains(&seconds), "{seconds}");
            }
            other => panic!("{other}"),
        }
    }
    assert!(throttled >= 10, "{throttled}");
    assert_eq!(client.send(&get("secret")).await.unwrap().status, 200);
    assert_eq!(live.counter("beta", "wasmcustom.meshwright_basic_auth_throttled").await, throttled);
}

#[tokio::test]
async fn rules_say_who_may_and_no_spelling_of_a_path_gets_around_them() {
    let rules = r#"basic-auth htpasswd-file="formats.htpasswd" groups-file="users.groups" forward-user-header="x-user" hide=#true preflight=#true {
        rule "public" path-prefix="/public/" method="GET"
        rule "users" path-prefix="/admin" group="admins"
    }"#;
    let live = Live::of(&format!(
        r#"
        service "guarded.svc" {{
            endpoint "10.0.0.1:3000"
            {rules}
        }}
        service "open.svc" {{ endpoint "10.0.0.1:3001" }}
        node "alpha" calls="*"
        node "beta" {{ serves "guarded.svc" "open.svc" }}
        gateway "front" {{
            listen 8080
            trusted-hops 1
            {rules}
            host "*" {{ to "open.svc" }}
        }}
        "#
    ))
    .file("formats.htpasswd", USERS)
    .file("users.groups", "admins: apr1\n")
    .up()
    .await;
    for instance in ["alpha", "front"] {
        let get = |path: &str| Request::get(path).host("guarded.svc");
        let public = live.send(instance, get("/public/a.css?v=1").header("x-user", "root")).await;
        assert_eq!((public.status, received(&public, "x-user")), (200, Vec::new()));
        let passed = live.send(instance, get("/cart").basic_auth("sha", "secret").header("x-user", "root")).await;
        assert_eq!(passed.status, 200);
        assert_eq!(received(&passed, "x-user"), ["sha"]);
        assert_eq!(received(&passed, "authorization"), [] as [&str; 0], "the application gets no password");
        assert_eq!(live.send(instance, get("/admin").basic_auth("apr1", "secret")).await.status, 200);
        for path in ["/admin?x", "//admin", "/%61dmin", "/x/../admin", "/public/%2e%2e/admin", "/public/..;/admin"] {
            assert_eq!(live.send(instance, get(path).basic_auth("sha", "secret")).await.status, 403, "{path}");
            assert_eq!(live.send(instance, get(path)).await.status, 401, "{path}");
        }
        assert_eq!(live.send(instance, get("/public/..%2fadmin")).await.status, 400);
        let asks = |request: Request| request.header("access-control-request-method", "PUT");
        let options = || Request::new("OPTIONS", "/cart").host("guarded.svc");
        assert_eq!(live.send(instance, asks(options()).header("origin", "https://x.example")).await.status, 200);
        assert_eq!(live.send(instance, asks(options())).await.status, 401);
        let grpc = |path: &str| get(path).header("content-type", "application/grpc");
        let refused = live.send(instance, grpc("/shop.Cart/Add")).await;
        assert_eq!((refused.status, refused.header("grpc-status").as_deref()), (200, Some("16")));
        let refused = live.send(instance, grpc("/admin").basic_auth("sha", "secret")).await;
        assert_eq!((refused.status, refused.header("grpc-status").as_deref()), (200, Some("7")));
    }
    assert_eq!(live.send("alpha", Request::get("/").host("open.svc")).await.status, 200, "its neighbour is open");
}

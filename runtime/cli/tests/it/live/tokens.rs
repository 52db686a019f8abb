//! Signed tokens: who gets in, what the application learns of them.

use local::{Behaviour, Request};
use sha2::{Digest as _, Sha256};
use world::{Authority, Outside, Serves, TlsServer};

use super::{Live, received};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes";

/// The keys of whoever signs with [`SECRET`].
pub(super) fn jwks() -> String {
    format!(r#"{{"keys":[{{"kty":"oct","kid":"k","alg":"HS256","k":"{}"}}]}}"#, base64url(SECRET))
}

/// A signed token with these claims, as JSON.
pub(super) fn token(claims: &str) -> String {
    token_of(SECRET, claims)
}

fn token_of(secret: &[u8], claims: &str) -> String {
    let head = base64url(br#"{"alg":"HS256","typ":"JWT","kid":"k"}"#);
    let signed = format!("{head}.{}", base64url(claims.as_bytes()));
    format!("{signed}.{}", base64url(&hmac(secret, signed.as_bytes())))
}

/// RFC 2104.
fn hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
    let mut key = [0u8; 64];
    key[..secret.len()].copy_from_slice(secret);
    let padded = |byte: u8| key.map(|it| it ^ byte);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

const FAR: &str = r#""exp":4102444800"#;

#[tokio::test]
async fn only_good_tokens_pass() {
    let live = Live::of(
        r#"
        jwt-provider "login" {
            issuer "login"
            audience "shop"
            jwks-file "login.jwks"
            forward-claims-header "x-claims"
        }
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0s"
            jwt provider="login" { except-path-prefix "/public"; }
            authorization {
                rule "allow" path-prefix="/public"
                rule "allow" { claim "role=auditor" "admin=true"; }
            }
        }
        service "open.svc" { endpoint "10.0.0.1:3001" }
        node "alpha" calls="*"
        node "beta" { serves "beta.svc" "open.svc" }
        "#,
    )
    .file("login.jwks", jwks())
    .up()
    .await;
    let auditor = format!(r#"{{"iss":"login","aud":"shop","role":"auditor",{FAR}}}"#);
    let claims = |extra: &str| format!(r#"{{"iss":"login","aud":"shop",{extra}{FAR}}}"#);
    let good = token(&auditor);
    let table = [
        ("auditor", format!("Bearer {good}"), 200),
        ("one of several roles", format!("Bearer {}", token(&claims(r#""role":["x","auditor"],"#))), 200),
        ("a truth", format!("Bearer {}", token(&claims(r#""admin":true,"#))), 200),
        ("another role", format!("Bearer {}", token(&claims(r#""role":"guest","#))), 403),
        ("expired", format!("Bearer {}", token(r#"{"iss":"login","aud":"shop","role":"auditor","exp":1}"#)), 401),
        ("not yet valid", format!("Bearer {}", token(&claims(r#""role":"auditor","nbf":4102444000,"#))), 401),
        ("another audience", format!("Bearer {}", token(&auditor.replace("shop", "bank"))), 403),
        ("another issuer", format!("Bearer {}", token(&auditor.replace("login", "else"))), 401),
        ("another key", format!("Bearer {}", token_of(b"another secret, long enough as well", &auditor)), 401),
        ("not signed", format!("Bearer {}.", good.rsplit_once('.').unwrap().0), 401),
        ("no token", "Bearer x".to_owned(), 401),
        ("basic", format!("Basic {good}"), 401),
    ];
    let guarded = |path: &str| Request::get(path).host("beta.svc");
    for (what, authorization, status) in table {
        let answer = live.send("alpha", guarded("/").header("authorization", authorization)).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    }
    assert_eq!(live.send("alpha", guarded("/")).await.status, 401, "nothing");
    assert_eq!(live.send("alpha", guarded("/?access_token=x")).await.status, 401);
    let twice = guarded("/").header("authorization", "Bearer x").header("authorization", format!("Bearer {good}"));
    assert_eq!(live.send("alpha", twice).await.status, 401, "two are none");
    let answer = live.send("alpha", guarded("/").header("authorization", format!("Bearer {good}"))).await;
    assert_eq!(received(&answer, "authorization"), [] as [&str; 0], "the token is kept from the application");
    assert_eq!(received(&answer, "x-claims").len(), 1);
    let forged = live.send("alpha", guarded("/public/x").header("x-claims", "forged")).await;
    assert_eq!((forged.status, received(&forged, "x-claims")), (200, Vec::new()), "claims cannot be forged");
    assert_eq!(live.send("alpha", guarded("/public/../secret")).await.status, 401);
    assert_eq!(live.send("alpha", Request::get("/").host("open.svc")).await.status, 200);
    assert_eq!(live.counter("alpha", "cluster.beta_svc.membership_healthy").await, 1, "checks need no token");
}

#[tokio::test]
async fn optional_tokens_may_be_missing_and_not_bad() {
    let live = Live::of(
        r#"
        jwt-provider "login" { jwks-file "login.jwks"; from-header "x-token"; from-query "token"; from-cookie "token"; forward #true; }
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            jwt provider="login" optional=#true
        }
        node "alpha" calls="*"
        node "beta" serves="beta.svc"
        "#,
    )
    .file("login.jwks", jwks())
    .up()
    .await;
    let good = token(&format!("{{{FAR}}}"));
    let get = |path: &str| Request::get(path).host("beta.svc");
    assert_eq!(live.send("alpha", get("/")).await.status, 200);
    assert_eq!(live.send("alpha", get("/").header("x-token", "bad")).await.status, 401);
    assert_eq!(live.send("alpha", get("/?token=bad")).await.status, 401);
    assert_eq!(live.send("alpha", get("/").header("cookie", "token=bad")).await.status, 401);
    assert_eq!(live.send("alpha", get(&format!("/?token={good}"))).await.status, 200);
    assert_eq!(live.send("alpha", get("/").header("cookie", format!("token={good}"))).await.status, 200);
    let answer = live.send("alpha", get("/").header("x-token", &good)).await;
    assert_eq!(received(&answer, "x-token"), [good], "forwarded");
}

#[tokio::test]
async fn keys_are_fetched_and_a_gateway_asks_for_tokens_too() {
    let mut outside = Outside::new().await;
    outside.add("login.example:8080", Serves::Http).await;
    outside.echo("login.example:8080").behave(Behaviour::Reply {
        status: 200,
        headers: Vec::new(),
        body: jwks().into_bytes().into(),
    });
    let live = Live::of(
        r#"
        rules { rule "insecure-keys" level="off" reason="the test has no authority that the system believes"; }
        jwt-provider "login" { jwks-url "http://login.example:8080/keys"; }
        defaults { egress "listed" { host "login.example" port=8080; }; }
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        gateway "front" {
            listen 8080
            calls "beta.svc"
            jwt provider="login"
        }
        "#,
    )
    .outside(outside)
    .up()
    .await;
    let get = || Request::get("/").host("beta.svc");
    assert_eq!(live.send("front", get()).await.status, 401);
    let good = format!("Bearer {}", token(&format!("{{{FAR}}}")));
    assert_eq!(live.send("front", get().header("authorization", good)).await.status, 200);
    let asked = live.outside().echo("login.example:8080").received();
    assert_eq!(asked.first().map(|it| it.path.as_str()), Some("/keys"));
}

#[tokio::test]
async fn keys_of_a_server_that_cannot_prove_its_name_are_not_asked_for() {
    let authority = Authority::new("nobody knows it");
    let mut outside = Outside::new().await;
    outside.add("login.example:443", Serves::Tls(TlsServer::new(&authority.leaf(&["login.example"])))).await;
    let live = Live::of(
        r#"
        jwt-provider "login" { jwks-url "https://login.example/keys"; }
        defaults { egress "listed" { host "login.example"; }; }
        service "beta.svc" { endpoint "10.0.0.1:3000"; jwt provider="login"; }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        "#,
    )
    .outside(outside)
    .up()
    .await;
    let good = format!("Bearer {}", token(&format!("{{{FAR}}}")));
    let get = Request::get("/").host("beta.svc").header("authorization", good);
    assert_eq!(live.send("alpha", get).await.status, 401);
    assert_eq!(live.outside().echo("login.example:443").received_count(), 0);
    assert!(live.outside().echo("login.example:443").connection_count() >= 1, "it was dialled");
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 0);
}

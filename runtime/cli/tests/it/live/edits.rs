//! Headers by templates, ids of requests and maintenance, at the service's own sidecar and at a gateway.

use std::net::IpAddr;
use std::sync::Arc;

use local::{Client, Request, Response};
use world::From;

use super::{Live, service};

/// Of `correct horse battery staple`.
const DIGEST: &str = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";
const SECRET: &str = "correct horse battery staple";

/// What the application last received in a header, every value.
fn received(live: &Live, workload: &str, header: &str) -> Vec<String> {
    let requests = live.workload(workload).received();
    requests.last().map(|last| last.header(header).iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn is_uuid(id: &str, version: &[u8]) -> bool {
    id.len() == 36 && id.as_bytes().get(14).is_some_and(|byte| version.contains(byte))
}

#[tokio::test]
async fn headers_are_made_of_the_request() {
    let live = Live::up(
        r#"
        service "made.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s"
            headers {
                request {
                    remove "x-debug"
                    set "x-called" value="{method} {path}"
                    set "x-user" value="{header:x-login}"
                    set "x-page" value="{query:page|first}"
                    add "x-seen-by" value="{cookie:who|made}"
                    default "x-tenant" value="public"
                }
                response { set "x-served" value="{path} {{at}} {header:x-login|nobody}"; }
            }
        }
        service "plain.svc" { endpoint "10.0.0.1:3001"; }
        node "alpha" calls="*"
        node "both" { serves "made.svc" "plain.svc"; }
        "#,
    )
    .await;
    let at = "10.0.0.1:3000";
    let request = Request::get("/a/../%62?page=2&x").host("made.svc").header("x-login", "ada");
    let request = request.header("x-debug", "1").header("x-seen-by", "alpha").header("x-called", "forged");
    let response = live.send("alpha", request.header("cookie", "a=b; who=me")).await;
    assert_eq!(service(&response), "made.svc");
    assert_eq!(response.header("x-served").as_deref(), Some("/b {at} ada"));
    assert_eq!(received(&live, at, "x-called"), ["GET /b"]);
    assert_eq!(received(&live, at, "x-user"), ["ada"]);
    assert_eq!(received(&live, at, "x-page"), ["2"]);
    assert_eq!(received(&live, at, "x-seen-by"), ["alpha", "me"]);
    assert_eq!(received(&live, at, "x-tenant"), ["public"]);
    assert!(received(&live, at, "x-debug").is_empty());
    // What cannot be made is not what a client sends instead, and never a line of its own.
    let forged = Request::get("/?page=1%0d%0ax-admin:%20yes").host("made.svc").header("x-user", "root");
    let forged = forged.header("x-login", "ada").header("x-login", "root").header("x-tenant", "acme");
    assert_eq!(live.send("alpha", forged).await.status, 200);
    assert!(received(&live, at, "x-user").is_empty());
    assert!(received(&live, at, "x-admin").is_empty());
    assert_eq!(received(&live, at, "x-page"), ["first"]);
    assert_eq!(received(&live, at, "x-tenant"), ["acme"]);
    assert_eq!(live.counter("both", "wasmcustom.meshwright_headers_unfilled").await, 1);
    // The neighbour behind the same sidecar has none of it.
    let plain = live.send("alpha", Request::get("/").host("plain.svc").header("x-user", "root")).await;
    assert_eq!(plain.header("x-served"), None);
    assert_eq!(received(&live, "10.0.0.1:3001", "x-user"), ["root"]);
}

#[tokio::test]
async fn requests_have_ids_of_the_form_that_is_said() {
    let live = Live::up(
        r#"
        service "sorted.svc" {
            endpoint "10.0.0.1:3000"
            request-id format="uuid7" header="x-correlation-id" response-header="x-correlation-id"
        }
        service "trusting.svc" {
            endpoint "10.0.0.1:3001"
            request-id format="ulid" header="x-correlation-id" trust=#true
        }
        service "own.svc" { endpoint "10.0.0.1:3002"; request-id format="hex"; }
        node "alpha" calls="*"
        node "all" { serves "sorted.svc" "trusting.svc" "own.svc"; }
        "#,
    )
    .await;
    let send = async |host: &str, id: &str| -> Response {
        live.send("alpha", Request::get("/").host(host).header("x-correlation-id", id)).await
    };
    let mut earlier = String::new();
    for _ in 0..3 {
        let response = send("sorted.svc", "mine").await;
        let ids = received(&live, "10.0.0.1:3000", "x-correlation-id");
        assert!(matches!(&ids[..], [id] if is_uuid(id, b"7")), "{ids:?}");
        assert_eq!(response.header("x-correlation-id").as_deref(), ids.first().map(String::as_str));
        assert!(ids.first().is_some_and(|id| id.get(..8) >= earlier.get(..8)), "{earlier} before {ids:?}");
        earlier = ids.concat();
    }
    let ulid = "01J2G8ZQ5V3N4M6P7R8S9T0VWX";
    send("trusting.svc", ulid).await;
    assert_eq!(received(&live, "10.0.0.1:3001", "x-correlation-id"), [ulid]);
    send("trusting.svc", "mine").await;
    let ids = received(&live, "10.0.0.1:3001", "x-correlation-id");
    assert!(matches!(&ids[..], [id] if id.len() == 26 && id != ulid), "{ids:?}");
    live.send("alpha", Request::get("/").host("own.svc").header("x-request-id", "forged")).await;
    let ids = received(&live, "10.0.0.1:3002", "x-request-id");
    assert!(matches!(&ids[..], [id] if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())), "{ids:?}");
    assert_eq!(live.counter("all", "wasmcustom.meshwright_request_id_kept").await, 1);
}

#[tokio::test]
async fn a_gateway_believes_the_ids_of_those_it_trusts() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000"; }
        node "beta" serves="beta.svc"
        gateway "front" {
            listen 8080
            calls "*"
            request-id response-header="x-request-id" { trust-from "127.99.1.0/24"; }
        }
        "#,
    )
    .await;
    let id = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
    let told = async |from: [u8; 4], id: &str| -> Option<String> {
        let mut client = Client::over(Arc::new(From(IpAddr::from(from))), live.at("front", 8080));
        let request = Request::get("/").host("beta.svc").header("x-request-id", id);
        client.send(&request).await.unwrap().header("x-request-id").map(|id| id.into_owned())
    };
    assert_eq!(told([127, 99, 1, 1], id).await.as_deref(), Some(id));
    assert_eq!(received(&live, "10.0.0.1:3000", "x-request-id"), [id]);
    for (from, sent) in [([127, 99, 1, 1], "mine"), ([127, 99, 2, 1], id)] {
        let told = told(from, sent).await.unwrap_or_default();
        assert!(told != sent && is_uuid(&told, b"49ab"), "{told}");
        assert_eq!(received(&live, "10.0.0.1:3000", "x-request-id"), [told]);
    }
}

#[tokio::test]
async fn maintenance_answers_all_but_those_who_work_on_it() {
    let live = Live::up(&format!(
        r#"
        service "closed.svc" {{
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s"
            basic-auth htpasswd-file="users.htpasswd"
            maintenance {{
                retry-after "90s"
                pass-header "x-maintenance" sha256="{DIGEST}"
                pass-cookie "maintenance" sha256="{DIGEST}"
                except-path "/status"
                body "<h1>soon</h1>"
                content-type "text/html"
            }}
        }}
        service "later.svc" {{
            endpoint "10.0.0.1:3001"
            maintenance {{ window from="2100-01-01T00:00:00Z"; window until="2000-01-01T00:00:00Z"; }}
        }}
        service "ending.svc" {{
            endpoint "10.0.0.1:3002"
            maintenance {{ window until="2100-01-01T00:00:00Z"; }}
        }}
        node "alpha" calls="*"
        node "all" {{ serves "closed.svc" "later.svc" "ending.svc"; }}
        "#
    ))
    .await;
    let closed = |path: &str| Request::get(path).host("closed.svc");
    let answer = live.send("alpha", closed("/")).await;
    assert_eq!(answer.status, 503, "before passwords are asked for");
    assert_eq!(answer.text(), "<h1>soon</h1>");
    assert_eq!(answer.header("content-type").as_deref(), Some("text/html"));
    assert_eq!(answer.header("retry-after").as_deref(), Some("90"));
    // The endpoint stays: the mesh's own health checks pass.
    assert_eq!(live.counter("alpha", "cluster.closed_svc.membership_healthy").await, 1);
    assert_eq!(live.send("alpha", closed("/healthz").header("x-meshwright-health-check", "1")).await.status, 503);
    assert_eq!(live.send("alpha", closed("/status?a")).await.status, 401, "an excepted path still needs a password");
    let worker = |request: Request| request.basic_auth("ada", "lovelace");
    let passed = live.send("alpha", worker(closed("/").header("x-maintenance", SECRET))).await;
    assert_eq!(service(&passed), "closed.svc");
    assert!(received(&live, "10.0.0.1:3000", "x-maintenance").is_empty());
    let cookie = format!("maintenance={SECRET}");
    assert_eq!(live.send("alpha", worker(closed("/").header("cookie", &cookie))).await.status, 200);
    for secret in ["guess", "", DIGEST] {
        assert_eq!(live.send("alpha", worker(closed("/").header("x-maintenance", secret))).await.status, 503);
    }
    let twice = closed("/").header("x-maintenance", SECRET).header("x-maintenance", SECRET);
    assert_eq!(live.send("alpha", worker(twice)).await.status, 503);
    let grpc = Request::new("POST", "/shop.Cart/Get").host("closed.svc").header("content-type", "application/grpc");
    let told = live.send("alpha", grpc).await;
    assert_eq!((told.status, told.header("grpc-status").as_deref()), (200, Some("14")));
    assert_eq!(told.header("content-type").as_deref(), Some("application/grpc"));
    assert_eq!(service(&live.send("alpha", Request::get("/").host("later.svc")).await), "later.svc");
    let ending = live.send("alpha", Request::get("/").host("ending.svc")).await;
    let seconds = ending.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    assert!(ending.status == 503 && seconds.is_some_and(|seconds| seconds > 1_000_000), "{seconds:?}");
}

#[tokio::test]
async fn a_gateway_answers_for_everything_behind_it() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000"; }
        node "beta" serves="beta.svc"
        gateway "front" {
            listen 8080
            calls "*"
            headers { response { default "strict-transport-security" value="max-age=31536000"; }; }
            maintenance status=520 { pass-from "127.99.1.0/24"; }
        }
        "#,
    )
    .await;
    let send = async |from: [u8; 4], claim: &str| -> Response {
        let mut client = Client::over(Arc::new(From(IpAddr::from(from))), live.at("front", 8080));
        let request = Request::get("/").host("beta.svc").header("x-forwarded-for", claim);
        client.send(&request).await.unwrap()
    };
    let passed = send([127, 99, 1, 7], "192.0.2.1").await;
    assert_eq!(service(&passed), "beta.svc");
    assert_eq!(passed.header("strict-transport-security").as_deref(), Some("max-age=31536000"));
    assert_eq!(send([127, 99, 2, 7], "127.99.1.7").await.status, 520, "nobody claims to be somebody else");
}

#[tokio::test]
async fn a_sidecar_knows_who_dials_it_whatever_they_claim() {
    let live = Live::up(
        r#"
        service "told.svc" {
            endpoint "10.0.0.1:3000"
            headers { request { set "x-came-from" value="{source-address}"; } }
            request-id header="x-correlation-id" accept-any=#true { trust-from "127.99.1.0/24"; }
        }
        service "closed.svc" {
            endpoint "10.0.0.1:3001"
            maintenance status=520 { pass-from "127.99.1.0/24"; }
        }
        node "beta" { serves "told.svc" "closed.svc" }
        "#,
    )
    .await;
    let send = async |from: [u8; 4], host: &str| -> Response {
        let mut client = Client::over(Arc::new(From(IpAddr::from(from))), live.at("beta", 4100));
        let request = Request::get("/").host(host).header("x-correlation-id", "mine");
        client.send(&request.header("x-forwarded-for", "192.0.2.1, 127.99.1.7")).await.unwrap()
    };
    for (from, address, trusted) in [([127, 99, 1, 1], "127.99.1.1", true), ([127, 99, 2, 1], "127.99.2.1", false)] {
        assert_eq!(send(from, "told.svc").await.status, 200);
        assert_eq!(received(&live, "10.0.0.1:3000", "x-came-from"), [address]);
        assert_eq!(received(&live, "10.0.0.1:3000", "x-correlation-id") == ["mine"], trusted, "{address}");
        assert_eq!(send(from, "closed.svc").await.status, if trusted { 200 } else { 520 }, "{address}");
    }
}

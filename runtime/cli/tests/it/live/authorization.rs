//! Who may call what, on every sidecar that serves it.

use std::sync::Arc;

use local::{Client, Request};
use world::{Authority, From, TlsDial};

use super::{Live, received};

const MESH: &str = r#"
    service "pay.svc" {
        endpoint "10.0.0.1:3000"
        health-check path="/healthz" interval="1s" cache="0s"
        tls {
            certificate { files chain="${folder}/pay/tls.crt" key="${folder}/pay/tls.key"; }
            client ca-file="${folder}/pay/ca.crt"
        }
        authorization {
            rule "deny" path-prefix="/admin" { source "127.0.0.0/8"; }
            rule "allow" from="cart.svc" method="POST" path="/charge"
            rule "deny" from="cart.svc" path-prefix="/reports"
            rule "deny" { header "x-role" exact="guest"; }
            rule "allow" path-prefix="/reports"
            rule "allow" { from-identity "spiffe://live/batch"; header "x-audit" present=#true; }
            rule "allow" path="/year" { query "year" exact="2026"; }
            rule "allow" { grpc service="shop.v1.Pay" method="Refund"; }
        }
    }
    service "cart.svc" { endpoint "10.0.0.2:3000" }
    node "pay" serves="pay.svc"
    node "cart" {
        serves "cart.svc"
        calls "pay.svc" {
            client-tls {
                certificate { files chain="${folder}/cart/tls.crt" key="${folder}/cart/tls.key"; }
                server ca-file="${folder}/pay/ca.crt"
            }
        }
    }
    node "batch" {
        calls "pay.svc" {
            client-tls {
                certificate { files chain="${folder}/batch/tls.crt" key="${folder}/batch/tls.key"; }
                server ca-file="${folder}/pay/ca.crt"
            }
        }
    }
"#;

/// Caller, method, path, headers, and the status of the answer.
type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)], u16);

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let authority = Authority::new("mesh");
    let live = Live::of(MESH)
        .files(authority.leaf(&["pay.svc"]).files("pay"))
        .files(authority.leaf(&["spiffe://live/cart.svc"]).files("cart"))
        .files(authority.leaf(&["spiffe://live/batch"]).files("batch"))
        .up()
        .await;
    let audit = ("x-audit", "1");
    let guest = ("x-role", "guest");
    let user = ("x-role", "user");
    let table: &[Row<'_>] = &[
        ("cart", "POST", "/charge", &[], 200),
        ("cart", "POST", "/charge?x=1", &[], 200),
        ("cart", "GET", "/charge", &[], 403),
        ("cart", "POST", "/charge/", &[], 403),
        ("cart", "POST", "/%63harge", &[], 200),
        ("batch", "POST", "/charge", &[], 403),
        ("cart", "GET", "/reports/1", &[], 403),
        ("batch", "GET", "/reports/1", &[], 200),
        ("batch", "GET", "/x/../reports/1", &[], 200),
        ("batch", "GET", "/reports/../secret", &[], 403),
        ("batch", "GET", "/reports/1", &[guest], 403),
        ("batch", "GET", "/reports/1", &[("x-role", "user, guest")], 403),
        ("batch", "GET", "/reports/1", &[("x-role", "guest,user")], 403),
        ("batch", "GET", "/reports/1", &[guest, user], 403),
        ("batch", "GET", "/reports/1", &[user], 200),
        ("batch", "GET", "/other", &[], 403),
        ("batch", "GET", "/other", &[audit], 200),
        ("cart", "GET", "/other", &[audit], 403),
        ("batch", "GET", "/admin", &[audit], 403),
        ("batch", "GET", "/administration", &[audit], 403),
        ("batch", "GET", "/%61dmin", &[audit], 403),
        ("batch", "GET", "//admin", &[audit], 403),
        ("cart", "GET", "/year?year=2026", &[], 200),
        ("cart", "GET", "/year?a=b&year=2026&c", &[], 200),
        ("cart", "GET", "/year?year=20260", &[], 403),
        ("cart", "GET", "/year?year=2026&year=1999", &[], 403),
        ("cart", "GET", "/year?year=1999&year=2026", &[], 403),
        ("cart", "GET", "/year?notyear=2026", &[], 403),
        ("cart", "GET", "/year", &[], 403),
        ("cart", "POST", "/shop.v1.Pay/Refund", &[], 200),
        ("cart", "POST", "/shop.v1.Pay/Other", &[], 403),
        ("cart", "GET", "/healthz", &[], 403),
    ];
    for (caller, method, path, headers, status) in table {
        let mut request = Request::new(method, path).host("pay.svc");
        for (name, value) in *headers {
            request = request.header(name, value);
        }
        let answer = live.send(caller, request).await;
        assert_eq!(answer.status, *status, "{caller} {method} {path} {headers:?}: {}", answer.text());
    }
    let twice = Request::get("/reports/1").host("pay.svc").header("x-role", "user").header("x-role", "guest");
    let answer = live.send("batch", twice).await;
    assert_eq!(received(&answer, "x-role"), ["user"], "what was judged is what the application gets");
    assert_eq!(live.counter("cart", "cluster.pay_svc.membership_healthy").await, 1, "checks are not refused");
}

#[tokio::test]
async fn networks_are_those_of_the_connection_whatever_headers_say() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            authorization {
                rule "deny" { source "127.9.0.1"; }
                rule "allow" { source "127.9.0.0/16"; }
            }
        }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        "#,
    )
    .await;
    for (from, status) in [("127.9.0.1", 403), ("127.9.0.2", 200), ("127.8.0.2", 403)] {
        let mut client = Client::over(Arc::new(From(from.parse().unwrap())), live.at("beta", 4100));
        let request = Request::get("/").host("beta.svc").header("x-forwarded-for", "127.9.0.2");
        assert_eq!(client.send(&request).await.unwrap().status, status, "{from}");
    }
    assert_eq!(live.send("alpha", Request::get("/").host("beta.svc")).await.status, 403);
}

#[tokio::test]
async fn a_gateway_refuses_and_the_default_may_allow() {
    let live = Live::up(
        r#"
        service "beta.svc" { endpoint "10.0.0.1:3000" }
        node "beta" serves="beta.svc"
        gateway "front" {
            listen 8080
            calls "beta.svc"
            authorization default="allow" {
                rule "allow" path="/internal/status"
                rule "deny" path-prefix="/internal" case-sensitive=#false
            }
        }
        "#,
    )
    .await;
    for (path, status) in [("/", 200), ("/internal/status", 200), ("/internal", 403), ("/INTERNAL/x", 403)] {
        assert_eq!(live.send("front", Request::get(path).host("beta.svc")).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_caller_without_the_name_does_not_pass_by_dialling_the_sidecar() {
    let authority = Authority::new("mesh");
    let live = Live::of(
        r#"
        certificate-provider "files" { folder "${folder}/tls" }
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            tls { certificate provider="files"; client ca-provider="files"; }
            client-tls { certificate provider="files"; server ca-provider="files" { subject-alt-name "spiffe://live/all"; }; }
            authorization { rule "allow" { from-identity "spiffe://live/all"; }; }
        }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        "#,
    )
    .files(authority.leaf(&["spiffe://live/all", "beta.svc"]).files("tls"))
    .up()
    .await;
    assert_eq!(live.send("alpha", Request::get("/").host("beta.svc")).await.status, 200);
    for (name, status) in [("spiffe://live/all", 200), ("spiffe://live/ALL", 403), ("spiffe://live/all/x", 403)] {
        let leaf = authority.leaf(&[name]);
        let dial = TlsDial::new(&authority.pem(), "beta.svc").certificate(&leaf).dialer();
        let mut client = Client::over(dial, live.at("beta", 4100));
        assert_eq!(client.send(&Request::get("/").host("beta.svc")).await.unwrap().status, status, "{name}");
    }
}

//! A port of the application's own for one service: neither proxy settings nor a `Host` header.

use local::Request;
use world::wire::Wire;

use super::{Live, received, service};

#[tokio::test]
async fn whatever_is_asked_of_a_local_port_reaches_its_service() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/next" { to "gamma.svc" }
            header-routing { rule to="gamma.svc" { header "x-next" present=#true } }
        }
        service "gamma.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" { calls "beta.svc" local-port=9001 }
        node "beta" serves="beta.svc"
        node "gamma" serves="gamma.svc"
        "#,
    )
    .await;
    for host in ["127.0.0.1:9001", "localhost", "beta.svc", "gamma.svc"] {
        let answer = live.send_to("alpha", 9001, Request::get("/").host(host)).await;
        assert_eq!(service(&answer), "beta.svc", "{host}");
        assert_eq!(received(&answer, "host"), ["beta.svc"], "{host}");
    }
    let next = Request::get("/next").host("localhost");
    assert_eq!(service(&live.send_to("alpha", 9001, next).await), "gamma.svc");
    let by_header = Request::get("/").host("localhost").header("x-next", "1");
    assert_eq!(service(&live.send_to("alpha", 9001, by_header).await), "gamma.svc");
}

#[tokio::test]
async fn bytes_go_through_both_sidecars_whoever_speaks_first() {
    let live = Live::up(
        r#"
        service "db.svc" { protocol "tcp"; endpoint "10.0.0.1:5432" }
        node "alpha" { calls "db.svc" local-port=5432 }
        node "db" serves="db.svc"
        "#,
    )
    .await;
    let mut wire = Wire::open(live.at("alpha", 5432)).await;
    wire.send(b"hello\n").await;
    assert!(wire.line().await.starts_with("db.svc "));
    assert_eq!(wire.line().await, "hello\n");
    live.workload("10.0.0.1:5432").greet_first();
    let mut wire = Wire::open(live.at("alpha", 5432)).await;
    assert!(wire.line().await.starts_with("db.svc "), "the server speaks first");
    assert!(live.counter("db", "tcp.local_db_svc.downstream_cx_total").await >= 2);
}

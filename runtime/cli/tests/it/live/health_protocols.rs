//! Every way of asking an endpoint for its health finds out when it is not well, and when it is again.

use local::{Health, Request};

use super::{HTPASSWD, Live, service};

#[tokio::test]
async fn each_protocol_tells_the_sick_from_the_sound() {
    let live = Live::up(
        r#"
        service "one.svc" {
            endpoint "10.0.0.1:3000"
            health-check interval="200ms" cache="0s" unhealthy-threshold=1
        }
        service "two.svc" {
            protocol "http2"
            endpoint "10.0.0.1:3001"
            health-check path="/up" interval="200ms" cache="0s" unhealthy-threshold=1
        }
        service "rpc.svc" {
            protocol "grpc"
            endpoint "10.0.0.1:3002"
            health-check interval="200ms" unhealthy-threshold=1 grpc-service="shop.v1.Cart"
        }
        service "beside.svc" {
            endpoint "10.0.0.1:3003"
            health-check port=3004 interval="200ms" unhealthy-threshold=1
        }
        node "alpha" calls="*"
        node "beta" { serves "one.svc" "two.svc" "rpc.svc" "beside.svc" }
        "#,
    )
    .await;
    let all = [("one_svc", 3000), ("two_svc", 3001), ("rpc_svc", 3002)];
    for (service, port) in all {
        let gauge = format!("cluster.{service}.membership_healthy");
        let application = live.workload(&format!("10.0.0.1:{port}"));
        application.set_health(Health::NotServing);
        live.wait_for_counter("alpha", &gauge, |healthy| healthy == 0).await;
        application.set_health(Health::Serving);
        live.wait_for_counter("alpha", &gauge, |healthy| healthy == 1).await;
    }
    assert!(live.counter("alpha", "cluster.rpc_svc.health_check.failure").await >= 1);
    assert_eq!(live.counter("alpha", "cluster.beside_svc.membership_healthy").await, 1);
    assert_eq!(
        live.counter("alpha", "cluster.beside_svc.upstream_cx_total").await,
        0,
        "its port was asked, nothing else"
    );
}

/// That a connection opens is enough, and needed.
#[tokio::test]
async fn an_endpoint_that_takes_no_connection_is_sick() {
    let mut outside = ::world::Outside::new().await;
    outside.add("10.9.0.1:8080", ::world::Serves::Http).await;
    let nowhere = outside.add("10.9.0.2:8080", ::world::Serves::Http).await;
    outside.detour("10.9.0.2:8080".parse().unwrap(), std::net::SocketAddr::new(nowhere.ip(), 9));
    let live = Live::of(
        r#"
        service "beta.svc" {
            endpoint "10.9.0.1:8080"
            endpoint "10.9.0.2:8080"
            health-check protocol="tcp" interval="200ms"
        }
        node "alpha" calls="*"
        "#,
    )
    .outside(outside)
    .without_waiting()
    .up()
    .await;
    live.wait_for_counter("alpha", "cluster.beta_svc.membership_healthy", |healthy| healthy == 1).await;
    live.wait_for_counter("alpha", "cluster.beta_svc.health_check.failure", |failed| failed > 2).await;
    assert_eq!(live.counter("alpha", "cluster.beta_svc.membership_healthy").await, 1);
}

/// A gRPC check cannot be answered from the sidecar's last result, and needs no credentials all the same.
#[tokio::test]
async fn grpc_checks_need_no_credentials() {
    let live = Live::of(
        r#"
        service "rpc.svc" {
            protocol "grpc"
            endpoint "10.0.0.1:3002"
            health-check interval="200ms" unhealthy-threshold=1
            basic-auth htpasswd-file="users"
        }
        node "alpha" calls="*"
        node "beta" serves="rpc.svc"
        "#,
    )
    .file("users", HTPASSWD)
    .up()
    .await;
    // Before the other sidecar listens, checks fail.
    let failed = live.counter("alpha", "cluster.rpc_svc.health_check.failure").await;
    let passed = live.counter("alpha", "cluster.rpc_svc.health_check.success").await;
    live.wait_for_counter("alpha", "cluster.rpc_svc.health_check.success", |now| now > passed + 2).await;
    assert_eq!(live.counter("alpha", "cluster.rpc_svc.health_check.failure").await, failed);
    let get = Request::get("/").host("rpc.svc");
    assert_eq!(live.send("alpha", get.clone()).await.status, 401);
    assert_eq!(service(&live.send("alpha", get.basic_auth("ada", "lovelace")).await), "rpc.svc");
}

/// Behind sidecars that accept nothing else, checks are encrypted as requests are; on a port of their own they meet the
/// application, which knows nothing of it.
#[tokio::test]
async fn checks_are_encrypted_but_for_those_past_the_sidecar() {
    let authority = ::world::Authority::new("mesh");
    let tls = r#"
        tls { certificate { files chain="${folder}/beta/tls.crt" key="${folder}/beta/tls.key"; } }
        client-tls { server ca-file="${folder}/beta/ca.crt" { subject-alt-name "beta"; }; }
    "#;
    let service = |name: &str, port: u16, more: &str| {
        format!("service \"{name}\" {{\nendpoint \"10.0.0.1:{port}\"\n{more}\n{tls}\n}}\n")
    };
    let check = r#"interval="200ms" unhealthy-threshold=1"#;
    let mesh = [
        service("one.svc", 3000, &format!("health-check {check} cache=\"0s\"")),
        service("rpc.svc", 3002, &format!("protocol \"grpc\"\nhealth-check {check}")),
        service("beside.svc", 3003, &format!("health-check port=3004 {check}")),
        "node \"alpha\" calls=\"*\"\nnode \"beta\" { serves \"one.svc\" \"rpc.svc\" \"beside.svc\"; }".to_owned(),
    ];
    let live = Live::of(&mesh.concat()).files(authority.leaf(&["beta"]).files("beta")).up().await;
    for name in ["one", "rpc", "beside"] {
        let of_cluster = |what: &str| format!("cluster.{name}_svc.{what}");
        live.wait_for_counter("alpha", &of_cluster("membership_healthy"), |healthy| healthy == 1).await;
        let get = Request::get("/").host(&format!("{name}.svc"));
        assert_eq!(super::service(&live.send("alpha", get).await), format!("{name}.svc"));
        assert!(live.counter("alpha", &of_cluster("ssl.handshake")).await >= 1, "{name}");
    }
    let before = live.counter("alpha", "cluster.beside_svc.health_check.success").await;
    live.wait_for_counter("alpha", "cluster.beside_svc.health_check.success", |now| now > before + 2).await;
    assert_eq!(live.counter("alpha", "cluster.beside_svc.ssl.handshake").await, 1, "its checks are not encrypted");
}

//! gRPC calls are matched by service and method, and tried again by their own status.

use local::{Behaviour, Client, Version};
use world::grpc;

use super::Live;

const MESH: &str = r#"
    service "cart.svc" {
        protocol "grpc"
        endpoint "10.0.0.1:3000"
        route { grpc service="shop.v1.Cart" method="Add"; metadata "x-tenant" exact="blue"; to "next.svc" }
        route { grpc service="shop.v2.Cart"; to "next.svc" }
        route path-prefix="/retried.Cart/Unavailable" { retry attempts=2 on="unavailable"; to "cart.svc" }
        route path-prefix="/retried.Cart/Mesh" {
            retry attempts=2 vocabulary="app-mesh" on="cancelled,deadline-exceeded,internal,resource-exhausted"
            to "cart.svc"
        }
    }
    service "next.svc" { protocol "grpc"; endpoint "10.0.0.2:3000" }
    node "alpha" calls="cart.svc"
    node "cart" serves="cart.svc"
    node "next" serves="next.svc"
    gateway "front" listen=8080 { host "shop.example" { to "cart.svc" } }
"#;

fn client(live: &Live, instance: &str) -> Client {
    live.client(instance).version(Version::Http2)
}

#[tokio::test]
async fn calls_are_matched_by_service_method_and_metadata() {
    let live = Live::up(MESH).await;
    for (entrance, host) in [("alpha", "cart.svc"), ("front", "shop.example")] {
        for (method, tenant, expected) in [
            ("/shop.v1.Cart/Add", "blue", "next.svc"),
            ("/shop.v1.Cart/Add", "red", "cart.svc"),
            ("/shop.v1.Cart/AddAll", "blue", "cart.svc"),
            ("/shop.v2.Cart/Any", "red", "next.svc"),
            ("/shop.v2.Cartoon/Any", "red", "cart.svc"),
        ] {
            let request = grpc::request(host, method, b"hello").header("x-tenant", tenant);
            let reply = grpc::call(&mut client(&live, entrance), &request).await.unwrap();
            assert_eq!((reply.status, reply.grpc_status), (200, Some(0)), "{entrance}: {method}");
            assert_eq!(reply.echo()["service"], expected, "{entrance}: {method} of {tenant}");
        }
        // Not a call, whatever its path.
        let request = local::Request::new("POST", "/shop.v2.Cart/Any").host(host);
        let answer = client(&live, entrance).send(&request).await.unwrap();
        assert_eq!(super::service(&answer), "cart.svc", "{entrance}");
    }
}

#[tokio::test]
async fn calls_are_tried_again_by_their_own_status() {
    let live = Live::up(MESH).await;
    let workload = live.workload("10.0.0.1:3000");
    for (method, status, tries) in [
        ("/retried.Cart/Unavailable", 14, 3),
        ("/retried.Cart/Unavailable", 13, 1),
        ("/retried.Cart/Mesh", 1, 3),
        ("/retried.Cart/Mesh", 4, 3),
        ("/retried.Cart/Mesh", 8, 3),
        ("/retried.Cart/Mesh", 13, 3),
        ("/retried.Cart/Mesh", 14, 1),
        ("/plain.Cart/Any", 14, 1),
    ] {
        for (entrance, host) in [("alpha", "cart.svc"), ("front", "shop.example")] {
            workload.reset();
            workload.behave(Behaviour::GrpcStatus(status));
            let request = grpc::request(host, method, b"hello");
            let reply = grpc::call(&mut client(&live, entrance), &request).await.unwrap();
            assert_eq!(reply.grpc_status, Some(status), "{entrance}: {method}");
            assert_eq!(workload.received_count(), tries, "{entrance}: {method}, {status}");
        }
    }
}

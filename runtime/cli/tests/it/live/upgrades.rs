//! WebSocket passes, unless a route refuses it.

use world::web_socket;

use super::Live;

#[tokio::test]
async fn web_sockets_pass_unless_a_route_says_no() {
    let live = Live::up(
        r#"
        service "chat.svc" {
            endpoint "10.0.0.1:3000"
            route path-prefix="/closed" websocket=#false { to "chat.svc" }
            route path-prefix="/moved" { rewrite prefix="/"; to "chat.svc" }
        }
        node "alpha" calls="chat.svc"
        node "chat" serves="chat.svc"
        gateway "front" listen=8080 {
            host "chat.example" {
                route path-prefix="/out" websocket=#false { to "chat.svc" }
                to "chat.svc"
            }
        }
        "#,
    )
    .await;
    for (instance, host) in [("alpha", "chat.svc"), ("front", "chat.example")] {
        let address = live.instance(instance).instance().entrance();
        for path in ["/", "/moved/here"] {
            let mut socket = web_socket::open(address, host, path).await.unwrap();
            assert_eq!(socket.answer.status(), 101);
            assert_eq!(socket.echo("hello").await, "hello", "{instance}: {path}");
        }
        assert_eq!(web_socket::open(address, host, "/closed").await.unwrap_err(), 403, "{instance}");
    }
    let front = live.instance("front").instance().entrance();
    assert_eq!(web_socket::open(front, "chat.example", "/out/closed").await.unwrap_err(), 403);
}

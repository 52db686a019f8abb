//! What stands outside of a mesh: names, collectors, other people's servers.

use local::{Client, Request};
use meshwright_world::wire::exchange;
use meshwright_world::{Outside, Serves};
use tokio::net::UdpSocket;

use crate::PATIENCE;

#[tokio::test]
async fn servers_are_where_the_name_server_and_the_detours_say() {
    let mut outside = Outside::new().await;
    let first = outside.add("api.example:8080", Serves::Http).await;
    let second = outside.add("api.example:8080", Serves::Http).await;
    assert_eq!(outside.names().get("API.example"), [first.ip(), second.ip()]);
    let collector = outside.add("198.51.100.9:4317", Serves::Http).await;
    assert_eq!(outside.detours().addresses.get(&"198.51.100.9:4317".parse().unwrap()), Some(&collector));
    Client::new(second).send(&Request::get("/")).await.expect("an answer");
    assert_eq!(outside.echo("api.example:8080").received_count(), 0);
    assert_eq!(outside.echoes("api.example:8080")[1].received_count(), 1);
    let tcp = outside.add("db.example:5432", Serves::Tcp).await;
    assert_eq!(exchange(tcp, b"x").await, b"db.example db.example:5432 -\nx");
}

#[tokio::test]
async fn datagrams_are_collected() {
    let mut outside = Outside::new().await;
    let address = outside.add("198.51.100.8:8125", Serves::Datagrams).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"a:1|c\nb:2|g", address).await.unwrap();
    let line = outside.datagrams("198.51.100.8:8125").wait_for_line(|line| line.starts_with("b:"), PATIENCE).await;
    assert_eq!(line, "b:2|g");
}

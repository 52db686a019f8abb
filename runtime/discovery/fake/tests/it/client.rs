//! A plain HTTP client: each call on a connection of its own, and whatever goes wrong with it.

use std::net::{IpAddr, SocketAddr};

use fake::Fake;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The code of an error, as JSON 1.1 has it.
    pub(crate) fn code(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }
}

/// A call of ECS that is answered.
pub(crate) async fn ecs(fake: &Fake, action: &str, request: Value) -> Answer {
    try_ecs(fake, action, request).await.unwrap()
}

/// A call of ECS, or how its connection ended.
pub(crate) async fn try_ecs(fake: &Fake, action: &str, request: Value) -> Result<Answer, hyper::Error> {
    let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
    send(fake.address(), "/", Some(&target), request.to_string()).await
}

pub(crate) async fn cloud_map(fake: &Fake, action: &str, request: Value) -> Answer {
    let target = format!("Route53AutoNaming_v20170314.{action}");
    send(fake.address(), "/", Some(&target), request.to_string()).await.unwrap()
}

pub(crate) async fn ec2(fake: &Fake, form: &str) -> Answer {
    send(fake.address(), "/", None, form.to_owned()).await.unwrap()
}

pub(crate) async fn door(fake: &Fake, what: &str, body: Value) -> Answer {
    send(fake.address(), &format!("/_fake/{what}"), None, body.to_string()).await.unwrap()
}

pub(crate) async fn send(
    address: SocketAddr,
    path: &str,
    target: Option<&str>,
    body: String,
) -> Result<Answer, hyper::Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::post(path).header("host", address.to_string());
    if let Some(target) = target {
        request = request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1");
    }
    let response = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await?;
    let status = response.status().as_u16();
    let request_id = response.headers().get("x-amzn-requestid").map(|id| id.to_str().unwrap().to_owned());
    let text = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec()).unwrap();
    connection.abort();
    Ok(Answer { status, request_id, text })
}

/// A cluster `production` with the family `orders`, on Fargate.
pub(crate) async fn with_orders() -> Fake {
    let fake = Fake::start().await.unwrap();
    fake.change(|world| {
        world.create_cluster("production");
        world.register(&orders()).unwrap();
    });
    fake
}

pub(crate) fn orders() -> Value {
    json!({
        "family": "orders",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "tags": [{ "key": "team", "value": "shop" }],
        "containerDefinitions": [
            {
                "name": "app",
                "image": "shop/orders:7",
                "portMappings": [{ "containerPort": 8080 }],
                "dockerLabels": { "envoy.service.name": "orders" },
                "healthCheck": { "command": ["CMD", "true"] },
            },
            { "name": "log", "image": "shop/log:1", "essential": false },
        ],
    })
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

//! A unary call of gRPC.

use local::echo::EchoReply;
use local::{Client, ClientError, Request, Response};
use prost::Message;
use prost::bytes::Bytes;

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Of HTTP.
    pub status: u16,
    /// Of gRPC, from the trailers or, where there is no message, from the headers; `None` where nothing of gRPC came.
    pub grpc_status: Option<u32>,
    pub grpc_message: String,
    /// The first message; empty without one.
    pub message: Bytes,
    pub response: Response,
}

/// `grpc.health.v1.HealthCheckRequest`.
#[derive(Clone, PartialEq, Eq, Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

/// The request of a call of `/package.Service/Method`, to be given headers of its own.
pub fn request(host: &str, method: &str, message: &[u8]) -> Request {
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).expect("a message below 4 GiB").to_be_bytes());
    body.extend(message);
    let request = Request::new("POST", method).host(host).body(body);
    request.header("content-type", "application/grpc").header("te", "trailers")
}

/// The client must speak HTTP/2.
pub async fn call(client: &mut Client, request: &Request) -> Result<Reply, ClientError> {
    client.send(request).await.map(reply)
}

/// Asks the health service.
pub async fn health(client: &mut Client, host: &str) -> Result<Reply, ClientError> {
    let message = HealthCheckRequest { service: String::new() }.encode_to_vec();
    call(client, &request(host, "/grpc.health.v1.Health/Check", &message)).await
}

impl Reply {
    /// What the workload says in its answer: who it is, what it received.
    #[track_caller]
    pub fn echo(&self) -> serde_json::Value {
        let reply = EchoReply::decode(self.message.clone()).expect("a message of the echo");
        serde_json::from_str(&reply.json).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether the health service says `SERVING`.
    pub fn is_serving(&self) -> bool {
        self.grpc_status == Some(0) && *self.message == [8, 1]
    }
}

fn reply(response: Response) -> Reply {
    let told = |name| response.trailer(name).or_else(|| response.header(name)).map(|value| value.into_owned());
    let message = response.body.get(5..).unwrap_or_default();
    Reply {
        status: response.status,
        grpc_status: told("grpc-status").and_then(|status| status.parse().ok()),
        grpc_message: told("grpc-message").unwrap_or_default(),
        message: response.body.slice_ref(message),
        response,
    }
}

//! The Rust `xds-client`, by which a task of the test finds the service; its calls are tonic's.
//!
//! It says and is asked what `grpcio/client.py` tells.

mod resolver;
mod resources;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::mesh::SERVICE;
use resolver::Resolver;

const DEADLINE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(1);

pub(crate) async fn run(
    server: SocketAddr,
    mut commands: mpsc::UnboundedReceiver<String>,
    lines: mpsc::UnboundedSender<Value>,
) {
    let mut resolver = Resolver::start(server);
    resolver.until_there_is_an_endpoint().await;
    // A test that failed hears nothing any more.
    let say = |line: Value| drop(lines.send(line));
    let (mut calls, mut errors, mut aims) = (0_u64, 0_u64, Vec::new());
    let mut by = BTreeMap::<String, u64>::new();
    let mut last = String::new();
    let mut channels = BTreeMap::<SocketAddr, Channel>::new();
    loop {
        match call(resolver.endpoint(), &mut channels).await {
            Ok(backend) => {
                if backend != last {
                    say(json!({"backend": backend, "after": calls}));
                    last.clone_from(&backend);
                }
                *by.entry(backend).or_default() += 1;
            }
            Err(status) => {
                errors += 1;
                say(json!({"error": format!("{:?}: {}", status.code(), status.message()), "after": calls}));
            }
        }
        calls += 1;
        if aims.pop_if(|aim| calls >= *aim).is_some() {
            say(json!({"reached": calls}));
        }
        loop {
            match commands.try_recv().as_deref().map(|command| command.split_once(' ').unwrap_or((command, ""))) {
                Ok(("calls", more)) => aims.push(calls + more.parse::<u64>().expect("a number")),
                Ok(("csds", _)) => say(json!({"csds": resolver.refused()})),
                Ok(("stop", _)) | Err(mpsc::error::TryRecvError::Disconnected) => {
                    say(json!({"totals": {"client": "xds-client", "calls": calls, "errors": errors, "by": by}}));
                    return;
                }
                Ok((command, _)) => panic!("what is `{command}`?"),
                Err(mpsc::error::TryRecvError::Empty) => break,
            }
        }
        sleep(PAUSE).await;
    }
}

async fn call(endpoint: Option<SocketAddr>, channels: &mut BTreeMap<SocketAddr, Channel>) -> Result<String, Status> {
    let address = endpoint.ok_or_else(|| Status::unavailable("there is no endpoint"))?;
    let channel = channels.entry(address).or_insert_with(|| {
        // A sidecar knows the service by its name.
        let origin = Uri::try_from(format!("http://{SERVICE}")).expect("a name is a URL");
        Endpoint::from_shared(format!("http://{address}")).expect("an address is a URL").origin(origin).connect_lazy()
    });
    let mut grpc = Grpc::new(channel.clone());
    let path = PathAndQuery::from_static("/mesh.Echo/Who");
    let answer = async {
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        grpc.unary(Request::new(()), path, ProstCodec::<(), String>::default()).await
    };
    let answer = timeout(DEADLINE, answer).await.map_err(|_| Status::deadline_exceeded("no answer"))??;
    Ok(answer.into_inner())
}

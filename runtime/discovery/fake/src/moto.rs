//! The real moto: a server of AWS's protocols that nobody here wrote.
//!
//! It is good for the wire, and not for how ECS behaves: it lists everything in one page, tells one container of a task,
//! no interfaces and no bindings, starts no tasks for services, and, unless it is told not to, moves a task on towards
//! its end whenever it is described.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};

use crate::python::{self, NotInstalled};

/// A moto at a loopback address. It ends when it is dropped, and when this process ends in any other way: its input is
/// then at an end.
pub struct Moto {
    address: SocketAddr,
    _child: Child,
    _input: Option<ChildStdin>,
}

#[derive(Debug, thiserror::Error)]
pub enum MotoError {
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    #[error("moto did not start: {0}")]
    Start(#[from] io::Error),
    #[error("moto did not start: it said `{0}` in place of its port")]
    Port(String),
    #[error("moto does not answer: {0}")]
    Answer(String),
    #[error("moto refused {action}: {status} {text}")]
    Refused { action: String, status: u16, text: String },
}

/// Says its port once it listens, and ends with its input.
const SERVER: &str = "
import sys, warnings
warnings.simplefilter('ignore')
import logging
logging.getLogger('werkzeug').setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
";

/// A moto with nothing in it, whose tasks keep their state.
pub async fn start() -> Result<Moto, MotoError> {
    let mut child = Command::new(python::find()?)
        .args(["-c", SERVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line).await?;
    }
    let port = line.trim().parse().map_err(|_| MotoError::Port(line.trim().to_owned()))?;
    let input = child.stdin.take();
    let moto = Moto { address: (Ipv4Addr::LOCALHOST, port).into(), _child: child, _input: input };
    // Else each DescribeTasks brings a task nearer to its end.
    let progression = json!({ "progression": "manual", "times": 1_000_000_000_u64 });
    let transition = json!({ "model_name": "ecs::task", "transition": progression });
    moto.post("/moto-api/state-manager/set-transition", None, &transition, "set-transition").await?;
    Ok(moto)
}

impl Moto {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `AWS_ENDPOINT_URL` has to be.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A call of ECS.
    pub async fn ecs(&self, action: &str, request: &Value) -> Result<Value, MotoError> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
        let text = self.post("/", Some(&target), request, action).await?;
        serde_json::from_str(&text).map_err(|error| MotoError::Answer(error.to_string()))
    }

    pub async fn create_cluster(&self, name: &str) -> Result<(), MotoError> {
        self.ecs("CreateCluster", &json!({ "clusterName": name })).await.map(drop)
    }

    /// Registers a task definition as people write it. moto cannot run what does not say how much memory each container
    /// has: 128 MiB then.
    pub async fn register(&self, definition: &Value) -> Result<String, MotoError> {
        let mut definition = definition.clone();
        for container in definition["containerDefinitions"].as_array_mut().into_iter().flatten() {
            if container["memory"].is_null() {
                container["memory"] = json!(128);
            }
        }
        let answer = self.ecs("RegisterTaskDefinition", &definition).await?;
        Ok(answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap_or_default().to_owned())
    }

    /// Runs tasks on Fargate; their ARNs come back. moto draws their addresses.
    pub async fn run(&self, cluster: &str, definition: &str, count: u64) -> Result<Vec<String>, MotoError> {
        let network = json!({ "subnets": [self.subnet().await?], "securityGroups": ["sg-0a1b2c3d4e5f60718"] });
        let request = json!({
            "cluster": cluster,
            "taskDefinition": definition,
            "count": count,
            "launchType": "FARGATE",
            "networkConfiguration": { "awsvpcConfiguration": network },
        });
        let answer = self.ecs("RunTask", &request).await?;
        let arns = answer["tasks"].as_array().into_iter().flatten().filter_map(|task| task["taskArn"].as_str());
        Ok(arns.map(str::to_owned).collect())
    }

    /// One of those that moto has from the start.
    async fn subnet(&self) -> Result<String, MotoError> {
        let text = self.send("/", None, "Action=DescribeSubnets&Version=2016-11-15", "DescribeSubnets", "ec2").await?;
        let id = text.split_once("<subnetId>").and_then(|(_, rest)| rest.split_once('<')).map(|(id, _)| id.to_owned());
        id.ok_or_else(|| MotoError::Answer("it has no subnet".to_owned()))
    }

    async fn post(&self, path: &str, target: Option<&str>, body: &Value, what: &str) -> Result<String, MotoError> {
        self.send(path, target, &body.to_string(), what, "ecs").await
    }

    async fn send(
        &self,
        path: &str,
        target: Option<&str>,
        body: &str,
        what: &str,
        service: &str,
    ) -> Result<String, MotoError> {
        let broken = |error: hyper::Error| MotoError::Answer(error.to_string());
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let connection = tokio::spawn(connection);
        // moto checks no signature; it reads the service from its scope.
        let scope = format!("Credential=test/20261101/eu-central-1/{service}/aws4_request");
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let mut request = Request::post(path)
            .header("host", self.address.to_string())
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
            .header("content-type", if service == "ec2" { form } else { "application/x-amz-json-1.1" });
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned())));
        let request = request.map_err(|error| MotoError::Answer(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.map_err(broken)?.to_bytes();
        connection.abort();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match status {
            200 | 201 => Ok(text),
            _ => Err(MotoError::Refused { action: what.to_owned(), status, text }),
        }
    }
}

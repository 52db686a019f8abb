//! Who a stream is for: the node of its first request, which no later request may change.

use envoy::config::core::v3::Node;
use envoy::config::core::v3::node::UserAgentVersionType;
use tonic::Status;

use crate::registry::Client;
use crate::stream::Request;

#[derive(Clone, Debug)]
pub(super) struct Hello {
    pub(super) client: Client,
}

/// Bytes of a node's id.
const ID: usize = 1024;
/// What is kept of texts that only people read.
const TEXT: usize = 128;

impl Hello {
    pub(super) fn of(request: &Request, peer: &str) -> Result<Self, Status> {
        let Some(node) = node(request) else {
            return Err(Status::invalid_argument("the first request of a stream must say which node it is for"));
        };
        if node.id.is_empty() {
            return Err(Status::invalid_argument("the node has no id"));
        }
        if node.id.len() > ID {
            return Err(Status::invalid_argument(format!("the node's id is longer than {ID} bytes")));
        }
        if node.id.chars().any(char::is_control) {
            return Err(Status::invalid_argument("the node's id holds control characters"));
        }
        let proxy = node.id.split('~').next().unwrap_or_default();
        if proxy.is_empty() {
            return Err(Status::invalid_argument("the node's id names no proxy before the `~`"));
        }
        Ok(Self {
            client: Client {
                node: node.id.clone(),
                proxy: proxy.to_owned(),
                cluster: short(&node.cluster),
                agent: agent(node),
                peer: peer.to_owned(),
            },
        })
    }

    pub(super) fn check(&self, request: &Request) -> Result<(), Status> {
        match node(request) {
            Some(node) if !node.id.is_empty() && node.id != self.client.node => {
                Err(Status::invalid_argument("a stream is for the node of its first request, and this is another"))
            }
            _ => Ok(()),
        }
    }
}

/// The request without what is known already, and may be long.
pub(super) fn without_node(mut request: Request) -> Request {
    match &mut request {
        Request::StateOfTheWorld(request) => request.node = None,
        Request::Delta(request) => request.node = None,
    }
    request
}

fn node(request: &Request) -> Option<&Node> {
    match request {
        Request::StateOfTheWorld(request) => request.node.as_ref(),
        Request::Delta(request) => request.node.as_ref(),
    }
}

/// `envoy 1.40.0`.
fn agent(node: &Node) -> String {
    let name = short(&node.user_agent_name);
    let version = match &node.user_agent_version_type {
        Some(UserAgentVersionType::UserAgentVersion(version)) => short(version),
        Some(UserAgentVersionType::UserAgentBuildVersion(build)) => {
            build.version.as_ref().map_or_else(String::new, |version| {
                format!("{}.{}.{}", version.major_number, version.minor_number, version.patch)
            })
        }
        None => String::new(),
    };
    format!("{name} {version}").trim().to_owned()
}

fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(TEXT).collect()
}

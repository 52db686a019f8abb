//! What every client was told, as the client status discovery service says it (`envoy/service/status/v3/csds.proto`).

use envoy::admin::v3::{ClientResourceStatus, UpdateFailureState};
use envoy::config::core::v3::Node;
use prost::Message;
use tokio::task::yield_now;

use crate::registry::{Entry, Registry};
use crate::stream::TypeStatus;

pub(crate) const SERVICE: &str = "envoy.service.status.v3.ClientStatusDiscoveryService";

// Envoy does not hold these messages itself, so they are not among the generated ones.

#[derive(Clone, PartialEq, Message)]
pub struct ClientStatusRequest {
    #[prost(message, repeated, tag = "1")]
    pub node_matchers: Vec<NodeMatcher>,
    #[prost(message, optional, tag = "2")]
    pub node: Option<Node>,
}

/// Of `envoy.type.matcher.v3.NodeMatcher` the identifier, which may be an exact text.
#[derive(Clone, PartialEq, Message)]
pub struct NodeMatcher {
    #[prost(message, optional, tag = "1")]
    pub node_id: Option<envoy::r#type::matcher::v3::StringMatcher>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ClientStatusResponse {
    #[prost(message, repeated, tag = "1")]
    pub config: Vec<ClientConfig>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ClientConfig {
    #[prost(message, optional, tag = "1")]
    pub node: Option<Node>,
    #[prost(message, repeated, tag = "3")]
    pub generic_xds_configs: Vec<GenericXdsConfig>,
    #[prost(string, tag = "4")]
    pub client_scope: String,
}

/// One resource. What it says is left out: it may hold secrets.
#[derive(Clone, PartialEq, Message)]
pub struct GenericXdsConfig {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub version_info: String,
    #[prost(enumeration = "ConfigStatus", tag = "6")]
    pub config_status: i32,
    #[prost(enumeration = "ClientResourceStatus", tag = "7")]
    pub client_status: i32,
    #[prost(message, optional, tag = "8")]
    pub error_state: Option<UpdateFailureState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum ConfigStatus {
    Unknown = 0,
    /// Sent and accepted.
    Synced = 1,
    NotSent = 2,
    /// Sent, and neither accepted nor refused yet.
    Stale = 3,
    /// Sent and refused.
    Error = 4,
}

/// Bytes of an answer, give or take one client.
const ANSWER: usize = 16 << 20;
/// After so many clients others have their turn.
const CLIENTS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer has more than {ANSWER} bytes: ask for fewer nodes with `node_matchers`")]
pub(crate) struct TooMuch;

/// An encoded [`ClientStatusResponse`] of every stream whose proxy may be seen and whose node id is asked for.
pub(crate) async fn statuses(
    registry: &Registry,
    request: &ClientStatusRequest,
    may_see: impl Fn(&str) -> bool,
) -> Result<Vec<u8>, TooMuch> {
    let mut streams = registry.entries();
    streams.retain(|entry| may_see(&entry.proxy()) && is_wanted(request, &entry.client.node));
    streams.sort_by(|a, b| a.client.node.cmp(&b.client.node));
    let mut answer = Vec::new();
    for (number, entry) in streams.iter().enumerate() {
        if number % CLIENTS == CLIENTS - 1 {
            yield_now().await;
        }
        // Messages that follow each other are one, with what is repeated in all of them. Never all of them unencoded: that
        // is several times as much.
        answer.extend(ClientStatusResponse { config: vec![of(entry)] }.encode_to_vec());
        if answer.len() > ANSWER {
            return Err(TooMuch);
        }
    }
    Ok(answer)
}

fn of(entry: &Entry) -> ClientConfig {
    let client = &entry.client;
    let node = Node {
        id: client.node.clone(),
        cluster: client.cluster.clone(),
        user_agent_name: client.agent.clone(),
        ..Node::default()
    };
    let told = entry.told().unwrap_or_default();
    ClientConfig {
        node: Some(node),
        generic_xds_configs: told.iter().flat_map(resources).collect(),
        client_scope: client.peer.clone(),
    }
}

fn resources(of: &TypeStatus) -> impl Iterator<Item = GenericXdsConfig> {
    let type_url = of.kind.type_url();
    of.resources.iter().map(move |(name, version, acknowledged)| {
        let refused = of.refused.as_ref().filter(|_| !acknowledged);
        let (config_status, client_status) = match (acknowledged, refused) {
            (true, _) => (ConfigStatus::Synced, ClientResourceStatus::Acked),
            (false, Some(_)) => (ConfigStatus::Error, ClientResourceStatus::Nacked),
            (false, None) => (ConfigStatus::Stale, ClientResourceStatus::Requested),
        };
        GenericXdsConfig {
            type_url: type_url.clone(),
            name: name.to_string(),
            version_info: version.to_string(),
            config_status: config_status.into(),
            client_status: client_status.into(),
            error_state: refused.map(|(version, error)| UpdateFailureState {
                details: error.clone(),
                version_info: version.to_string(),
                ..UpdateFailureState::default()
            }),
        }
    })
}

/// Without a matcher every node is. A matcher that is more than an exact text, a prefix or a suffix matches nothing.
fn is_wanted(request: &ClientStatusRequest, node: &str) -> bool {
    use envoy::r#type::matcher::v3::string_matcher::MatchPattern;
    let matches = |matcher: &NodeMatcher| match &matcher.node_id {
        None => true,
        Some(wanted) => match &wanted.match_pattern {
            Some(MatchPattern::Exact(text)) => text == node,
            Some(MatchPattern::Prefix(text)) => node.starts_with(text),
            Some(MatchPattern::Suffix(text)) => node.ends_with(text),
            Some(MatchPattern::Contains(text)) => node.contains(text),
            _ => false,
        },
    };
    request.node_matchers.is_empty() || request.node_matchers.iter().any(matches)
}

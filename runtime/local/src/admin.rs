//! What an Envoy says of itself on its admin address: readiness, counters, the health of its clusters.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use crate::client::{Client, ClientError, Request, Response};

const TIMEOUT: Duration = Duration::from_secs(5);

/// The admin interface of one Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admin {
    address: SocketAddr,
}

/// Why Envoy could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("the admin interface cannot be reached: {0}")]
    Unreachable(#[from] ClientError),
    #[error("the admin interface answers {status} to `{path}`")]
    Refused { path: String, status: u16 },
    #[error("the admin interface's answer to `{path}` cannot be read: {source}")]
    Unreadable { path: String, source: serde_json::Error },
}

/// An endpoint that a cluster does not send requests to, or does not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhealthy {
    pub cluster: String,
    pub host: String,
    /// Envoy's flags, such as `failed_active_health_check`.
    pub flags: Vec<String>,
}

impl Admin {
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks for a path; every status but 200 is an error.
    pub async fn get(&self, path: &str) -> Result<Response, AdminError> {
        let response = self.ask(&Request::get(path)).await?;
        match response.status {
            200 => Ok(response),
            status => Err(AdminError::Refused { path: path.to_owned(), status }),
        }
    }

    /// The same for what changes something.
    pub async fn post(&self, path: &str) -> Result<Response, AdminError> {
        let response = self.ask(&Request::new("POST", path)).await?;
        match response.status {
            200 => Ok(response),
            status => Err(AdminError::Refused { path: path.to_owned(), status }),
        }
    }

    /// Whether Envoy takes traffic: every listener and cluster is initialized.
    pub async fn is_ready(&self) -> bool {
        self.get("/ready").await.is_ok()
    }

    /// The value of one counter or gauge; 0 when Envoy has not made it yet, as it does at the first event.
    pub async fn counter(&self, name: &str) -> Result<u64, AdminError> {
        let filter = percent_encoded(&anchored_pattern(name));
        let stats: Stats = self.read(&format!("/stats?format=json&filter={filter}")).await?;
        let found = stats.stats.iter().find(|stat| stat.name.as_deref() == Some(name));
        Ok(found.and_then(|stat| stat.value.as_u64()).unwrap_or(0))
    }

    /// Everything that Envoy was told, without secrets.
    pub async fn config_dump(&self) -> Result<serde_json::Value, AdminError> {
        self.read("/config_dump?include_eds").await
    }

    /// Endpoints of which Envoy knows no good. Empty: every health check was passed (or there is none).
    pub async fn unhealthy(&self) -> Result<Vec<Unhealthy>, AdminError> {
        let clusters: Clusters = self.read("/clusters?format=json").await?;
        Ok(clusters.unhealthy())
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, AdminError> {
        let response = self.get(path).await?;
        let unreadable = |source| AdminError::Unreadable { path: path.to_owned(), source };
        serde_json::from_slice(&response.body).map_err(unreadable)
    }

    async fn ask(&self, request: &Request) -> Result<Response, AdminError> {
        Ok(Client::new(self.address).timeout(TIMEOUT).send(request).await?)
    }
}

impl fmt::Display for Unhealthy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {} ({})", self.host, self.cluster, self.flags.join(", "))
    }
}

#[derive(Deserialize)]
struct Stats {
    #[serde(default)]
    stats: Vec<Stat>,
}

/// Histograms have neither name nor value, text readouts have a text.
#[derive(Deserialize)]
struct Stat {
    name: Option<String>,
    #[serde(default)]
    value: serde_json::Value,
}

#[derive(Deserialize)]
struct Clusters {
    #[serde(default)]
    cluster_statuses: Vec<Cluster>,
}

#[derive(Deserialize)]
struct Cluster {
    name: String,
    #[serde(default)]
    host_statuses: Vec<Host>,
}

#[derive(Deserialize)]
struct Host {
    #[serde(default)]
    address: serde_json::Value,
    #[serde(default)]
    health_status: serde_json::Map<String, serde_json::Value>,
}

impl Clusters {
    fn unhealthy(self) -> Vec<Unhealthy> {
        let mut found = Vec::new();
        for cluster in self.cluster_statuses {
            for host in cluster.host_statuses {
                let flags = host.flags();
                if !flags.is_empty() {
                    found.push(Unhealthy { cluster: cluster.name.clone(), host: host.name(), flags });
                }
            }
        }
        found
    }
}

impl Host {
    /// Every flag of Envoy's `HostHealthStatus` is bad news; `eds_health_status` is a word instead.
    fn flags(&self) -> Vec<String> {
        let set = |(flag, value): (&String, &serde_json::Value)| (value == true).then(|| flag.clone());
        let mut flags: Vec<String> = self.health_status.iter().filter_map(set).collect();
        let told = self.health_status.get("eds_health_status").and_then(serde_json::Value::as_str);
        flags.extend(told.filter(|word| !matches!(*word, "HEALTHY" | "UNKNOWN")).map(str::to_ascii_lowercase));
        flags.sort();
        flags
    }

    fn name(&self) -> String {
        let field = |name: &str| self.address.pointer(&format!("/socket_address/{name}"));
        let host = field("address").and_then(serde_json::Value::as_str).unwrap_or("?");
        let port = field("port_value").map_or_else(|| "?".to_owned(), ToString::to_string);
        format!("{host}:{port}")
    }
}

/// A regular expression that only `name` matches.
fn anchored_pattern(name: &str) -> String {
    let mut pattern = String::from("^");
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() && character != '_' && character.is_ascii() {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('$');
    pattern
}

fn percent_encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests;

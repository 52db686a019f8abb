//! A bootstrap for an Envoy that has a control plane: who it is, and where it asks.

use std::net::SocketAddr;
use std::time::Duration;

use ::envoy::config::bootstrap::v3::Bootstrap;
use ::envoy::config::core::v3::address::Address as Place;
use ::envoy::config::core::v3::api_config_source::ApiType;
use ::envoy::config::core::v3::socket_address::PortSpecifier;
use ::envoy::extensions::transport_sockets::tls::v3::Secret;
use ::envoy::service::discovery::v3::DiscoveryResponse;
use ::envoy::to_yaml;
use spec::mesh::{HostPort, TlsVersion};

use crate::WasmModule;
use crate::checked::{CheckedMesh, Proxy};
use crate::envoy::control_plane::{self, cluster, resources};
use crate::envoy::tls::{Encryption, Giver, authorities_file, certificate_files, secret, upstream};
use crate::lower::{Shared, lower_with};

/// Where an Envoy asks for its configuration, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ads {
    pub servers: Servers,
    pub variant: Variant,
    /// `None`: in plain text.
    pub tls: Option<Tls>,
    /// Tells the tasks of one proxy apart: the node's id is the proxy's name, `~`, and this.
    pub node_suffix: Option<String>,
    /// How long an Envoy that starts waits for each kind of resource before it goes on without; zero: for ever.
    pub initial_fetch_timeout: Duration,
}

/// Where a control plane is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Servers {
    /// Names or addresses, never none; all give the same, and the next takes over when one is gone.
    Addresses(Vec<HostPort>),
    /// A Unix socket, as the process beside an Envoy has.
    Socket(String),
}

/// Which of the two protocols is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// What changed.
    Delta,
    /// Everything of a type, every time.
    StateOfTheWorld,
}

/// TLS towards a control plane. Files are read anew when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// File of those who vouch for the control plane.
    pub authorities: String,
    /// Files of the chain and its key that are shown; `None`: the control plane does not ask who calls.
    pub certificate: Option<(String, String)>,
    /// What the server's certificate must name: a DNS name, an address or a SPIFFE identity. Empty: the hosts of
    /// `servers`.
    pub server_names: Vec<String>,
    /// Folder in which Envoy finds [`AdsBootstrap::files`].
    pub folder: String,
}

/// A bootstrap, and what it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct AdsBootstrap {
    pub bootstrap: Bootstrap,
    /// Name and content; they must be there before Envoy starts. Without TLS there are none.
    pub files: Vec<(String, String)>,
}

impl Ads {
    /// Delta, in plain text.
    pub fn towards(servers: Servers) -> Self {
        Self {
            servers,
            variant: Variant::Delta,
            tls: None,
            node_suffix: None,
            initial_fetch_timeout: Duration::from_secs(15),
        }
    }
}

impl AdsBootstrap {
    /// Where Envoy's administration listens.
    pub fn admin(&self) -> Option<SocketAddr> {
        let address = self.bootstrap.admin.as_ref()?.address.as_ref()?;
        let Some(Place::SocketAddress(at)) = &address.address else { return None };
        let Some(PortSpecifier::PortValue(port)) = at.port_specifier else { return None };
        Some(SocketAddr::new(at.address.parse().ok()?, u16::try_from(port).ok()?))
    }
}

/// Everything that an Envoy must know from the beginning; listeners, clusters and the rest it is told.
pub fn ads_bootstrap(mesh: &CheckedMesh, proxy: Proxy, ads: &Ads) -> AdsBootstrap {
    // Filters are part of listeners, which the control plane tells.
    let module = WasmModule { sha256: String::new(), folder: String::new() };
    let mut bootstrap = lower_with(mesh, proxy, &module, &Shared::default()).bootstrap;
    if let (Some(node), Some(suffix)) = (&mut bootstrap.node, &ads.node_suffix) {
        node.id = format!("{}~{suffix}", node.id);
    }
    let servers = match &ads.servers {
        Servers::Addresses(all) => control_plane::Servers::Addresses(all),
        Servers::Socket(path) => control_plane::Servers::Socket(path),
    };
    let encryption = ads.tls.as_ref().map(|tls| upstream(encryption(tls, &ads.servers), server_name(ads)));
    bootstrap.static_resources.get_or_insert_default().clusters.insert(0, cluster(&servers, encryption));
    let api_type = match ads.variant {
        Variant::Delta => ApiType::DeltaGrpc,
        Variant::StateOfTheWorld => ApiType::Grpc,
    };
    bootstrap.dynamic_resources = Some(resources(api_type, &server_name(ads), ads.initial_fetch_timeout));
    AdsBootstrap { bootstrap, files: ads.tls.as_ref().map(files).unwrap_or_default() }
}

const CERTIFICATE: &str = "control-plane-certificate";
const AUTHORITIES: &str = "control-plane-authorities";

fn encryption(tls: &Tls, servers: &Servers) -> Encryption {
    let file = |name: &str| {
        let path = format!("{}/{name}.yaml", tls.folder.trim_end_matches('/'));
        secret(name, &Giver::File(&path))
    };
    Encryption {
        certificate: tls.certificate.is_some().then(|| file(CERTIFICATE)),
        trust: Some(file(AUTHORITIES)),
        peer_names: match servers {
            _ if !tls.server_names.is_empty() => tls.server_names.clone(),
            Servers::Addresses(all) => all.iter().map(|at| at.host.clone()).collect(),
            Servers::Socket(_) => Vec::new(),
        },
        alpn: &["h2"],
        oldest: TlsVersion::Tls12,
        newest: TlsVersion::Tls13,
    }
}

/// By what name the server is asked for: the first that is one of DNS.
fn server_name(ads: &Ads) -> String {
    let is_name = |name: &&String| !name.contains("://") && name.parse::<std::net::IpAddr>().is_err();
    let said = ads.tls.iter().flat_map(|tls| &tls.server_names);
    let hosts = match (&ads.servers, &ads.tls) {
        (Servers::Addresses(all), Some(_)) => all.as_slice(),
        _ => &[],
    };
    said.chain(hosts.iter().map(|at| &at.host)).find(is_name).cloned().unwrap_or_default()
}

/// Secrets that name files: only of such does Envoy read the files anew when they change.
fn files(tls: &Tls) -> Vec<(String, String)> {
    let certificate = tls.certificate.as_ref().map(|(chain, key)| certificate_files(CERTIFICATE, chain, key));
    let all = certificate.into_iter().chain([authorities_file(AUTHORITIES, &tls.authorities)]);
    all.map(|secret| (format!("{}.yaml", secret.name), served(&secret))).collect()
}

fn served(secret: &Secret) -> String {
    to_yaml(&DiscoveryResponse { resources: vec![::envoy::any(secret)], ..Default::default() })
}

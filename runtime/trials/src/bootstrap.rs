//! What an Envoy starts with that asks a control plane for everything else.

use std::net::SocketAddr;

use anyhow::Context as _;
use compiler::emit::ads::{Servers, Variant as Asked};
use compiler::emit::{Ads, ads_bootstrap};
use control_plane::Variant;
use spec::mesh::HostPort;

use crate::mesh::Compiled;

/// `id` is the proxy's name, or that and `~` and anything.
pub fn bootstrap(compiled: &Compiled, id: &str, servers: &[SocketAddr], variant: Variant) -> anyhow::Result<String> {
    let (name, suffix) = id.split_once('~').map_or((id, None), |(name, suffix)| (name, Some(suffix)));
    let mesh = &compiled.checked;
    let proxy = mesh.proxies().find(|proxy| mesh.proxy_name(*proxy).as_str() == name);
    let proxy = proxy.with_context(|| format!("no proxy is called `{name}`"))?;
    let host_port = |server: &SocketAddr| HostPort { host: server.ip().to_string(), port: server.port() };
    let ads = Ads {
        variant: match variant {
            Variant::StateOfTheWorld => Asked::StateOfTheWorld,
            Variant::Delta => Asked::Delta,
        },
        node_suffix: suffix.map(str::to_owned),
        ..Ads::towards(Servers::Addresses(servers.iter().map(host_port).collect()))
    };
    Ok(envoy::to_yaml(&ads_bootstrap(mesh, proxy, &ads).bootstrap))
}

//! What a gRPC application starts from, as the compiler writes it.

use std::net::SocketAddr;

use compiler::emit::ads::{Ads, Servers, Tls};
use compiler::emit::grpc_bootstrap;
use compiler::{CheckedMesh, check};
use spec::mesh::HostPort;
use spec::{Color, Diagnostics, SourceFile, Sources, Syntax};

use crate::mesh::{CALLER, SERVICE};

pub(crate) fn plain(server: SocketAddr) -> String {
    bootstrap(&[server], None)
}

/// Several control planes that all say the same.
pub(crate) fn with_replicas(servers: &[SocketAddr]) -> String {
    bootstrap(servers, None)
}

/// One control plane, as if a name had two addresses.
pub(crate) fn with_addresses(first: SocketAddr, second: SocketAddr) -> String {
    plain(first).replace(&first.to_string(), &format!("ipv4:{first},{second}"))
}

pub(crate) fn with_tls(server: SocketAddr, tls: Tls) -> String {
    bootstrap(&[server], Some(tls))
}

fn bootstrap(servers: &[SocketAddr], tls: Option<Tls>) -> String {
    let mesh = checked(&format!(
        "mesh \"shop\" {{\nservice \"{SERVICE}\" {{ protocol \"grpc\"; endpoint \"10.0.0.1:50051\"; }}\n\
         node \"orders\" serves=\"{SERVICE}\"\nnode \"{CALLER}\" proxyless=#true calls=\"{SERVICE}\"\n}}"
    ));
    let caller = mesh.proxyless().next().expect("the mesh has one");
    let servers = servers.iter().map(|server| HostPort { host: server.ip().to_string(), port: server.port() });
    let ads = Ads::towards(Servers::Addresses(servers.collect()));
    grpc_bootstrap(&mesh, caller, &Ads { tls, node_suffix: Some("task-1".to_owned()), ..ads })
}

pub(crate) fn checked(text: &str) -> CheckedMesh {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.kdl", text.to_owned()));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics);
    let mesh = mesh.and_then(|mesh| check(&mesh, &sources, &mut diagnostics));
    mesh.unwrap_or_else(|| panic!("{}", spec::render(&diagnostics, &sources, Color::Plain)))
}

//! A mesh from its text: a service with two versions, each behind a real Envoy, and a caller that has none.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use compiler::emit::ads::{Ads, Servers, ads_bootstrap};
use compiler::snapshot::Snapshot;
use compiler::{CheckedMesh, WasmModule};
use envoy::config::core::v3::address::Address;
use envoy::config::core::v3::socket_address::PortSpecifier;
use local::admin::Admin;
use local::process::{EnvoyRun, Supervised, supervise};
use local::subnet::{Claim, Subnet};
use meshwright_control_plane::Published;
use spec::mesh::HostPort;
use tempfile::TempDir;
use tokio::sync::broadcast;

use crate::backend::Backend;
use crate::bootstrap::checked;
use crate::client::PATIENCE;
use crate::control_plane::{ControlPlane, State};
use crate::mesh::{CALLER, SERVICE};

/// All of it runs until this is dropped.
pub(crate) struct Shop {
    pub(crate) control_plane: ControlPlane,
    text: Box<dyn Fn(&str) -> String>,
    _sidecars: Vec<Supervised>,
    _backends: [Backend; 2],
    _addresses: Claim,
    _files: TempDir,
}

struct Text(String);

impl Shop {
    /// Returns when both sidecars take requests, and `version` gets all of them.
    pub(crate) async fn start(version: &str) -> Self {
        let claim = Subnet::claim().expect("there are free addresses");
        let addresses: Vec<_> = claim.subnet().addresses().take(2).collect();
        let backends = [Backend::start("one").await, Backend::start("two").await];
        let nodes: String = backends
            .iter()
            .zip(&addresses)
            .map(|(backend, address)| {
                let (name, upstream) = (backend.name, backend.address);
                format!(
                    "node \"{name}\" {{ bind \"{address}\"; serves \"{SERVICE}\" {{ upstream \"{upstream}\"; }}; }}\n"
                )
            })
            .collect();
        let [first, second] = &addresses[..] else { unreachable!("two were taken") };
        let endpoints = [("one", first), ("two", second)].map(|(version, address)| {
            format!(
                "endpoint \"{address}:50051\" {{ labels {{ version \"{version}\"; }}; }}\n\
                 subset \"{version}\" {{ labels {{ version \"{version}\"; }}; }}\n"
            )
        });
        let endpoints = endpoints.concat();
        let text = move |version: &str| {
            format!(
                "mesh \"shop\" {{\nservice \"{SERVICE}\" {{\nprotocol \"grpc\"\n{endpoints}\
                 route {{ to \"{SERVICE}\" subset=\"{version}\"; }}\n}}\n\
                 {nodes}node \"{CALLER}\" proxyless=#true calls=\"{SERVICE}\"\n}}"
            )
        };
        let files = TempDir::new().expect("there is a place for temporary files");
        let initially = Text(text(version));
        let control_plane = ControlPlane::start(&initially).await;
        let mesh = checked(&initially.0);
        let mut sidecars = Vec::new();
        for (name, address) in ["one", "two"].into_iter().zip(addresses) {
            sidecars.push(sidecar(&mesh, name, address.into(), control_plane.address(), files.path()).await);
        }
        Self {
            control_plane,
            text: Box::new(text),
            _sidecars: sidecars,
            _backends: backends,
            _addresses: claim,
            _files: files,
        }
    }

    pub(crate) fn route_to(&self, version: &str) {
        self.control_plane.tell(&Text((self.text)(version)));
    }
}

impl State for Text {
    fn published(&self) -> Arc<Published> {
        // No filter of this mesh is wasm.
        let module = WasmModule { sha256: String::new(), folder: String::new() };
        Arc::new(Published::of(&Snapshot::of(&checked(&self.0), &module)))
    }
}

async fn sidecar(mesh: &CheckedMesh, name: &str, own: IpAddr, server: SocketAddr, files: &Path) -> Supervised {
    let proxy = mesh.proxies().find(|proxy| mesh.proxy_name(*proxy).to_string() == name).expect("the mesh has it");
    let server = HostPort { host: server.ip().to_string(), port: server.port() };
    let mut bootstrap = ads_bootstrap(mesh, proxy, &Ads::towards(Servers::Addresses(vec![server]))).bootstrap;
    // Several Envoys on one machine cannot all have the port of the mesh for their administration.
    let admin = TcpListener::bind((own, 0)).and_then(|listener| listener.local_addr()).expect("there is a free port");
    let address = bootstrap.admin.as_mut().and_then(|admin| admin.address.as_mut()).and_then(|it| it.address.as_mut());
    let Some(Address::SocketAddress(address)) = address else { panic!("no administration") };
    address.address = own.to_string();
    address.port_specifier = Some(PortSpecifier::PortValue(admin.port().into()));
    let config = files.join(format!("{name}.yaml"));
    std::fs::write(&config, envoy::to_yaml(&bootstrap)).expect("it is writable");
    let run = EnvoyRun {
        name: name.to_owned(),
        binary: local::envoy::find(None).unwrap_or_else(|error| panic!("{error}")),
        config,
        folder: files.to_owned(),
        log: files.join(format!("{name}.log")),
        access_log: files.join(format!("{name}.access.log")),
        log_level: "warning".to_owned(),
        workers: 1,
        admin: Admin::new(admin),
        ready_within: PATIENCE,
    };
    supervise(run, broadcast::channel(16).0).await.unwrap_or_else(|error| panic!("{error}"))
}

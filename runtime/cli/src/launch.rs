//! From a checked mesh to a running one: placed on loopback addresses, compiled, started.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use compiler::emit;
use compiler::emit::ads::{Ads, Servers, ads_bootstrap};
use compiler::lower::Shared;
use local::{Claim, Options, Placement, Plan, Running, Subnet};
use spec::Diagnostics;
use spec::mesh::HostPort;

use crate::exit::{Exit, ExitStatus};
use crate::mesh::Ready;
use crate::module;

/// Where a mesh is placed whose Envoys follow a control plane: `serve --local` and `up --xds` must mean the same
/// addresses.
pub const XDS_SUBNET: &str = "127.80.0.0/24";

/// Addresses to run at, and what holds them for us until the end.
pub struct Addresses {
    pub subnet: Subnet,
    pub claim: Option<Claim>,
}

/// A mesh that runs, and where what of it listens.
pub struct Started {
    pub running: Running,
    pub placement: Placement,
}

/// How Envoys are told what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Everything in one bootstrap.
    Static,
    /// By files that they watch, below `NAME/xds` of the run folder.
    Watched,
    /// By control planes at these addresses.
    Asking(Vec<SocketAddr>),
}

/// Places, compiles and starts a checked mesh. Health checks are hastened, so that the mesh is healthy within seconds;
/// everything else is as `compile` writes it.
pub async fn start(ready: &Ready, addresses: Addresses, options: Options) -> Result<Started, Exit> {
    start_as(Form::Static, ready, addresses, options).await
}

/// The same, in either form.
pub async fn start_as(form: Form, ready: &Ready, addresses: Addresses, mut options: Options) -> Result<Started, Exit> {
    let mut placement = local::place(&ready.mesh, &ready.checked, addresses.subnet)?;
    local::place::hasten_health_checks(&mut placement.mesh);
    let mut diagnostics = Diagnostics::new();
    let Some(placed) = compiler::check(&placement.mesh, &ready.sources, &mut diagnostics) else {
        let findings = spec::render(&diagnostics, &ready.sources, spec::Color::Plain);
        return Err(Exit {
            status: ExitStatus::Internal,
            error: anyhow::anyhow!("the mesh is right, but not at loopback addresses:\n{findings}"),
        });
    };
    let mut configs = BTreeMap::new();
    let mut watched = Vec::new();
    let module = module::in_folder(module::FOLDER);
    match form {
        Form::Static => configs = compiler::compile(&placed, &module),
        Form::Watched => {
            let shared = Shared::default();
            for proxy in placed.proxies() {
                let name = placed.proxy_name(proxy).to_string();
                for (file, text) in emit::watched(&placed, proxy, &module, &shared, &name) {
                    let path = format!("{name}/{file}");
                    match file.as_str() {
                        "envoy.yaml" => drop(configs.insert(path, text)),
                        _ => watched.push((PathBuf::from(path), text.into_bytes())),
                    }
                }
            }
        }
        Form::Asking(servers) => {
            let host_port = |server: SocketAddr| HostPort { host: server.ip().to_string(), port: server.port() };
            let ads = Ads::towards(Servers::Addresses(servers.into_iter().map(host_port).collect()));
            for proxy in placed.proxies() {
                let path = format!("{}/envoy.yaml", placed.proxy_name(proxy));
                drop(configs.insert(path, envoy::to_yaml(&ads_bootstrap(&placed, proxy, &ads).bootstrap)));
            }
        }
    }
    let ours = (module::output_path(), artifacts::MODULE.to_vec());
    let modules = module::of_the_user(&placed).chain([ours]).map(|(path, bytes)| (PathBuf::from(path), bytes));
    let files: BTreeMap<PathBuf, Vec<u8>> = modules.chain(watched).collect();
    options.claim = addresses.claim;
    let plan = Plan::of(placement.clone(), &configs, files)?;
    let running = local::start(plan, options).await.context("the mesh did not start")?;
    Ok(Started { running, placement })
}

impl Addresses {
    /// A range that nobody on this machine uses.
    pub fn claim() -> Result<Self, Exit> {
        let claim = Subnet::claim()?;
        Ok(Self { subnet: claim.subnet(), claim: Some(claim) })
    }
}

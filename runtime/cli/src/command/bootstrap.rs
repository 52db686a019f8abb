//! `meshwright bootstrap`: what an Envoy starts with that asks a control plane, and what it serves without one.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use compiler::emit::ads::{self, Ads, Servers, ads_bootstrap};
use compiler::lower::Shared;
use compiler::{CheckedMesh, Proxy, emit};
use sidecar::plan::{BUNDLE, ENVOY, FALLBACK, PLAN, PlannedTls};
use sidecar::{LastGood, Plan};
use spec::mesh::HostPort;

use super::serve::apart::{Form, placed, snapshot};
use crate::exit::{Exit, ExitStatus};
use crate::input::Input;
use crate::mesh::{Ready, ready};
use crate::module;
use crate::report::Format;
use crate::write::{self, Written};

/// What a gRPC application without a sidecar starts from.
const GRPC: &str = "grpc-xds.json";

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// The node or gateway
    #[arg(long, value_name = "NAME")]
    node: String,
    /// Control planes, separated by commas: each serves the same, the next takes over when one is gone
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', required = true, value_parser = server)]
    xds: Vec<HostPort>,
    /// Folder to write, from which Envoy will run
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Envoy asks `meshwright sidecar` here, which asks control planes: a socket, relative to the folder, or an address of
    /// loopback
    #[arg(long, value_name = "PATH or ADDRESS")]
    socket: Option<String>,
    /// What a control plane sends: what changed, or all of a type every time
    #[arg(long, value_enum, value_name = "VARIANT", default_value = "delta")]
    variant: Variant,
    #[command(flatten)]
    tls: Tls,
    #[command(flatten)]
    form: Form,
}

/// Files as they will be found by whoever asks control planes; relative: from the folder.
#[derive(Args, Debug)]
#[command(next_help_heading = "TLS towards control planes")]
struct Tls {
    /// Certificates of the authorities of control planes
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The node's own certificate
    #[arg(long, value_name = "FILE", requires_all = ["key", "ca"])]
    certificate: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// What the certificates of control planes name; by default the host that is connected to
    #[arg(long, value_name = "NAME", requires = "ca")]
    server_name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Variant {
    Delta,
    /// State of the world
    Sotw,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let Some(ready) = ready(&arguments.input, Format::Text)? else { return Ok(ExitStatus::Invalid) };
    let mesh = mesh(ready, arguments)?;
    let folder = &arguments.output;
    if let Some(application) =
        mesh.proxyless().find(|it| mesh.proxy_name(*it).key() == arguments.node.to_ascii_lowercase())
    {
        let mut written = Report::default();
        written.add(folder, GRPC, emit::grpc_bootstrap(&mesh, application, &ads(arguments)).as_bytes())?;
        written.print()?;
        return Ok(ExitStatus::Ok);
    }
    let proxy = proxy(&mesh, &arguments.node)?;
    let name = mesh.proxy_name(proxy).to_string();

    let asked = ads_bootstrap(&mesh, proxy, &ads(arguments));
    let admin = asked.admin().ok_or_else(|| anyhow::anyhow!("the bootstrap has no administration at an address"))?;
    let mut written = Report::default();
    let envoy = format!(
        "# Envoy bootstrap of {name}, which asks {}. Written by Meshwright. Do not edit.\n{}",
        if arguments.socket.is_some() { "its sidecar" } else { "a control plane" },
        envoy::to_yaml(&asked.bootstrap),
    );
    written.add(folder, ENVOY, envoy.as_bytes())?;
    for (file, text) in &asked.files {
        written.add(folder, file, text.as_bytes())?;
    }
    let module = module::in_folder(arguments.form.module_folder.as_deref().unwrap_or(module::FOLDER));
    let fallback = emit::bootstrap_with(&mesh, proxy, &module, &Shared::default());
    written.add_private(folder, FALLBACK, fallback.as_bytes())?;
    written.add(folder, &module::output_path(), artifacts::MODULE)?;
    for (path, bytes) in module::of_the_user(&mesh) {
        written.add(folder, &path, &bytes)?;
    }
    let bundle = LastGood::bundle(&snapshot(&mesh, &arguments.form), &name);
    let bundle = bundle.ok_or_else(|| anyhow::anyhow!("the snapshot has no `{name}`"))?;
    written.add_private(folder, BUNDLE, &bundle.encode())?;
    written.add(folder, PLAN, plan(arguments, name, admin).text().as_bytes())?;
    written.print()?;
    Ok(ExitStatus::Ok)
}

fn mesh(ready: Ready, arguments: &Arguments) -> Result<CheckedMesh, Exit> {
    match &arguments.form.local {
        Some(range) => {
            let placed = placed(&ready.mesh, &ready.sources, &ready.checked, range);
            placed.map_err(|error| Exit::usage(anyhow::anyhow!(error)))
        }
        None => Ok(ready.checked),
    }
}

/// The node or gateway of a name, in whatever case.
pub(super) fn proxy(mesh: &CheckedMesh, name: &str) -> Result<Proxy, Exit> {
    let found = mesh.proxies().find(|proxy| mesh.proxy_name(*proxy).key() == name.to_ascii_lowercase());
    found.ok_or_else(|| {
        let known: Vec<String> = mesh.proxies().map(|proxy| format!("`{}`", mesh.proxy_name(proxy))).collect();
        Exit::usage(anyhow::anyhow!(
            "no node or gateway with an Envoy is called `{name}`; there are {}",
            known.join(", ")
        ))
    })
}

fn ads(arguments: &Arguments) -> Ads {
    let servers = match &arguments.socket {
        Some(socket) => match HostPort::parse(socket) {
            Some(address) if socket.parse::<SocketAddr>().is_ok() => Servers::Addresses(vec![address]),
            _ => Servers::Socket(socket.clone()),
        },
        None => Servers::Addresses(arguments.xds.clone()),
    };
    let tls = &arguments.tls;
    let encryption = tls.ca.as_ref().filter(|_| arguments.socket.is_none()).map(|ca| ads::Tls {
        authorities: text(ca),
        certificate: tls.certificate.as_ref().zip(tls.key.as_ref()).map(|(chain, key)| (text(chain), text(key))),
        server_names: tls.server_name.iter().cloned().collect(),
        folder: ".".to_owned(),
    });
    let variant = match arguments.variant {
        Variant::Delta => ads::Variant::Delta,
        Variant::Sotw => ads::Variant::StateOfTheWorld,
    };
    Ads { variant, tls: encryption, ..Ads::towards(servers) }
}

fn plan(arguments: &Arguments, proxy: String, admin: SocketAddr) -> Plan {
    let Tls { ca, certificate, key, server_name } = &arguments.tls;
    let tls = ca.clone().map(|ca| PlannedTls {
        ca,
        certificate: certificate.clone(),
        key: key.clone(),
        server_name: server_name.clone(),
    });
    let control_planes = arguments.xds.iter().map(ToString::to_string).collect();
    Plan { proxy, admin, socket: arguments.socket.clone(), control_planes, tls }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(super) fn server(text: &str) -> Result<HostPort, String> {
    HostPort::parse(text).ok_or_else(|| format!("`{text}` is no `HOST:PORT`"))
}

/// The files, as they are listed.
#[derive(Default)]
struct Report {
    lines: String,
}

impl Report {
    fn add(&mut self, folder: &Path, path: &str, bytes: &[u8]) -> Result<(), Exit> {
        self.list(folder, path, write::file(folder, path, bytes)?);
        Ok(())
    }

    /// What holds hashes of passwords, and keys.
    fn add_private(&mut self, folder: &Path, path: &str, bytes: &[u8]) -> Result<(), Exit> {
        self.list(folder, path, write::private_file(folder, path, bytes)?);
        Ok(())
    }

    fn list(&mut self, folder: &Path, path: &str, written: Written) {
        let mark = match written {
            Written::Changed => "wrote",
            Written::Unchanged => "same ",
        };
        // A string takes everything.
        let _ = writeln!(self.lines, "{mark}  {}", folder.join(path).display());
    }

    fn print(&self) -> Result<(), Exit> {
        Ok(write::to_stdout(&self.lines)?)
    }
}

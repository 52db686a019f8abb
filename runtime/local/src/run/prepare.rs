//! What must be true before anything starts: files are written, addresses are free.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::{Files, Folder, InstancePlan, RunFolder, StartError};
use crate::echo::Identity;
use crate::place::{Instance, Workload};

const LEFTOVERS_END_WITHIN: Duration = Duration::from_secs(2);
const LEFTOVERS_POLL: Duration = Duration::from_millis(10);

/// Configurations hold password hashes: the folder is its owner's only. Its path is absolute.
pub(super) fn folder(wanted: &RunFolder) -> Result<Folder, StartError> {
    match wanted {
        RunFolder::Temporary => {
            let write = |source| StartError::Write { path: std::env::temp_dir(), source };
            tempfile::Builder::new().prefix("meshwright-").tempdir().map(Folder::Temporary).map_err(write)
        }
        RunFolder::At(path) => {
            let write = |source| StartError::Write { path: path.clone(), source };
            create(path)?;
            path.canonicalize().map(Folder::Kept).map_err(write)
        }
    }
}

/// How long an address is waited for that is still taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Anybody may hold it, for as long as they like.
    None,
    /// In a claimed range only what was left of a killed run can hold it, and that is ending.
    Leftovers,
}

/// Binds the workloads' sockets, in order.
pub(super) async fn workloads(workloads: &[Workload], patience: Patience) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::new();
    for workload in workloads {
        let address = workload.listen;
        let taken = |source| StartError::Taken { address, wanted_by: wanted_by(workload), source };
        listeners.push(bind(address, patience).await.map_err(taken)?);
    }
    Ok(listeners)
}

/// Envoys share their sockets (`SO_REUSEPORT`), so two that meet on one address would not notice.
pub(super) async fn check_addresses(instances: &[InstancePlan], patience: Patience) -> Result<(), StartError> {
    let mut held = Vec::new();
    for InstancePlan { instance, .. } in instances {
        for port in &instance.ports {
            let address = SocketAddr::new(instance.address, port.number);
            let wanted_by = || format!("`{}` ({})", instance.name, port.purpose);
            let taken = |source| StartError::Taken { address, wanted_by: wanted_by(), source };
            // Held until all are tried: two instances of this plan must not meet either.
            held.push(bind(address, patience).await.map_err(taken)?);
        }
    }
    Ok(())
}

async fn bind(address: SocketAddr, patience: Patience) -> io::Result<TcpListener> {
    let deadline = Instant::now() + LEFTOVERS_END_WITHIN;
    loop {
        match TcpListener::bind(address).await {
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && patience == Patience::Leftovers
                    && Instant::now() < deadline =>
            {
                sleep(LEFTOVERS_POLL).await;
            }
            bound => return bound,
        }
    }
}

/// Writes the shared files, which must lie inside the folder.
pub(super) fn files(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<(), StartError> {
    for (path, bytes) in files {
        let inside = path.components().all(|component| matches!(component, Component::Normal(_)));
        if !inside || path.as_os_str().is_empty() {
            return Err(StartError::OutsideFolder(path.clone()));
        }
        write(&folder.join(path), bytes)?;
    }
    Ok(())
}

/// Writes an instance's configuration and empties its logs.
pub(super) fn instance(folder: &Path, instance: &Instance, config: &str) -> Result<Files, StartError> {
    // Names may hold `/`; `~` they never do.
    let home = folder.join("instances").join(instance.name.as_str().replace('/', "~"));
    let files =
        Files { config: home.join("envoy.yaml"), log: home.join("envoy.log"), access_log: home.join("access.log") };
    write(&files.config, config.as_bytes())?;
    write(&files.log, b"")?;
    write(&files.access_log, b"")?;
    Ok(files)
}

pub(super) fn identity(workload: &Workload) -> Identity {
    Identity {
        node: workload.node.as_ref().map(ToString::to_string),
        service: workload.service.to_string(),
        endpoint: workload.original.to_string(),
    }
}

pub(super) fn wanted_by(workload: &Workload) -> String {
    format!("the application of `{}` ({})", workload.service, workload.original)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StartError> {
    path.parent().map_or(Ok(()), create)?;
    std::fs::write(path, bytes).map_err(|source| StartError::Write { path: path.to_owned(), source })
}

fn create(folder: &Path) -> Result<(), StartError> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|source| StartError::Write { path: folder.to_owned(), source })
}

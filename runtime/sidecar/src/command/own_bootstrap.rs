//! A sidecar without a bootstrap: it finds out which task it is in, and asks control planes as that task. With one, nothing
//! here has a meaning.
//!
//! What bent's image takes from its environment is taken here, too, so that a task definition changes its image alone.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use local::launch::Tie;
use spec::Name;

use super::{Beside, CommandError, absolute, file_name, host_name, tls};
use crate::link::ControlPlanes;
use crate::own::{self, Own, SOCKET};
use crate::plan::{BUNDLE, Plan};
use crate::run::Options;
use crate::supervise::Budget;
use crate::task::{self, Patience, Task};

#[derive(Args, Debug)]
#[command(next_help_heading = "Without a bootstrap")]
pub(super) struct Alone {
    /// The node or gateway; by default the task definition's, `FAMILY/REVISION`
    #[arg(long, env = "MESHWRIGHT_NODE", value_name = "NAME")]
    node: Option<String>,
    /// Folder for the bootstrap, the socket and what Envoy acknowledged; by default $STATE_DIRECTORY, or
    /// /var/lib/meshwright
    #[arg(long, env = "MESHWRIGHT_FOLDER", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Where Envoy's administration binds, on port 9901: for trials with several tasks on one machine
    #[arg(long, value_name = "ADDRESS", hide = true)]
    bind: Option<IpAddr>,
}

const FOLDER: &str = "/var/lib/meshwright";
/// Where bent's control plane listens unless it is said otherwise.
const BENT_PORT: &str = "50000";
/// What bent's image reads and has no meaning here.
const BENT_IGNORED: [&str; 8] = [
    "ENVOY_ADMIN_IP",
    "ENVOY_ADMIN_PORT",
    "ENVOY_AUTHZ_ADDRESS",
    "ENVOY_JAEGER_AGENT_HOST",
    "ENVOY_NODE_CLUSTER",
    "ENVOY_XDS_CONNECT_TIMEOUT_SECS",
    "ENVOY_XDS_KEEPALIVE_PROBES",
    "ENVOY_XDS_REFRESH_DELAY_SECS",
];

pub(super) async fn options(beside: &Beside, mut starter: Vec<OsString>) -> Result<Options, CommandError> {
    let servers = servers(beside)?;
    let (name, task) = who(beside).await?;
    let own = Own {
        name: name.clone(),
        bind: beside.own.bind,
        region: task.as_ref().and_then(|task| task.region.clone()),
        zone: said("ENVOY_NODE_ZONE").or_else(|| task.as_ref().and_then(|task| task.zone.clone())),
    };
    let chosen = beside.own.folder.clone().or_else(|| beside.state.clone());
    let folder = chosen.unwrap_or_else(|| PathBuf::from(FOLDER));
    let admin = own::write(&own, &folder)?;
    let folder = folder.canonicalize()?;
    let plan = Plan { proxy: name.to_string(), admin, socket: None, control_planes: Vec::new(), tls: None };
    starter.push("become".into());
    let state = beside.state.clone().unwrap_or_else(|| folder.join("state"));
    let suffix = beside.task.clone().or_else(|| task.as_ref().map(Task::name));
    let options = Options {
        state: Some(state.join(format!("{}.last-good", file_name(&plan.proxy)))),
        bundle: beside.bundle.clone().unwrap_or_else(|| folder.join(BUNDLE)),
        socket: SOCKET.to_owned(),
        control_planes: ControlPlanes { servers, tls: tls(beside, &plan, &folder)? },
        health: beside.health,
        admin,
        envoy: absolute(&local::find(beside.envoy.as_deref())?),
        arguments: bents_arguments().into_iter().chain(beside.arguments.iter().cloned()).collect(),
        tie: Tie::Through(starter),
        drain: beside.drain,
        budget: Budget::new(beside.restarts, beside.restarts_within),
        task: suffix.unwrap_or_else(host_name),
        proxy: plan.proxy,
        folder,
    };
    let ignored: Vec<&str> = BENT_IGNORED.into_iter().filter(|name| said(name).is_some()).collect();
    if !ignored.is_empty() {
        tracing::warn!("{} is set, and has no meaning for this sidecar", ignored.join(", "));
    }
    tracing::info!(node = %options.proxy, task = %options.task, "the sidecar makes a bootstrap of its own");
    Ok(options)
}

fn servers(beside: &Beside) -> Result<Vec<String>, CommandError> {
    if !beside.xds.is_empty() {
        return Ok(beside.xds.clone());
    }
    let host = said("ENVOY_XDS_HOST").ok_or_else(|| {
        let message = "no control plane is said: give `--xds HOST:PORT` or MESHWRIGHT_XDS, or `--bootstrap` with a folder \
                       that `meshwright bootstrap` wrote";
        CommandError::Usage(message.to_owned())
    })?;
    let port = said("ENVOY_XDS_PORT").unwrap_or_else(|| BENT_PORT.to_owned());
    Ok(vec![format!("{host}:{port}")])
}

/// The node's name, and the task if this is one. Whoever says the name needs no task.
async fn who(beside: &Beside) -> Result<(Name, Option<Task>), CommandError> {
    let given = beside.own.node.clone().or_else(|| said("ENVOY_NODE_ID"));
    let uri = task::VARIABLES.into_iter().find_map(said);
    let task = match uri {
        None => None,
        Some(uri) => match task::of(&uri, Patience::default()).await {
            Ok(task) => Some(task),
            Err(error) if given.is_some() => {
                tracing::warn!(%error, "the task is told from others by the name of its host");
                None
            }
            Err(error) => return Err(error.into()),
        },
    };
    let name = given.or_else(|| task.as_ref().map(Task::node)).ok_or_else(|| {
        let message =
            format!("this is no task of ECS ({} is not set): give `--node NAME`", task::VARIABLES.join(" or "));
        CommandError::Usage(message)
    })?;
    let valid = Name::new(&name).ok_or_else(|| CommandError::Usage(format!("`{name}` is no name of a node")))?;
    Ok((valid, task))
}

fn bents_arguments() -> Vec<OsString> {
    let level = said("ENVOY_LOG_LEVEL").into_iter().flat_map(|level| ["--log-level".to_owned(), level]);
    let others = said("ENVOY_ARGS").unwrap_or_default();
    level.chain(others.split_whitespace().map(str::to_owned)).map(OsString::from).collect()
}

fn said(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

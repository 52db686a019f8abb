//! Adds the sidecar to a task definition, or brings an earlier one, or App Mesh's, up to date. Patching twice is patching
//! once.

pub(super) mod application;
pub(super) mod interception;
mod replaced;

use spec::mesh::HostPort;
use spec::{Diagnostic, Diagnostics, FileId, Sources, Span, codes};

use super::json::{Data, Json};
use super::read::{containers, read};
use super::sidecar::{self, Kind, NAME, NODE, XDS, find, is_log_router, waited_for};
use super::wanted::Wanted;
use crate::checked::{CheckedMesh, Proxy};

/// Where the sidecar keeps what Envoy acknowledged; everything else of its file system is read only.
pub(super) const STATE: &str = "/var/lib/meshwright";
/// Where a bootstrap is found that came with a volume.
const BOOTSTRAP: &str = "/etc/meshwright";
const OPEN_FILES: u64 = 65_536;
/// Seconds: 20 to drain, and some to end.
const STOP_TIMEOUT: u64 = 30;

/// What a task needs to know that no mesh says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The sidecar's image. None: that of the earlier sidecar.
    pub image: Option<String>,
    /// Control planes. None: those of the earlier sidecar.
    pub xds: Vec<HostPort>,
    /// The volume that has what `meshwright bootstrap` wrote. None: the sidecar makes its own bootstrap.
    pub bootstrap_volume: Option<String>,
}

/// The task definition with the sidecar of a node or gateway. `None` if there were errors.
pub fn patch(
    file: FileId,
    mesh: &CheckedMesh,
    proxy: Proxy,
    options: &Options,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let mut document = read(file, sources, diagnostics)?;
    let wanted = Wanted::of(mesh, proxy);
    let mut found = Diagnostics::new();
    patched(&mut document.definition, &wanted, options, &mut found);
    let right = !found.has_errors();
    diagnostics.extend(found);
    right.then(|| document.print())
}

/// How containers of a task are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Awsvpc,
    Bridge,
    Host,
    None,
}

impl Network {
    pub(super) fn of(definition: &Json) -> Self {
        let fargate = definition.list_of("requiresCompatibilities").iter().any(|it| it.as_text() == Some("FARGATE"));
        let is_computed = definition.get("networkMode").is_some_and(|mode| mode.as_text().is_none());
        match definition.text_of("networkMode") {
            Some("awsvpc") => Self::Awsvpc,
            Some("host") => Self::Host,
            Some("none") => Self::None,
            // What nobody says is refused by Fargate, which has nothing else; what CloudFormation computes is the usual.
            None if fargate || is_computed => Self::Awsvpc,
            _ => Self::Bridge,
        }
    }
}

fn patched(definition: &mut Json, wanted: &Wanted, options: &Options, diagnostics: &mut Diagnostics) {
    let network = Network::of(definition);
    if network == Network::None {
        let diagnostic = Diagnostic::of(
            codes::TASK_NETWORK,
            definition.span_of("networkMode"),
            "a task without a network has no mesh",
        );
        diagnostics.push(diagnostic.help("write `\"networkMode\": \"awsvpc\"`"));
        return;
    }
    let Some(name) = place_for_sidecar(definition, diagnostics) else { return };
    // A container that logs through another one starts after it.
    let log = containers(definition)
        .iter()
        .filter(|it| it.text_of("name") != Some(&name) && !is_log_router(it))
        .find_map(|it| it.get("logConfiguration").cloned());
    let earlier = waited_for(definition, &name);
    let Some(list) = definition.list_mut("containerDefinitions") else { return };
    for container in list {
        match container.text_of("name") {
            Some(its) if its == name => {
                sidecar_container(container, wanted, options, network, log.as_ref(), diagnostics);
            }
            Some(its) if !is_log_router(container) && !earlier.contains(its) => {
                application::connect(container, &name, wanted, network);
            }
            _ => {}
        }
    }
    volume(definition, NAME);
    if let Some(volume) = &options.bootstrap_volume
        && !definition.list_of("volumes").iter().any(|it| it.text_of("name") == Some(volume))
    {
        let message = format!("the task has no volume `{}`", spec::diagnostic::quote(volume));
        let diagnostic = Diagnostic::of(codes::SIDECAR_CONTAINER, definition.span_of("volumes"), message);
        let help = "add it to `volumes`, with what `meshwright bootstrap --socket` wrote in it";
        diagnostics.push(diagnostic.help(help));
    }
    interception::set(definition, &name, wanted, network, diagnostics);
    application::remarks(definition, wanted, network, diagnostics);
}

/// The name of the container that is, or becomes, the sidecar.
fn place_for_sidecar(definition: &mut Json, diagnostics: &mut Diagnostics) -> Option<String> {
    let found = find(definition);
    let at = Span { end: definition.span.start, ..definition.span };
    let list = definition.list_mut("containerDefinitions")?;
    if let Some((index, kind)) = found {
        let container = list.get_mut(index)?;
        if kind == Kind::Foreign {
            replaced::take_over(container, diagnostics);
        }
        return Some(container.text_of("name").unwrap_or(NAME).to_owned());
    }
    if let Some(taken) = list.iter().find(|it| it.text_of("name") == Some(NAME)) {
        let message = format!("a container is called `{NAME}`, and is not the sidecar");
        let diagnostic = Diagnostic::of(codes::SIDECAR_CONTAINER, taken.span_of("name"), message);
        diagnostics.push(diagnostic.help("give it another name"));
        return None;
    }
    list.push(Json::map([("name", Json::text(NAME, at))], at));
    Some(NAME.to_owned())
}

/// What is said of a container that is there stays, but for what the mesh needs.
fn sidecar_container(
    container: &mut Json,
    wanted: &Wanted,
    options: &Options,
    network: Network,
    log: Option<&Json>,
    diagnostics: &mut Diagnostics,
) {
    let at = Span { end: container.span.start, ..container.span };
    match &options.image {
        Some(image) => container.set("image", Json::text(image, at)),
        None if container.get("image").is_none() => {
            missing("no image is said for the sidecar", "add `--image IMAGE`", at, diagnostics)
        }
        None => {}
    }
    container.set("essential", Json::bool(true, at));
    let mut command = vec!["sidecar"];
    if options.bootstrap_volume.is_some() {
        command.extend(["--bootstrap", BOOTSTRAP]);
    }
    let begins = |container: &Json| {
        let said = container.list_of("command");
        said.len() >= command.len() && said.iter().zip(&command).all(|(said, word)| said.as_text() == Some(word))
    };
    if !begins(container) {
        container.set("command", texts(&command, at));
    }
    let servers: Vec<String> = options.xds.iter().map(ToString::to_string).collect();
    if !servers.is_empty() {
        set_variable(container, XDS, &servers.join(","), at);
    } else if sidecar::variable(container, XDS).is_none() {
        missing("no control plane is said", "add `--xds HOST:PORT`", at, diagnostics);
    }
    // Behind a bridge each task is a node of its own: its ports are its own.
    if network != Network::Bridge || wanted.is_gateway {
        set_variable(container, NODE, &wanted.name, at);
    }
    set_variable(container, "STATE_DIRECTORY", STATE, at);
    container.set("user", Json::text(wanted.user.to_string(), at));
    for port in &wanted.inbound {
        map_port(container, *port, network, at);
    }
    health_check(container, at);
    open_files(container, at);
    mount(container, NAME, STATE, false, at);
    if let Some(volume) = &options.bootstrap_volume {
        mount(container, volume, BOOTSTRAP, true, at);
    }
    container.set_unless_said("readonlyRootFilesystem", Json::bool(true, at));
    container.set_unless_said("linuxParameters", Json::map([("initProcessEnabled", Json::bool(false, at))], at));
    if container.get("memory").is_none() {
        container.set_unless_said("memoryReservation", Json::number(wanted.megabytes, at));
    }
    container.set_unless_said("stopTimeout", Json::number(STOP_TIMEOUT, at));
    if let Some(log) = log {
        container.set_unless_said("logConfiguration", log.clone());
    }
}

fn missing(message: &str, help: &str, at: Span, diagnostics: &mut Diagnostics) {
    diagnostics.push(Diagnostic::error(codes::SIDECAR_CONTAINER, at, message).help(help));
}

/// Asks the sidecar, in the words of this version; how often is the user's to change.
fn health_check(container: &mut Json, at: Span) {
    let command = texts(&["CMD", "meshwright", "sidecar", "health"], at);
    match container.get_mut("healthCheck").filter(|check| matches!(check.data, Data::Map(_))) {
        Some(check) => check.set("command", command),
        None => {
            let seconds = |number: u64| Json::number(number, at);
            let check = [
                ("command", command),
                ("interval", seconds(5)),
                ("timeout", seconds(2)),
                ("retries", seconds(3)),
                ("startPeriod", seconds(10)),
            ];
            container.set("healthCheck", Json::map(check, at));
        }
    }
}

fn open_files(container: &mut Json, at: Span) {
    let Some(limits) = container.list_mut("ulimits") else { return };
    let limit = || Json::number(OPEN_FILES, at);
    match limits.iter_mut().find(|it| it.text_of("name") == Some("nofile")) {
        Some(files) => {
            for key in ["softLimit", "hardLimit"] {
                if files.number_of(key).is_none_or(|said| said < OPEN_FILES) {
                    files.set(key, limit());
                }
            }
        }
        None => limits
            .push(Json::map([("name", Json::text("nofile", at)), ("softLimit", limit()), ("hardLimit", limit())], at)),
    }
}

/// A port that other machines dial. Behind a bridge the host chooses its own, so that tasks can share a host.
fn map_port(container: &mut Json, port: u16, network: Network, at: Span) {
    let Some(mappings) = container.list_mut("portMappings") else { return };
    if mappings.iter().any(|it| it.number_of("containerPort") == Some(u64::from(port))) {
        return;
    }
    let mut mapping = Json::map([("containerPort", Json::number(port, at))], at);
    match network {
        Network::Bridge => mapping.set("hostPort", Json::number(0, at)),
        Network::Host => mapping.set("hostPort", Json::number(port, at)),
        Network::Awsvpc | Network::None => {}
    }
    mapping.set("protocol", Json::text("tcp", at));
    mappings.push(mapping);
}

fn mount(container: &mut Json, volume: &str, path: &str, read_only: bool, at: Span) {
    let Some(mounts) = container.list_mut("mountPoints") else { return };
    if !mounts.iter().any(|it| it.text_of("containerPath") == Some(path)) {
        let mut mount =
            Json::map([("sourceVolume", Json::text(volume, at)), ("containerPath", Json::text(path, at))], at);
        if read_only {
            mount.set("readOnly", Json::bool(true, at));
        }
        mounts.push(mount);
    }
}

/// A volume as long-lived as the task.
fn volume(definition: &mut Json, name: &str) {
    let at = definition.span;
    let Some(volumes) = definition.list_mut("volumes") else { return };
    if !volumes.iter().any(|it| it.text_of("name") == Some(name)) {
        volumes.push(Json::map([("name", Json::text(name, at))], at));
    }
}

fn set_variable(container: &mut Json, name: &str, value: &str, at: Span) {
    let Some(environment) = container.list_mut("environment") else { return };
    match environment.iter_mut().find(|pair| pair.text_of("name") == Some(name)) {
        Some(pair) => pair.set("value", Json::text(value, at)),
        None => environment.push(Json::map([("name", Json::text(name, at)), ("value", Json::text(value, at))], at)),
    }
}

fn texts(words: &[&str], at: Span) -> Json {
    Json::list(words.iter().map(|word| Json::text(*word, at)).collect(), at)
}

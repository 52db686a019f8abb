//! What is wrong with a task definition for a mesh: everything at once, each at its place.

mod container;
mod foreign;
mod health;
mod interception;
mod memory;
mod order;
mod owner;
mod ports;
mod secrets;

use spec::{Diagnostic, Diagnostics, FileId, Sources, Span, codes};

use super::json::Json;
use super::patch::Network;
use super::patch::application::behind_a_bridge;
use super::read::{containers, read};
use super::sidecar::{Kind, find, is_log_router, waited_for};
use super::wanted::Wanted;
use crate::checked::{CheckedMesh, Proxy};

/// What ECS registers, in bytes.
const MAX_SIZE: usize = 64 * 1024;

/// Finds every mistake. No value of a variable is in what it says.
pub fn check(file: FileId, mesh: &CheckedMesh, proxy: Proxy, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Some(document) = read(file, sources, diagnostics) else { return };
    let (definition, wanted) = (&document.definition, &Wanted::of(mesh, proxy));
    let task = Task::of(definition, wanted);
    container::check(&task, diagnostics);
    network(&task, diagnostics);
    ports::check(&task, diagnostics);
    interception::check(&task, diagnostics);
    order::check(&task, diagnostics);
    memory::check(&task, diagnostics);
    health::check(&task, diagnostics);
    foreign::check(&task, diagnostics);
    secrets::check(&task, diagnostics);
    owner::check(&task, diagnostics);
    let size = definition.size();
    if size > MAX_SIZE {
        let message = format!("the task definition has {size} bytes; ECS takes {MAX_SIZE}");
        diagnostics.push(
            Diagnostic::of(codes::TASK_SIZE, start(definition), message).help(
                "move long values to Parameter Store or to files, and name them in `secrets` or `environmentFiles`",
            ),
        );
    }
}

/// A task definition, and who is who in it.
struct Task<'t> {
    definition: &'t Json,
    wanted: &'t Wanted,
    network: Network,
    is_fargate: bool,
    /// Ours.
    sidecar: Option<&'t Json>,
    /// What stands where ours should.
    foreign: Option<&'t Json>,
    /// Everything else.
    applications: Vec<&'t Json>,
}

impl<'t> Task<'t> {
    fn of(definition: &'t Json, wanted: &'t Wanted) -> Self {
        let found = find(definition);
        let at = |kind| found.filter(|(_, its)| *its == kind).and_then(|(index, _)| containers(definition).get(index));
        let others =
            containers(definition).iter().enumerate().filter(|(index, _)| found.map(|it| it.0) != Some(*index));
        let fargate = |it: &Json| it.as_text() == Some("FARGATE");
        Self {
            definition,
            wanted,
            network: Network::of(definition),
            is_fargate: definition.list_of("requiresCompatibilities").iter().any(fargate),
            sidecar: at(Kind::Ours),
            foreign: at(Kind::Foreign),
            applications: others.map(|(_, container)| container).collect(),
        }
    }

    /// Applications that may wait for the sidecar.
    fn waiting(&self, sidecar: &str) -> impl Iterator<Item = &'t Json> {
        let earlier = waited_for(self.definition, sidecar);
        let all = self.applications.iter().copied();
        all.filter(move |it| !is_log_router(it) && !earlier.contains(name(it)))
    }
}

fn network(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let at = task.definition.get("networkMode").map_or(start(task.definition), |it| it.span);
    let finding = |message: &str| Diagnostic::of(codes::TASK_NETWORK, at, message);
    match task.network {
        Network::Awsvpc => {}
        _ if task.is_fargate => {
            diagnostics.push(
                finding("Fargate has no other network mode than `awsvpc`").help("write `\"networkMode\": \"awsvpc\"`"),
            );
        }
        Network::None => {
            diagnostics
                .push(finding("a task without a network has no mesh").help("write `\"networkMode\": \"awsvpc\"`"));
        }
        Network::Bridge if !task.wanted.is_gateway => behind_a_bridge(task.definition, task.wanted, diagnostics),
        Network::Bridge => {}
        Network::Host => {
            let message = "in network mode `host` an instance can run one such task: ports are the instance's own";
            diagnostics.push(
                Diagnostic::warning(codes::TASK_NETWORK, at, message).help(
                    "use network mode `awsvpc`, or say `distinctInstance` in the service's placement constraints",
                ),
            );
        }
    }
}

/// What a container is called; every one has a name.
fn name(container: &Json) -> &str {
    container.text_of("name").unwrap_or("")
}

fn is_essential(container: &Json) -> bool {
    container.bool_of("essential").unwrap_or(true)
}

/// The place where something begins: a whole container is no place.
fn start(value: &Json) -> Span {
    Span { end: value.span.start, ..value.span }
}

/// Where a key's value stands; where it is absent, the name of the container.
fn place(container: &Json, key: &str) -> Span {
    container.get(key).or_else(|| container.get("name")).map_or(start(container), |value| value.span)
}

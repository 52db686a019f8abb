//! What runs on ECS becomes a part of the mesh: tasks are endpoints, and what they say of themselves are services.
//!
//! ```text
//! Observation ─ lifecycle: who may get requests, at which address ─▶ World ─ claims: what tasks say ─ owners ─▶ Mesh
//! ```
//!
//! Whatever a task says, only that task is left out for it: it is quarantined, with the reason.

mod lifecycle;
mod nightjar;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use spec::load::Files;
use spec::{Diagnostics, FileId, Mesh, Sources};

use crate::observation::text::Located;

/// How an observation is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Tasks run on this machine, at loopback addresses: each becomes a node of its own, whose Envoy binds to its address.
    pub tasks_here: bool,
}

/// What came of joining, apart from the mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Other names under which an Envoy may ask: `CLUSTER/TASK-ID`, `FAMILY/REVISION`, `FAMILY` → the name of its node or
    /// gateway.
    pub aliases: BTreeMap<String, String>,
    /// In the order of the observation.
    pub quarantined: Vec<Quarantined>,
    /// Tasks that may get requests, each once, whatever they serve.
    pub routable: usize,
}

/// A task, or all tasks of a task definition, whose words are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The task definition's `FAMILY:REVISION`, or the task's ARN.
    pub who: String,
    /// One line; no value of a label is in it.
    pub reason: String,
}

/// What a mesh needs to know of AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Names or ARNs of ECS clusters.
    pub clusters: BTreeSet<String>,
    /// Namespaces and services of Cloud Map.
    pub cloud_map: BTreeSet<(String, String)>,
}

/// Adds what runs to a mesh, applies annotations, reads the files that are named and checks, until nothing that a task
/// says is refused: of the mesh's own mistakes nothing is hidden. The mesh comes as it was decoded.
pub fn join(
    mesh: Mesh,
    observed: &Located,
    options: &Options,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> (Mesh, Joined) {
    let _ = (files, sources);
    let (mut mesh, mut joined) = (mesh, Joined::default());
    let world = world::World::of(observed, options);
    let input = nightjar::Input {
        world: &world,
        observed,
        tasks_here: options.tasks_here,
        left_out: &|_, _| false,
        may_claim: &|_, _, _, _| true,
    };
    nightjar::add(&input, &mut mesh, &mut joined.aliases, diagnostics);
    (mesh, joined)
}

/// A mesh of nothing but what runs.
pub fn import(
    file: FileId,
    options: &Options,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<(Mesh, Joined)> {
    let observed = crate::observation::text::read(file, sources, diagnostics)?;
    let name = spec::Spanned::new(spec::Name::new("ecs")?, spec::Span::new(file, 0, 0));
    Some(join(Mesh::named(name), &observed, options, files, sources, diagnostics))
}

/// What `serve` and `discover` have to ask AWS for.
pub fn wants(mesh: &Mesh) -> Wants {
    let _ = mesh;
    Wants::default()
}

/// Whether a docker label is read: `envoy.service.…` (bent), `meshwright.…`.
pub fn reads_label(key: &str) -> bool {
    key.starts_with("envoy.service.") || key.starts_with("meshwright.")
}

/// Whether a tag of a task or a task definition is read.
pub fn reads_tag(key: &str) -> bool {
    key.starts_with("NJ_") || key.starts_with("meshwright.")
}

/// Whether a variable of a container is read. Variables hold secrets: no other one is even recorded.
pub fn reads_variable(name: &str) -> bool {
    const NUMBERED: [&str; 11] = [
        "SERVICE_ARN_",
        "SERVICE_PATH_",
        "SERVICE_CONTAINER_",
        "SERVICE_PORT_",
        "SERVICE_CLUSTER_",
        "CONTAINER_NAME_",
        "CONTAINER_PATH_",
        "CONTAINER_PORT_",
        "TASK_NAME_",
        "TASK_PATH_",
        "TASK_PORT_",
    ];
    const ALONE: [&str; 4] = ["CLUSTER", "CURRENT_SERVICE_ARN", "EGRESS_LISTEN_PORT", "INGRESS_LISTEN_PORT"];
    let numbered = |prefix: &&str| {
        name.strip_prefix(*prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.starts_with("NJ_") || ALONE.contains(&name) || NUMBERED.iter().any(|prefix| numbered(prefix))
}

//! What runs on ECS becomes a part of the mesh: tasks are endpoints, and what they say of themselves are services.
//!
//! ```text
//! Observation ─ lifecycle: who may get requests, at which address ─▶ World ─ claims: what tasks say ─ owners ─▶ Mesh
//! ```
//!
//! Whatever a task says, only that task is left out for it: it is quarantined, with the reason.

mod assemble;
mod homes;
mod lifecycle;
mod nightjar;
mod nodes;
mod owners;
mod places;
mod quarantine;
mod rounds;
mod standing;
mod targets;
mod told;
mod words;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use spec::load::Files;
use spec::{Code, Diagnostic, Diagnostics, FileId, Mesh, Sources, Spanned, codes};

use self::assemble::Finding;
use self::quarantine::{LeftOut, Records};
use self::rounds::{Attempt, Reading};
use self::world::World;
use crate::annotation;
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
    /// In the order of whom it concerns.
    pub quarantined: Vec<Quarantined>,
    /// Tasks that may get requests, each once, whatever they serve.
    pub routable: usize,
    /// How often the mesh was put together before nothing in it was refused.
    pub rounds: usize,
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
///
/// Findings of annotations and files are in `diagnostics`; those of [`crate::check`] are for whoever calls it.
pub fn join(
    mesh: Mesh,
    observed: &Located,
    options: &Options,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> (Mesh, Joined) {
    // Annotations of the mesh may name files; those of tasks may not.
    let mut alone = mesh.clone();
    annotation::apply(&mut alone, &mut Diagnostics::new());
    spec::load::attach(&alone, files, sources, diagnostics);
    drop(alone);

    let world = World::of(observed, options);
    let mut quarantined = world.quarantined.clone();
    let told = told::tell(&world, &told::vocabularies(mesh.ecs.as_ref()), &mut quarantined);
    let records = Records::of(observed, &told);
    let mut left_out = LeftOut::nothing(&records);
    let reading = Reading { mesh: &mesh, observed, options, world: &world, told: &told, records: &records, sources };
    let (attempt, rounds) = rounds::settle(&reading, &mut left_out, &mut quarantined);
    let Attempt { draft, applied, .. } = attempt;
    // bent knows no other words: what to write instead is no use to its users.
    let in_observation = |it: &Diagnostic| it.span().map(|span| span.file) == records.file();
    diagnostics.extend(applied.into_iter().filter(|it| it.code != codes::DEPRECATED || !in_observation(it)));
    let mut joined = report(draft.findings, quarantined, &world, draft.aliases, diagnostics);
    joined.rounds = rounds;
    (draft.mesh, joined)
}

/// Says what was left out, once each, in the order of whom it concerns.
fn report(
    findings: BTreeSet<Finding>,
    quarantined: Vec<Spanned<Quarantined>>,
    world: &World<'_>,
    aliases: BTreeMap<String, String>,
    diagnostics: &mut Diagnostics,
) -> Joined {
    let mut findings: Vec<Finding> = findings.into_iter().collect();
    let finding = |code: Code, it: Spanned<Quarantined>| Finding {
        code,
        who: it.value.who,
        reason: it.value.reason,
        span: it.span,
    };
    findings.extend(quarantined.into_iter().map(|it| finding(codes::QUARANTINED_TASK, it)));
    findings.extend(world.unreachable.iter().cloned().map(|it| finding(codes::UNREACHABLE_TASK, it)));
    findings.sort_by(|one, other| (&one.who, one).cmp(&(&other.who, other)));
    findings.dedup();
    let mut quarantined = Vec::new();
    for Finding { code, who, reason, span } in findings {
        diagnostics.push(Diagnostic::of(code, span, format!("`{who}`: {reason}")));
        if [codes::QUARANTINED_TASK, codes::NOT_THE_OWNER, codes::AMBIGUOUS_TASK].contains(&code) {
            quarantined.push(Quarantined { who, reason });
        }
    }
    Joined { aliases, quarantined, routable: world.tasks.len(), rounds: 0 }
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
    let name = Spanned::new(spec::Name::new("ecs")?, spec::Span::new(file, 0, 0));
    Some(join(Mesh::named(name), &observed, options, files, sources, diagnostics))
}

/// What `serve` and `discover` have to ask AWS for.
pub fn wants(mesh: &Mesh) -> Wants {
    let mut wants = Wants::default();
    let said = mesh.ecs.iter().flat_map(|ecs| &ecs.clusters);
    wants.clusters.extend(said.map(|cluster| cluster.value.clone()));
    for service in &mesh.services {
        if let Some(ecs) = &service.ecs {
            let usual = places::usual_cluster(mesh.ecs.as_ref());
            wants.clusters.insert(ecs.cluster.as_ref().map_or(usual, |cluster| &cluster.value).to_owned());
        }
        if let Some(cloud_map) = &service.cloud_map {
            wants.cloud_map.insert((cloud_map.namespace.value.clone(), cloud_map.service.value.clone()));
        }
    }
    // All of the account are these, too; one that is not there would be missed.
    if wants.clusters.contains("*") {
        wants.clusters.retain(|cluster| cluster == "*");
    }
    wants
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
    name.starts_with("NJ_") || ALONE.contains(&name) || NUMBERED.iter().any(numbered)
}

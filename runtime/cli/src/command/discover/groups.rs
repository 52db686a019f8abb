//! What runs, by cluster and service: how many, where they are reached, and whether they say anything to a mesh.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use comfy_table::{Table, presets};
use compiler::observation::{NetworkMode, Observation, Task, TaskDefinition, last};
use serde::Serialize;

/// Tasks of one ECS service, or of one family that is started by hand.
#[derive(Debug, Default, Serialize)]
struct Group {
    cluster: String,
    /// `FAMILY (no service)` for tasks that no service started.
    service: String,
    tasks: usize,
    running: usize,
    /// How they are reached.
    addresses: BTreeSet<&'static str>,
    /// Whose words are on them.
    says: BTreeSet<&'static str>,
}

#[derive(Serialize)]
struct Whole {
    region: String,
    clusters: Vec<String>,
    calls: u64,
    seconds: f64,
    services: Vec<Group>,
}

pub(super) fn text(observation: &Observation, calls: u64, took: Duration) -> String {
    let groups = groups(observation);
    let running: usize = groups.iter().map(|group| group.running).sum();
    let clusters: Vec<&str> = observation.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let end = format!(
        "{running} of {} tasks run in {} of {}; {calls} calls, {:.1} s\n",
        observation.tasks.len(),
        clusters.join(", "),
        observation.region,
        took.as_secs_f64()
    );
    if groups.is_empty() {
        return end;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["CLUSTER", "SERVICE", "RUNNING", "ADDRESSES", "SAYS"]);
    for group in groups {
        let says = if group.says.is_empty() { "nothing".to_owned() } else { words(&group.says) };
        let running = format!("{}/{}", group.running, group.tasks);
        table.add_row([group.cluster, group.service, running, words(&group.addresses), says]);
    }
    format!("{}\n\n{end}", table.trim_fmt())
}

pub(super) fn json(observation: &Observation, calls: u64, took: Duration) -> Result<String, serde_json::Error> {
    let clusters = observation.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    let (region, seconds) = (observation.region.clone(), took.as_secs_f64());
    let whole = Whole { region, clusters, calls, seconds, services: groups(observation) };
    Ok(serde_json::to_string(&whole)? + "\n")
}

fn groups(observation: &Observation) -> Vec<Group> {
    let definitions: BTreeMap<&str, &TaskDefinition> =
        observation.task_definitions.iter().map(|definition| (definition.arn.as_str(), definition)).collect();
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    for task in &observation.tasks {
        let Some(definition) = definitions.get(task.task_definition.as_str()) else { continue };
        let cluster = last(&task.cluster).to_owned();
        let service = task.service().map_or_else(|| format!("{} (no service)", definition.family), str::to_owned);
        let group = groups.entry((cluster.clone(), service.clone())).or_default();
        (group.cluster, group.service) = (cluster, service);
        group.tasks += 1;
        group.running += usize::from(task.last_status == "RUNNING" && task.desired_status == "RUNNING");
        group.addresses.insert(match definition.network_mode {
            NetworkMode::Awsvpc => "own",
            NetworkMode::Bridge => "ports of hosts",
            NetworkMode::Host => "hosts",
            NetworkMode::None => "none",
        });
        group.says.extend(says(task, definition));
    }
    groups.into_values().collect()
}

fn says(task: &Task, definition: &TaskDefinition) -> BTreeSet<&'static str> {
    let labels = definition.containers.iter().flat_map(|container| container.labels.keys());
    let tags = task.tags.keys().chain(definition.tags.keys());
    let variables = definition.containers.iter().flat_map(|container| container.environment.keys());
    let overrides = task.environment.values().flat_map(BTreeMap::keys);
    let mut says: BTreeSet<&'static str> = labels.chain(tags).map(|key| whose(key)).collect();
    // Variables are read for nightjar alone.
    says.extend(variables.chain(overrides).map(|_| "nightjar"));
    says.extend(definition.refused.as_ref().map(|_| "too much"));
    says
}

fn whose(key: &str) -> &'static str {
    match key {
        key if key.starts_with("meshwright.") => "meshwright",
        key if key.starts_with("envoy.service.") => "bent",
        _ => "nightjar",
    }
}

fn words(words: &BTreeSet<&'static str>) -> String {
    words.iter().copied().collect::<Vec<_>>().join(", ")
}

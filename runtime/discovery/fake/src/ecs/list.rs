//! The lists of ECS: ARNs, in pages.

use serde_json::{Value, json};

use super::cluster;
use crate::failure::Failure;
use crate::page;
use crate::world::{Launch, Task, World, last};

const PAGE: u64 = 100;

pub(super) fn clusters(world: &World, request: &Value) -> Result<Value, Failure> {
    let arns = world.clusters.values().map(|cluster| cluster.arn.clone()).collect();
    answer(world, "clusterArns", arns, request)
}

pub(super) fn services(world: &World, request: &Value) -> Result<Value, Failure> {
    let services = world.cluster(cluster(request))?.services.values();
    answer(world, "serviceArns", services.map(|service| service.arn.clone()).collect(), request)
}

pub(super) fn container_instances(world: &World, request: &Value) -> Result<Value, Failure> {
    let instances = world.cluster(cluster(request))?.instances.values();
    answer(world, "containerInstanceArns", instances.map(|instance| instance.arn.clone()).collect(), request)
}

pub(super) fn task_definitions(world: &World, request: &Value) -> Result<Value, Failure> {
    let prefix = request["familyPrefix"].as_str();
    let families = world.definitions.iter().filter(|(family, _)| prefix.is_none_or(|prefix| family.as_str() == prefix));
    let arns = families.flat_map(|(_, revisions)| revisions.iter().map(|definition| definition.arn.clone())).collect();
    answer(world, "taskDefinitionArns", arns, request)
}

/// Of tasks that are to run, unless those that are to stop are asked for.
pub(super) fn tasks(world: &World, request: &Value) -> Result<Value, Failure> {
    let cluster = world.cluster(cluster(request))?;
    let stopped = match request["desiredStatus"].as_str() {
        None | Some("RUNNING" | "PENDING") => false,
        Some("STOPPED") => true,
        Some(other) => return Err(Failure::invalid(format!("Invalid desired status: {other}"))),
    };
    let service = request["serviceName"].as_str().map(last);
    if service.is_some_and(|service| !cluster.services.contains_key(service)) {
        return Err(Failure::new("ServiceNotFoundException", "Service not found."));
    }
    let group = service.map(|service| format!("service:{service}"));
    let word = |key: &str| request[key].as_str();
    let launch = |task: &Task| if task.launch == Launch::Fargate { "FARGATE" } else { "EC2" };
    let wanted = |task: &&Task| {
        task.stopping == stopped
            && word("family").is_none_or(|family| task.family == family)
            && group.as_ref().is_none_or(|group| task.group == *group)
            && word("startedBy").is_none_or(|who| task.started_by.as_deref() == Some(who))
            && word("launchType").is_none_or(|wanted| launch(task) == wanted)
            && word("containerInstance").is_none_or(|host| task.instance.as_deref() == Some(last(host)))
    };
    let arns = cluster.tasks.values().filter(wanted).map(|task| task.arn.clone()).collect();
    answer(world, "taskArns", arns, request)
}

fn answer(world: &World, key: &str, arns: Vec<String>, request: &Value) -> Result<Value, Failure> {
    let page = page::of(arns, request, PAGE, world.token_age)?;
    let mut answer = json!({ key: page.items });
    if let Some(next) = page.next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}

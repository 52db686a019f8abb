//! What changes the world through ECS's own API: registering, running, stopping, scaling.

use serde_json::{Value, json};

use super::{cluster, describe};
use crate::failure::Failure;
use crate::world::{Launch, NewService, Run, World, tags_json, tags_of};

pub(super) fn register(world: &mut World, request: &Value) -> Result<Value, Failure> {
    let arn = world.register(request)?;
    let definition = world.definition(&arn)?;
    Ok(json!({ "taskDefinition": definition.described(), "tags": tags_json(&definition.tags) }))
}

pub(super) fn run_task(world: &mut World, request: &Value) -> Result<Value, Failure> {
    let count = request["count"].as_u64().unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(Failure::invalid("Task count must be between 1 and 10."));
    }
    let definition = request["taskDefinition"].as_str().unwrap_or_default();
    let definition = world.definition(definition).map_err(|_| Failure::client("TaskDefinition not found."))?;
    if definition.network_mode() == "awsvpc" && !request["networkConfiguration"]["awsvpcConfiguration"].is_object() {
        let message = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
        return Err(Failure::invalid(message));
    }
    let run = Run {
        cluster: cluster(request).unwrap_or("default").to_owned(),
        task_definition: definition.arn.clone(),
        launch: launch(request)?,
        tags: tags_of(request.get("tags")),
        overrides: request["overrides"].clone(),
        group: request["group"].as_str().map(str::to_owned),
        started_by: request["startedBy"].as_str().map(str::to_owned),
        ..Run::default()
    };
    let ids: Vec<String> = (0..count).map(|_| world.run_task(run.clone())).collect::<Result<_, _>>()?;
    let found = world.cluster(Some(&run.cluster))?;
    let tasks = ids.iter().filter_map(|id| found.tasks.get(id));
    let tasks: Vec<Value> = tasks.map(|task| describe::task(world, found, task, true)).collect();
    Ok(json!({ "tasks": tasks, "failures": [] }))
}

pub(super) fn stop_task(world: &mut World, request: &Value) -> Result<Value, Failure> {
    let name = cluster(request).map(str::to_owned);
    let id = request["task"].as_str().unwrap_or_default().to_owned();
    world.cluster(name.as_deref())?;
    world.stop_task(&id, request["reason"].as_str().unwrap_or("Task stopped by user"))?;
    let found = world.cluster(name.as_deref())?;
    Ok(json!({ "task": describe::task(world, found, world.task(&id)?, true) }))
}

pub(super) fn create_service(world: &mut World, request: &Value) -> Result<Value, Failure> {
    let name = request["serviceName"].as_str().unwrap_or_default().to_owned();
    let cluster = cluster(request).unwrap_or("default").to_owned();
    world.create_service(NewService {
        cluster: cluster.clone(),
        name: name.clone(),
        task_definition: request["taskDefinition"].as_str().unwrap_or_default().to_owned(),
        desired: count(request)?.unwrap_or(0),
        launch: launch(request)?,
        addresses: Vec::new(),
    })?;
    service(world, &cluster, &name)
}

pub(super) fn update_service(world: &mut World, request: &Value) -> Result<Value, Failure> {
    let name = request["service"].as_str().map(crate::world::last).unwrap_or_default().to_owned();
    let cluster = cluster(request).unwrap_or("default").to_owned();
    if let Some(definition) = request["taskDefinition"].as_str() {
        world.deploy(&cluster, &name, definition)?;
    }
    if let Some(desired) = count(request)? {
        world.set_desired(&cluster, &name, desired)?;
    }
    service(world, &cluster, &name)
}

fn service(world: &World, cluster: &str, name: &str) -> Result<Value, Failure> {
    let cluster = world.cluster(Some(cluster))?;
    let missing = || Failure::new("ServiceNotFoundException", "Service not found.");
    let found = cluster.services.get(name).ok_or_else(missing)?;
    Ok(json!({ "service": describe::service(cluster, found) }))
}

fn count(request: &Value) -> Result<Option<usize>, Failure> {
    match &request["desiredCount"] {
        Value::Null => Ok(None),
        count => match count.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= 5000) {
            Some(count) => Ok(Some(count)),
            None => Err(Failure::invalid("desiredCount must be between 0 and 5000.")),
        },
    }
}

fn launch(request: &Value) -> Result<Option<Launch>, Failure> {
    match request["launchType"].as_str() {
        None => Ok(None),
        Some("FARGATE") => Ok(Some(Launch::Fargate)),
        Some("EC2") => Ok(Some(Launch::Ec2)),
        Some(other) => Err(Failure::invalid(format!("Invalid launch type: {other}"))),
    }
}

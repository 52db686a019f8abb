//! ECS: what it answers, by action.

mod check;
mod describe;
mod list;
mod start;

use serde_json::{Value, json};

pub(crate) use check::check_definition;

use crate::failure::Failure;
use crate::world::World;

/// What ECS answers to an action of its API, such as `ListTasks`, and its input.
pub fn answer(world: &mut World, action: &str, request: &Value) -> Result<Value, Failure> {
    match action {
        "ListClusters" => list::clusters(world, request),
        "ListServices" => list::services(world, request),
        "ListTasks" => list::tasks(world, request),
        "ListContainerInstances" => list::container_instances(world, request),
        "ListTaskDefinitions" => list::task_definitions(world, request),
        "DescribeClusters" => describe::clusters(world, request),
        "DescribeServices" => describe::services(world, request),
        "DescribeTasks" => describe::tasks(world, request),
        "DescribeContainerInstances" => describe::container_instances(world, request),
        "DescribeTaskDefinition" => describe::task_definition(world, request),
        "CreateCluster" => {
            let name = request["clusterName"].as_str().unwrap_or("default").to_owned();
            world.create_cluster(&name);
            Ok(json!({ "cluster": describe::cluster(world.cluster(Some(&name))?) }))
        }
        "RegisterTaskDefinition" => start::register(world, request),
        "RunTask" => start::run_task(world, request),
        "StopTask" => start::stop_task(world, request),
        "CreateService" => start::create_service(world, request),
        "UpdateService" => start::update_service(world, request),
        _ => Err(Failure::unknown_action()),
    }
}

/// The cluster that a request names.
fn cluster(request: &Value) -> Option<&str> {
    request["cluster"].as_str().filter(|name| !name.is_empty())
}

/// Strings of a list, at most so many and at least one.
fn names<'a>(request: &'a Value, key: &str, what: &str, most: usize) -> Result<Vec<&'a str>, Failure> {
    let names: Vec<&str> = request[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match names.len() {
        0 => Err(Failure::invalid(format!("{what} cannot be empty."))),
        count if count > most => Err(Failure::invalid(format!("{what} cannot have more than {most} elements."))),
        _ => Ok(names),
    }
}

/// Whether `include` asks for tags.
fn wants_tags(request: &Value) -> bool {
    request["include"].as_array().is_some_and(|include| include.contains(&json!("TAGS")))
}

fn missing(arn: String) -> Value {
    json!({ "arn": arn, "reason": "MISSING" })
}

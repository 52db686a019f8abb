//! Cloud Map: what it answers, by action.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::page;
use crate::world::{Health, NamespaceService, World, text};

const PAGE: u64 = 100;

/// What Cloud Map answers to an action of its API, such as `DiscoverInstances`, and its input.
pub fn answer(world: &World, action: &str, request: &Value) -> Result<Value, Failure> {
    match action {
        "ListNamespaces" => list(request, world, "Namespaces", namespaces(world, request)),
        "ListServices" => list(request, world, "Services", services(world, request)),
        "ListInstances" => {
            let service = service(world, text(request, "ServiceId"))?;
            let instance = |(id, instance): (&String, &crate::world::Instance)| {
                (id.clone(), json!({ "Id": id, "Attributes": instance.attributes }))
            };
            list(request, world, "Instances", service.instances.iter().map(instance).collect())
        }
        "GetInstancesHealthStatus" => {
            let service = service(world, text(request, "ServiceId"))?;
            let status = service.instances.iter().map(|(id, instance)| (id.clone(), json!(instance.health.name())));
            Ok(json!({ "Status": status.collect::<serde_json::Map<_, _>>() }))
        }
        "DiscoverInstances" => discover(world, request),
        _ => Err(Failure::unknown_action()),
    }
}

/// Those that are healthy, unless all are asked for; with `HEALTHY_OR_ELSE_ALL` all, if none is.
fn discover(world: &World, request: &Value) -> Result<Value, Failure> {
    let (namespace, service) = (text(request, "NamespaceName"), text(request, "ServiceName"));
    let not_found = || Failure::new("NamespaceNotFound", format!("Namespace not found: {namespace}"));
    let found = world.namespaces.get(namespace).ok_or_else(not_found)?;
    let not_found = || Failure::new("ServiceNotFound", format!("Service not found: {service}"));
    let found = found.services.get(service).ok_or_else(not_found)?;
    let wanted = match request["HealthStatus"].as_str() {
        None | Some("HEALTHY_OR_ELSE_ALL") => Some(Health::Healthy),
        Some("HEALTHY") => Some(Health::Healthy),
        Some("UNHEALTHY") => Some(Health::Unhealthy),
        Some(_) => None,
    };
    let healthy = found.instances.values().any(|instance| instance.health == Health::Healthy);
    let or_all = request["HealthStatus"].as_str().is_none_or(|status| status == "HEALTHY_OR_ELSE_ALL") && !healthy;
    let most = request["MaxResults"].as_u64().unwrap_or(PAGE);
    let instances: Vec<Value> = found
        .instances
        .iter()
        .filter(|(_, instance)| or_all || wanted.is_none_or(|wanted| instance.health == wanted))
        .take(usize::try_from(most).unwrap_or(usize::MAX))
        .map(|(id, instance)| {
            json!({
                "InstanceId": id,
                "NamespaceName": namespace,
                "ServiceName": service,
                "HealthStatus": instance.health.name(),
                "Attributes": instance.attributes,
            })
        })
        .collect();
    Ok(json!({ "Instances": instances, "InstancesRevision": 1 }))
}

fn namespaces(world: &World, request: &Value) -> Vec<(String, Value)> {
    let named = filter(request, "NAME");
    let kept = world.namespaces.values().filter(|one| named.as_ref().is_none_or(|names| names.contains(&one.name)));
    kept.map(|one| {
        (one.id.clone(), json!({ "Id": one.id, "Arn": one.arn, "Name": one.name, "Type": "HTTP", "CreateDate": 1 }))
    })
    .collect()
}

fn services(world: &World, request: &Value) -> Vec<(String, Value)> {
    let of = filter(request, "NAMESPACE_ID");
    let kept = world.namespaces.values().filter(|one| of.as_ref().is_none_or(|ids| ids.contains(&one.id)));
    kept.flat_map(|namespace| namespace.services.values())
        .map(|one| (one.id.clone(), json!({ "Id": one.id, "Arn": one.arn, "Name": one.name, "CreateDate": 1 })))
        .collect()
}

/// The values of a filter, if there is such a filter.
fn filter(request: &Value, name: &str) -> Option<Vec<String>> {
    let filters = request["Filters"].as_array()?;
    let filter = filters.iter().find(|filter| text(filter, "Name") == name)?;
    let values = filter["Values"].as_array()?.iter().filter_map(Value::as_str);
    Some(values.map(str::to_owned).collect())
}

fn service<'a>(world: &'a World, id: &str) -> Result<&'a NamespaceService, Failure> {
    let mut services = world.namespaces.values().flat_map(|namespace| namespace.services.values());
    let missing = || Failure::new("ServiceNotFound", format!("No service with id {id}"));
    services.find(|service| service.id == id).ok_or_else(missing)
}

fn list(request: &Value, world: &World, key: &str, items: Vec<(String, Value)>) -> Result<Value, Failure> {
    // Cloud Map writes its fields with a capital.
    let asked = json!({ "nextToken": request["NextToken"], "maxResults": request["MaxResults"] });
    let ids = items.iter().map(|(id, _)| id.clone()).collect();
    let page = page::of(ids, &asked, PAGE, world.token_age)?;
    let kept: Vec<Value> = items.into_iter().filter(|(id, _)| page.items.contains(id)).map(|(_, item)| item).collect();
    let mut answer = json!({ key: kept });
    if let Some(next) = page.next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

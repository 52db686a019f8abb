//! What ECS refuses to register, in its words where they are known.

mod container;
mod fargate;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::failure::Failure;
use crate::world::text;

/// The essentials of RegisterTaskDefinition.
pub(crate) fn check_definition(definition: &Value) -> Result<(), Failure> {
    let family = text(definition, "family");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    require(!family.is_empty(), || "Family should not be null or empty.".to_owned())?;
    require(family.len() <= 255 && family.bytes().all(is_plain), || "Family contains invalid characters.".to_owned())?;
    let mode = definition["networkMode"].as_str().unwrap_or("bridge");
    require(matches!(mode, "bridge" | "host" | "awsvpc" | "none"), || format!("Invalid network mode: {mode}"))?;
    let containers = list(definition, "containerDefinitions");
    require(!containers.is_empty(), || "Container list cannot be empty.".to_owned())?;
    require(containers.len() <= 10, || "Task definition does not support more than 10 containers.".to_owned())?;

    let names = names(containers)?;
    for container in containers {
        container::check(definition, container, mode)?;
    }
    require(containers.iter().any(is_essential), || "At least one container must be essential.".to_owned())?;
    check_dependencies(containers, &names)?;
    check_host_ports(containers)?;
    check_proxy(&definition["proxyConfiguration"], &names, mode)?;
    check_tags(definition)?;
    if list(definition, "requiresCompatibilities").iter().any(|one| one == "FARGATE") {
        fargate::check(definition, mode)?;
    }
    let size = definition.to_string().len();
    require(size <= 65536, || format!("Actual length: '{size}'. Max allowed length is '65536' bytes."))
}

fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::client(message())) }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_essential(container: &Value) -> bool {
    container["essential"].as_bool().unwrap_or(true)
}

fn names(containers: &[Value]) -> Result<BTreeSet<&str>, Failure> {
    let mut names = BTreeSet::new();
    for container in containers {
        let name = text(container, "name");
        require(!name.is_empty(), || "Container.name should not be null or empty.".to_owned())?;
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        require(is_plain && name.len() <= 255, || "Container.name contains invalid characters.".to_owned())?;
        require(names.insert(name), || "Container names must be unique.".to_owned())?;
    }
    Ok(names)
}

fn check_dependencies(containers: &[Value], names: &BTreeSet<&str>) -> Result<(), Failure> {
    let mut waits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for container in containers {
        let name = text(container, "name");
        for dependency in list(container, "dependsOn") {
            let (on, condition) = (text(dependency, "containerName"), text(dependency, "condition"));
            let unknown = || format!("Container '{name}' depends on a container that is not in the task: '{on}'.");
            require(names.contains(on), unknown)?;
            let known = matches!(condition, "START" | "COMPLETE" | "SUCCESS" | "HEALTHY");
            require(known, || format!("Invalid dependency condition: '{condition}'."))?;
            let other = containers.iter().find(|other| text(other, "name") == on).unwrap_or(&Value::Null);
            let checked = condition != "HEALTHY" || other["healthCheck"].is_object();
            require(checked, || {
                format!("Container '{on}' must have a health check: others wait for it to be HEALTHY.")
            })?;
            let may_end = !matches!(condition, "COMPLETE" | "SUCCESS") || !is_essential(other);
            require(may_end, || format!("Container '{on}' is essential: others cannot wait for its end."))?;
            waits.entry(name).or_default().push(on);
        }
    }
    // Whoever waits for nobody can start; then those who wait for them; whoever is left waits in a circle.
    let mut started = BTreeSet::new();
    while let Some(next) = names.iter().find(|name| {
        !started.contains(*name) && waits.get(*name).is_none_or(|on| on.iter().all(|one| started.contains(one)))
    }) {
        started.insert(*next);
    }
    require(started.len() == names.len(), || "Container dependencies must not be circular.".to_owned())
}

fn check_host_ports(containers: &[Value]) -> Result<(), Failure> {
    let mut taken = BTreeSet::new();
    for port in containers.iter().flat_map(|container| list(container, "portMappings")) {
        let Some(host) = port["hostPort"].as_u64().filter(|host| *host != 0) else { continue };
        let protocol = port["protocol"].as_str().unwrap_or("tcp");
        require(taken.insert((host, protocol)), || format!("Host port {host} is used by more than one container."))?;
    }
    Ok(())
}

fn check_proxy(proxy: &Value, names: &BTreeSet<&str>, mode: &str) -> Result<(), Failure> {
    if !proxy.is_object() {
        return Ok(());
    }
    require(mode == "awsvpc", || "proxyConfiguration requires the network mode awsvpc.".to_owned())?;
    let kind = proxy["type"].as_str().unwrap_or("APPMESH");
    require(kind == "APPMESH", || format!("Invalid proxy type: '{kind}'."))?;
    let container = text(proxy, "containerName");
    require(names.contains(container), || format!("The proxy's container '{container}' is not in the task."))?;
    let properties: BTreeMap<&str, &str> =
        list(proxy, "properties").iter().map(|one| (text(one, "name"), text(one, "value"))).collect();
    let known = [
        "IgnoredUID",
        "IgnoredGID",
        "AppPorts",
        "ProxyIngressPort",
        "ProxyEgressPort",
        "EgressIgnoredPorts",
        "EgressIgnoredIPs",
    ];
    if let Some(name) = properties.keys().find(|name| !known.contains(name)) {
        return Err(Failure::client(format!("Unknown proxy property '{name}'.")));
    }
    let user = properties.contains_key("IgnoredUID") || properties.contains_key("IgnoredGID");
    require(user, || "The proxy needs IgnoredUID or IgnoredGID.".to_owned())?;
    for name in ["AppPorts", "ProxyIngressPort", "ProxyEgressPort"] {
        let ports = properties.get(name).copied().unwrap_or_default();
        let numbers = !ports.is_empty() && ports.split(',').all(|port| port.trim().parse::<u16>().is_ok());
        require(numbers, || format!("The proxy property '{name}' must be a list of ports."))?;
    }
    Ok(())
}

fn check_tags(definition: &Value) -> Result<(), Failure> {
    let tags = list(definition, "tags");
    let invalid = |message: &str| Err(Failure::invalid(message));
    if tags.len() > 50 {
        return invalid("A resource cannot have more than 50 tags.");
    }
    for tag in tags {
        let (key, value) = (text(tag, "key"), text(tag, "value"));
        let plain = |text: &str| text.chars().all(|one| one.is_alphanumeric() || " _.:/=+-@".contains(one));
        if key.is_empty() || key.chars().count() > 128 || !plain(key) || key.starts_with("aws:") {
            return invalid("A tag's key is not valid.");
        }
        if value.chars().count() > 256 || !plain(value) {
            return invalid("A tag's value is not valid.");
        }
    }
    Ok(())
}

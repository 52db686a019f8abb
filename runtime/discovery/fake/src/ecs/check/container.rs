//! What ECS refuses in one container of a task definition.

use serde_json::Value;

use super::{list, require};
use crate::failure::Failure;
use crate::world::text;

pub(super) fn check(definition: &Value, container: &Value, mode: &str) -> Result<(), Failure> {
    let name = text(container, "name");
    require(!text(container, "image").is_empty(), || "Container.image should not be null or empty.".to_owned())?;
    check_memory(definition, container)?;
    check_ports(container, mode)?;
    check_health_check(&container["healthCheck"])?;
    for variable in list(container, "environment").iter().chain(list(container, "secrets")) {
        let nameless = || format!("Invalid environment of container '{name}': a variable has no name.");
        require(!text(variable, "name").is_empty(), nameless)?;
    }
    for secret in list(container, "secrets") {
        require(!text(secret, "valueFrom").is_empty(), || "A secret needs valueFrom.".to_owned())?;
    }
    let volumes = list(definition, "volumes");
    for mount in list(container, "mountPoints") {
        let volume = text(mount, "sourceVolume");
        require(volumes.iter().any(|one| text(one, "name") == volume), || format!("Unknown volume '{volume}'."))?;
        require(!text(mount, "containerPath").is_empty(), || "A mount point needs containerPath.".to_owned())?;
    }
    for limit in list(container, "ulimits") {
        check_ulimit(limit)?;
    }
    check_labels(container)?;
    let awsvpc_links = mode == "awsvpc" && !list(container, "links").is_empty();
    require(!awsvpc_links, || "Links are not supported when networkMode=awsvpc.".to_owned())
}

fn check_memory(definition: &Value, container: &Value) -> Result<(), Failure> {
    let number = |key: &str| container[key].as_u64();
    let whole = definition["memory"].is_string() || definition["memory"].is_u64();
    let some = whole || number("memory").is_some() || number("memoryReservation").is_some();
    require(some, || {
        let name = text(container, "name");
        format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )
    })?;
    let fits = number("memory").zip(number("memoryReservation")).is_none_or(|(memory, reserved)| memory >= reserved);
    require(fits, || "memoryReservation must not exceed memory.".to_owned())?;
    let enough = number("memory").is_none_or(|memory| memory >= 6);
    require(enough, || "A container needs at least 6 MiB of memory.".to_owned())
}

fn check_ports(container: &Value, mode: &str) -> Result<(), Failure> {
    for port in list(container, "portMappings") {
        let range = port["containerPortRange"].is_string();
        let container_port = port["containerPort"].as_u64().filter(|port| (1..=65535).contains(port));
        require(range || container_port.is_some(), || "containerPort must be between 1 and 65535.".to_owned())?;
        let host = port["hostPort"].as_u64().filter(|host| *host != 0);
        require(host.is_none_or(|host| host <= 65535), || "hostPort must be between 0 and 65535.".to_owned())?;
        let same = host.is_none() || host == container_port || !matches!(mode, "awsvpc" | "host");
        require(same, || {
            format!("When networkMode={mode}, the host ports and container ports in port mappings must match.")
        })?;
        let protocol = port["protocol"].as_str().unwrap_or("tcp");
        require(matches!(protocol, "tcp" | "udp"), || format!("Invalid protocol '{protocol}' in a port mapping."))?;
    }
    Ok(())
}

fn check_health_check(check: &Value) -> Result<(), Failure> {
    if !check.is_object() {
        return Ok(());
    }
    let first = check["command"][0].as_str().unwrap_or_default();
    require(!list(check, "command").is_empty(), || "A health check needs a command.".to_owned())?;
    let known = matches!(first, "CMD" | "CMD-SHELL" | "NONE") || list(check, "command").len() == 1;
    require(known, || format!("Invalid health check: '{first}' is neither CMD nor CMD-SHELL."))?;
    for (key, least, most) in [("interval", 5, 300), ("timeout", 2, 120), ("retries", 1, 10), ("startPeriod", 0, 300)] {
        let fits = check[key].is_null() || check[key].as_u64().is_some_and(|value| (least..=most).contains(&value));
        require(fits, || format!("A health check's {key} must be between {least} and {most}."))?;
    }
    Ok(())
}

fn check_ulimit(limit: &Value) -> Result<(), Failure> {
    const KNOWN: [&str; 15] = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let name = text(limit, "name");
    require(KNOWN.contains(&name), || format!("Invalid ulimit '{name}'."))?;
    let (soft, hard) = (limit["softLimit"].as_i64(), limit["hardLimit"].as_i64());
    let fits = soft.zip(hard).is_some_and(|(soft, hard)| soft <= hard || hard == -1);
    require(fits, || format!("The ulimit '{name}' needs a softLimit that does not exceed its hardLimit."))
}

fn check_labels(container: &Value) -> Result<(), Failure> {
    let labels = &container["dockerLabels"];
    let strings = labels.is_null() || labels.as_object().is_some_and(|labels| labels.values().all(Value::is_string));
    require(strings, || "dockerLabels must be a map of strings.".to_owned())
}

//! What Fargate asks of a task definition beyond ECS.

use serde_json::Value;

use super::{list, require};
use crate::failure::Failure;

/// CPU units, and the least, the most and the step of memory in MiB that go with them.
const SIZES: [(u64, u64, u64, u64); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

pub(super) fn check(definition: &Value, mode: &str) -> Result<(), Failure> {
    require(mode == "awsvpc", || "Fargate only supports network mode ‘awsvpc’.".to_owned())?;
    for what in ["cpu", "memory"] {
        let given = !definition[what].is_null();
        require(given, || format!("Fargate requires that '{what}' be defined at the task level."))?;
    }
    let (cpu, memory) = (units(&definition["cpu"], 1024, "vcpu"), units(&definition["memory"], 1024, "gb"));
    let size = SIZES.iter().find(|(size, ..)| Some(*size) == cpu);
    let fits = size.zip(memory).is_some_and(|((size, least, most, step), memory)| {
        // The smallest has 512 and then whole gigabytes.
        let step = if *size == 256 && memory > 1024 { 1024 } else { *step };
        (least..=most).contains(&&memory) && memory % step == 0
    });
    require(fits, || "No Fargate configuration exists for given values.".to_owned())?;

    let containers = list(definition, "containerDefinitions");
    let privileged = containers.iter().any(|container| container["privileged"] == true);
    require(!privileged, || "Fargate does not support privileged containers.".to_owned())?;
    let host_path = list(definition, "volumes").iter().any(|volume| volume["host"]["sourcePath"].is_string());
    require(!host_path, || "Fargate compatible task definitions do not support host volumes.".to_owned())?;
    for container in containers {
        let driver = container["logConfiguration"]["logDriver"].as_str();
        let known = driver.is_none_or(|driver| matches!(driver, "awslogs" | "splunk" | "awsfirelens"));
        require(known, || format!("Log driver '{}' is not supported by Fargate.", driver.unwrap_or_default()))?;
        let has_role = definition["executionRoleArn"].is_string();
        require(driver != Some("awslogs") || has_role, || {
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.".to_owned()
        })?;
        require(list(container, "secrets").is_empty() || has_role, || {
            "Fargate requires task definition to have execution role ARN to support secrets.".to_owned()
        })?;
    }
    Ok(())
}

/// `256`, `".25 vCPU"`, `"512"` or `"1 GB"`.
fn units(value: &Value, scale: u64, unit: &str) -> Option<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_lowercase);
    match text.strip_suffix(unit) {
        None => text.trim().parse().ok(),
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are small and positive")]
        Some(number) => Some((number.trim().parse::<f64>().ok()? * scale as f64) as u64),
    }
}

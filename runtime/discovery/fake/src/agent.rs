//! What the agent of ECS tells a task over HTTP: who it is, and the credentials of its role.
//!
//! | Path | Variable of a container that names it |
//! |---|---|
//! | `/v4/TASK-ID` | `ECS_CONTAINER_METADATA_URI_V4`; what follows is `/task` for the whole task |
//! | `/credentials` | `AWS_CONTAINER_CREDENTIALS_FULL_URI` |

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::signature::Credentials;
use crate::world::{Launch, Task, TaskContainer, World};

/// What is asked for, as faults and counts name it.
pub(crate) fn action(path: &str) -> Option<&'static str> {
    match path {
        "/credentials" => Some("GetCredentials"),
        _ if path.starts_with("/v4/") && path.ends_with("/task") => Some("GetTaskMetadata"),
        _ if path.starts_with("/v4/") => Some("GetContainerMetadata"),
        _ => None,
    }
}

/// Of the task whose id the path has; of its first container, unless the whole task is asked for.
pub(crate) fn metadata(world: &World, path: &str) -> Result<Value, Failure> {
    let path = path.trim_start_matches("/v4/");
    let (id, whole) = path.strip_suffix("/task").map_or((path, false), |id| (id, true));
    let missing =
        |_| Failure { status: 404, ..Failure::new("NotFound", "V4 task metadata handler: unable to get task") };
    let task = world.task(id).map_err(missing)?;
    let mut containers = task.containers.iter().map(|one| container(world, task, one));
    if !whole {
        return Ok(containers.next().unwrap_or_default());
    }
    let cluster = world.cluster(Some(&task.cluster))?;
    let (launch, cluster) = match task.launch {
        // As they do: one tells the name, the other the ARN.
        Launch::Ec2 => ("EC2", &cluster.name),
        Launch::Fargate => ("FARGATE", &cluster.arn),
    };
    Ok(json!({
        "Cluster": cluster,
        "TaskARN": task.arn,
        "Family": task.family,
        "Revision": revision(task),
        "DesiredStatus": task.desired(),
        "KnownStatus": task.status.name(),
        "AvailabilityZone": task.availability_zone,
        "LaunchType": launch,
        "Containers": containers.collect::<Vec<_>>(),
    }))
}

fn container(world: &World, task: &Task, container: &TaskContainer) -> Value {
    let addresses: Vec<String> = task.address.iter().map(|address| address.to_string()).collect();
    let network = json!({ "NetworkMode": task.network_mode, "IPv4Addresses": addresses });
    json!({
        "DockerId": format!("{}-{}", task.id, container.name),
        "Name": container.name,
        "DockerName": container.name,
        "Image": container.image,
        "Labels": {
            "com.amazonaws.ecs.cluster": task.cluster,
            "com.amazonaws.ecs.container-name": container.name,
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": task.family,
            "com.amazonaws.ecs.task-definition-version": revision(task),
        },
        "DesiredStatus": task.desired(),
        "KnownStatus": task.status.name(),
        "Type": "NORMAL",
        "ContainerARN": world.arn("ecs", &format!("container/{}/{}/{}", task.cluster, task.id, container.name)),
        "Networks": [network],
    })
}

/// A text, as the agent tells it.
fn revision(task: &Task) -> &str {
    task.definition.rsplit(':').next().unwrap_or_default()
}

/// Temporary ones, for so long from now on.
pub(crate) fn credentials(credentials: &Credentials, lifetime: Duration) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({
        "RoleArn": "arn:aws:iam::123456789012:role/mesh",
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret_key,
        "Token": credentials.token,
        "Expiration": utc((now + lifetime).as_secs()),
    })
}

/// Seconds since 1970 as `2026-11-01T12:00:00Z`; the algorithm is Howard Hinnant's `civil_from_days`.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86400 + 719_468, seconds % 86400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn times_are_written_as_people_count_them() {
        let times = [0, 951_782_399, 951_782_400, 1_798_761_599];
        let written = ["1970-01-01T00:00:00Z", "2000-02-28T23:59:59Z", "2000-02-29T00:00:00Z", "2026-12-31T23:59:59Z"];
        assert_eq!(times.map(utc), written);
    }
}

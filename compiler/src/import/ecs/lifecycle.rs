//! Which tasks may get requests: those that run, are meant to go on, and are healthy as far as ECS asks.

use crate::observation::{Container, Task, TaskDefinition};

const RUNNING: &str = "RUNNING";
const HEALTHY: &str = "HEALTHY";
const UNHEALTHY: &str = "UNHEALTHY";

/// A task that ends leaves at once: what it still answers, Envoy lets it finish.
pub(crate) fn runs(task: &Task) -> bool {
    task.last_status == RUNNING && task.desired_status == RUNNING && task.health_status != UNHEALTHY
}

/// Nothing of it is left.
pub(crate) fn is_over(task: &Task) -> bool {
    matches!(task.last_status.as_str(), "STOPPED" | "DEPROVISIONING" | "DELETED")
}

/// Where ECS checks the health of an essential container, a task that is not known to be healthy is not ready yet.
pub(crate) fn may_get_requests(task: &Task, definition: &TaskDefinition) -> bool {
    let is_asked = definition.containers.iter().any(|container| container.essential && container.health_check);
    runs(task) && (!is_asked || task.health_status == HEALTHY)
}

/// Of a container that is not essential, the task goes on without it.
pub(crate) fn container_runs(container: &Container) -> bool {
    (container.last_status.is_empty() || container.last_status == RUNNING) && container.health_status != UNHEALTHY
}

/// It runs, or will.
pub(crate) fn container_is_there(container: &Container) -> bool {
    container.last_status != "STOPPED"
}

//! Which tasks get requests.

use meshwright_compiler::observation::Task;

use super::aws::{fargate, observation, running};
use super::join;

const LABELS: &[(&str, &str)] = &[("meshwright.service.orders.svc", "app:3000")];

#[track_caller]
fn gets_requests(change: impl Fn(&mut Task), expected: bool) {
    let definition = fargate("orders:7", LABELS);
    let mut task = running("t1", &definition, "10.0.0.11");
    change(&mut task);
    let outcome = join("", &observation(vec![definition], vec![task]));
    assert_eq!(outcome.endpoints().len(), usize::from(expected), "{:?}", outcome.found());
    assert_eq!(outcome.joined.routable, usize::from(expected));
    outcome.compiled();
}

#[test]
fn a_running_task_does() {
    gets_requests(|_| {}, true);
}

#[test]
fn a_task_that_starts_or_ends_does_not() {
    for status in ["PROVISIONING", "PENDING", "ACTIVATING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"] {
        gets_requests(|task| task.last_status = status.to_owned(), false);
    }
    gets_requests(|task| task.desired_status = "STOPPED".to_owned(), false);
}

#[test]
fn an_unhealthy_task_does_not() {
    gets_requests(|task| task.health_status = "UNHEALTHY".to_owned(), false);
    gets_requests(|task| task.health_status = "UNKNOWN".to_owned(), true);
}

#[test]
fn where_ecs_checks_health_an_unknown_one_is_not_enough() {
    let mut definition = fargate("orders:7", LABELS);
    definition.containers[0].health_check = true;
    let mut task = running("t1", &definition, "10.0.0.11");
    task.health_status = "UNKNOWN".to_owned();
    let mut healthy = running("t2", &definition, "10.0.0.12");
    healthy.health_status = "HEALTHY".to_owned();
    let outcome = join("", &observation(vec![definition], vec![task, healthy]));
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.12:3000 -> nobody"]);
}

#[test]
fn a_task_without_an_address_is_left_out_with_a_note() {
    let definition = fargate("orders:7", LABELS);
    let mut task = running("t1", &definition, "10.0.0.11");
    task.addresses.clear();
    let outcome = join("", &observation(vec![definition], vec![task]));
    assert_eq!(outcome.endpoints(), [""; 0]);
    let found = outcome.found();
    assert!(found[0].starts_with("unreachable-task: ") && found[0].ends_with("no address of it is known"), "{found:?}");
}

#[test]
fn an_address_that_was_given_again_is_the_newest_tasks() {
    let old = fargate("orders:7", LABELS);
    let new = fargate("stock:1", &[("meshwright.service.stock.svc", "app:3000")]);
    let first = running("a", &old, "10.0.0.11");
    let mut second = running("b", &new, "10.0.0.11");
    second.started_at = Some(2000);
    let outcome = join("", &observation(vec![old, new], vec![first, second]));
    assert_eq!(outcome.endpoints(), ["stock.svc 10.0.0.11:3000 -> nobody"]);
}

#[test]
fn an_address_of_metadata_or_loopback_is_quarantined() {
    for address in ["169.254.170.2", "127.0.0.1", "0.0.0.0", "224.0.0.1", "::1", "fd00:ec2::254"] {
        let definition = fargate("orders:7", LABELS);
        let task = running("t1", &definition, address);
        let outcome = join("", &observation(vec![definition], vec![task]));
        assert_eq!(outcome.endpoints(), [""; 0], "{address}");
        assert_eq!(outcome.joined.quarantined.len(), 1, "{address}");
        outcome.compiled();
    }
}

#[test]
fn the_sidecar_of_a_task_that_starts_has_its_configuration_already() {
    let definition = fargate("orders:7", &[("envoy.service.orders.svc", "app:3000")]);
    let mut task = running("t1", &definition, "10.0.0.11");
    task.last_status = "PENDING".to_owned();
    let outcome = join("", &observation(vec![definition], vec![task]));
    assert_eq!(outcome.endpoints(), [""; 0]);
    assert_eq!(outcome.aliases(), ["orders = orders/7", "prod/t1 = orders/7"]);
    assert!(outcome.compiled().keys().any(|path| path == "orders/7/envoy.yaml"));
}

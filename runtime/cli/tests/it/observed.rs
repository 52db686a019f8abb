//! What runs on ECS, as a file beside a mesh or in its place.

use crate::cli::{code, meshwright, project, text};

const MESH: &str = "examples/ecs-fargate/mesh.kdl";
const OBSERVED: &str = "examples/ecs-fargate/observed.json";

#[track_caller]
fn check(arguments: &[&str], expected: i32) -> String {
    let output = meshwright(&project(), arguments);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(code(&output), expected, "{said}");
    said
}

#[test]
fn what_runs_is_added_to_a_mesh() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("text");
    let said = check(&["compile", MESH, "--observed", OBSERVED, "-o", folder], 0);
    assert!(said.contains("orders"), "{said}");
    check(&["check", MESH, "--observed", OBSERVED], 0);
}

#[test]
fn what_runs_is_a_mesh_of_its_own() {
    let said = check(&["check", "--from", "ecs", OBSERVED], 0);
    assert!(said.starts_with("mesh ecs: "), "{said}");
}

#[test]
fn a_file_that_is_missing_is_named() {
    let said = check(&["check", MESH, "--observed", "nowhere.json"], 74);
    assert!(said.contains("nowhere.json"), "{said}");
}

#[test]
fn of_a_file_that_cannot_be_read_no_line_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("observed.json");
    std::fs::write(&path, "{ \"password\": hunter2 }\n").expect("a file");
    let said = check(&["check", MESH, "--observed", path.to_str().expect("text")], 1);
    assert!(said.contains("error[unreadable-observation]") && !said.contains("hunter2"), "{said}");
    std::fs::write(&path, b"{\xff hunter2").expect("a file");
    let said = check(&["check", MESH, "--observed", path.to_str().expect("text")], 1);
    assert!(said.contains("error[not-utf8]") && !said.contains("hunter2"), "{said}");
}

#[test]
fn nobody_makes_an_error_of_what_a_task_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mesh, record) = (folder.path().join("mesh.kdl"), folder.path().join("observed.json"));
    let definition = r#"{"arn": "orders:7", "family": "orders", "revision": 7, "networkMode": "awsvpc",
        "containers": [{"name": "app", "labels": {"meshwright.service.orders.svc": "gone:3000"}}]}"#;
    let task = r#"{"arn": "task/shop/0a", "cluster": "cluster/shop", "taskDefinition": "orders:7",
        "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "addresses": ["10.0.1.11"]}"#;
    let head = r#""format": "meshwright-observation-1", "region": "eu-central-1",
        "clusters": [{"arn": "cluster/shop", "name": "shop"}]"#;
    let text = format!("{{{head}, \"taskDefinitions\": [{definition}], \"tasks\": [{task}]}}");
    std::fs::write(&record, text).expect("a file");
    let rules = "rules { rule \"quarantined-task\" level=\"error\"; }";
    std::fs::write(&mesh, format!("mesh \"shop\" {{ {rules}; }}")).expect("a file");
    let (mesh, record) = (mesh.to_str().expect("text"), record.to_str().expect("text"));
    let said = check(&["check", mesh, "--observed", record, "--deny", "warnings"], 0);
    assert!(said.contains("warning[quarantined-task]"), "{said}");
}

#[test]
fn serving_needs_a_mesh_or_ecs_and_ecs_is_read_or_recorded() {
    check(&["serve"], 64);
    check(&["serve", MESH, "--ecs", "--observed", OBSERVED], 64);
    check(&["serve", MESH, "--cluster", "production"], 64);
    let said = check(&["serve", MESH, "--ecs", "--interval", "100ms"], 64);
    assert!(said.contains("ECS is read every 1 s at most"), "{said}");
}

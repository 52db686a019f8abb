//! Tasks begin, get addresses and ports, become healthy, stop, and are forgotten.

use fake::Fake;
use fake::world::{Health, NewService, Pace, Run};
use serde_json::{Value, json};

use crate::client::{ecs, ip, with_orders};

async fn described(fake: &Fake, id: &str) -> Value {
    let request = json!({ "cluster": "production", "tasks": [id], "include": ["TAGS"] });
    let answer = ecs(fake, "DescribeTasks", request).await.json();
    answer["tasks"][0].clone()
}

fn address(task: &Value) -> Option<&str> {
    task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"].as_str()
}

#[tokio::test]
async fn a_task_runs_at_the_address_it_was_given() {
    let fake = with_orders().await;
    let id = fake.change(|world| world.run_task(Run::at("production", "orders", ip("127.9.0.4")))).unwrap();
    let task = described(&fake, &id).await;
    assert_eq!(address(&task), Some("127.9.0.4"));
    let details = task["attachments"][0]["details"].as_array().unwrap();
    assert!(details.contains(&json!({ "name": "privateIPv4Address", "value": "127.9.0.4" })), "{details:?}");
    assert_eq!((&task["lastStatus"], &task["healthStatus"]), (&json!("RUNNING"), &json!("HEALTHY")));
    assert_eq!((&task["launchType"], &task["group"]), (&json!("FARGATE"), &json!("family:orders")));
    assert_eq!(task["containers"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_address_may_be_told_by_the_attachment_alone() {
    let fake = with_orders().await;
    let id = fake.change(|world| world.run_task(Run::at("production", "orders", ip("127.9.0.4")))).unwrap();
    fake.change(|world| world.task_mut(&id).map(|task| task.hides_interfaces = true)).unwrap();
    let task = described(&fake, &id).await;
    assert_eq!(task["containers"][0]["networkInterfaces"], json!([]));
    assert!(task["attachments"].to_string().contains("127.9.0.4"));
}

#[tokio::test]
async fn with_awsvpc_on_ec2_a_task_has_an_address_and_a_host() {
    let fake = with_orders().await;
    let id = fake.change(|world| {
        world.add_instance("production", &[ip("10.0.0.9")]).unwrap();
        world.run_task(Run::at("production", "orders", ip("10.0.1.4"))).unwrap()
    });
    let task = described(&fake, &id).await;
    assert_eq!((address(&task), &task["launchType"]), (Some("10.0.1.4"), &json!("EC2")));
    assert!(task["containerInstanceArn"].is_string());
}

#[tokio::test]
async fn by_hand_each_step_of_a_life_is_seen() {
    let fake = with_orders().await;
    let id = fake.change(|world| {
        world.pace = Pace::ByHand;
        world.run_task(Run::at("production", "orders", ip("127.9.0.4"))).unwrap()
    });
    let first = described(&fake, &id).await;
    assert_eq!(first["lastStatus"], "PROVISIONING");
    assert_eq!(address(&first), None);
    let mut seen = Vec::new();
    while fake.change(|world| world.advance(&id)).unwrap() {
        seen.push(described(&fake, &id).await);
    }
    let statuses = |seen: &[Value]| -> Vec<String> {
        seen.iter().map(|task| task["lastStatus"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(statuses(&seen), ["PENDING", "ACTIVATING", "RUNNING"]);
    assert_eq!(seen[2]["healthStatus"], "UNKNOWN");
    assert!(seen[0]["startedAt"].is_null() && seen[2]["startedAt"].is_u64());

    fake.change(|world| world.stop_task(&id, "enough")).unwrap();
    let mut seen = vec![described(&fake, &id).await];
    while fake.change(|world| world.advance(&id)).unwrap() {
        seen.push(described(&fake, &id).await);
    }
    assert_eq!(statuses(&seen), ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]);
    assert!(seen.iter().all(|task| task["desiredStatus"] == "STOPPED"));
    let versions: Vec<u64> = seen.iter().map(|task| task["version"].as_u64().unwrap()).collect();
    assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");

    fake.change(|world| world.forget_task(&id)).unwrap();
    assert!(described(&fake, &id).await.is_null());
}

#[tokio::test]
async fn health_is_that_of_the_essential_containers_with_a_check() {
    let fake = with_orders().await;
    let id = fake.change(|world| world.run_task(Run::new("production", "orders"))).unwrap();
    fake.change(|world| world.set_health(&id, None, Health::Unhealthy)).unwrap();
    let task = described(&fake, &id).await;
    assert_eq!(task["healthStatus"], "UNHEALTHY");
    assert_eq!(task["containers"][1]["healthStatus"], "UNKNOWN");
}

#[tokio::test]
async fn in_bridge_mode_ports_are_ephemeral_ones_of_the_host() {
    let fake = with_orders().await;
    let definition = json!({
        "family": "carts",
        "containerDefinitions": [{
            "name": "app", "image": "x", "memory": 64,
            "portMappings": [{ "containerPort": 8080 }, { "containerPort": 4100, "hostPort": 4100 }],
        }],
    });
    let (one, other) = fake.change(|world| {
        world.register(&definition).unwrap();
        world.add_instance("production", &[ip("10.0.0.9")]).unwrap();
        let mut run = || world.run_task(Run::new("production", "carts")).unwrap();
        (run(), run())
    });
    let binding = |host: u16, container: u16| json!({ "bindIP": "0.0.0.0", "containerPort": container, "hostPort": host, "protocol": "tcp" });
    let one = described(&fake, &one).await;
    assert_eq!(one["containers"][0]["networkBindings"], json!([binding(32768, 8080), binding(4100, 4100)]));
    assert_eq!(one["attachments"], json!([]));
    assert!(one["containerInstanceArn"].as_str().unwrap().contains(":container-instance/production/"));
    let other = described(&fake, &other).await;
    assert_eq!(other["containers"][0]["networkBindings"][0]["hostPort"], 32769);
}

#[tokio::test]
async fn in_host_mode_no_binding_is_told() {
    let fake = with_orders().await;
    let ports = json!([{ "containerPort": 8080 }]);
    let containers = json!([{ "name": "app", "image": "x", "memory": 64, "portMappings": ports }]);
    let id = fake.change(|world| {
        let definition = json!({ "family": "h", "networkMode": "host", "containerDefinitions": containers });
        world.register(&definition).unwrap();
        world.add_instance("production", &[ip("10.0.0.9")]).unwrap();
        world.run_task(Run::new("production", "h")).unwrap()
    });
    assert_eq!(described(&fake, &id).await["containers"][0]["networkBindings"], json!([]));
}

#[tokio::test]
async fn a_service_has_as_many_tasks_as_are_desired() {
    let fake = with_orders().await;
    let service = NewService {
        cluster: "production".to_owned(),
        name: "orders".to_owned(),
        task_definition: "orders".to_owned(),
        desired: 1,
        addresses: vec![ip("127.9.0.1")],
        ..NewService::default()
    };
    let first = fake.change(|world| world.create_service(service)).unwrap();
    assert_eq!(described(&fake, &first[0]).await["group"], "service:orders");
    let running = |fake: &Fake| fake.change(|world| world.tasks_of("production", "orders").unwrap());
    fake.change(|world| world.set_desired("production", "orders", 3)).unwrap();
    assert_eq!(running(&fake).len(), 3);
    let new = fake.change(|world| world.deploy("production", "orders", "orders")).unwrap();
    assert_eq!(running(&fake), new);
    fake.change(|world| world.set_desired("production", "orders", 1)).unwrap();
    assert_eq!(running(&fake), &new[2..]);
    let counts = ecs(&fake, "DescribeServices", json!({ "cluster": "production", "services": ["orders"] })).await;
    assert_eq!(counts.json()["services"][0]["runningCount"], 1);
}

#[tokio::test]
async fn a_replaced_task_may_leave_its_address_to_the_next() {
    let fake = with_orders().await;
    let old = fake.change(|world| world.run_task(Run::at("production", "orders", ip("127.9.0.1")))).unwrap();
    let new = fake.change(|world| world.replace_task(&old, Some(ip("127.9.0.1")))).unwrap();
    let (old, new) = (described(&fake, &old).await, described(&fake, &new).await);
    assert_eq!((old["lastStatus"].clone(), new["lastStatus"].clone()), (json!("STOPPED"), json!("RUNNING")));
    assert_eq!(address(&old), address(&new));
    assert!(old["startedAt"].as_u64() < new["startedAt"].as_u64());
}

#[tokio::test]
async fn tags_and_overrides_are_told() {
    let fake = with_orders().await;
    let environment = json!([{ "name": "NJ_COLOR", "value": "blue" }]);
    let overrides = json!({ "containerOverrides": [{ "name": "app", "environment": environment }] });
    let tags = [("NJ_SERVICE".to_owned(), "orders".to_owned())].into();
    let run = Run { overrides, tags, ..Run::new("production", "orders") };
    let id = fake.change(|world| world.run_task(run)).unwrap();
    let task = described(&fake, &id).await;
    assert_eq!(task["tags"], json!([{ "key": "NJ_SERVICE", "value": "orders" }]));
    assert_eq!(task["overrides"]["containerOverrides"][0]["environment"], environment);
    assert_eq!(task["overrides"]["containerOverrides"][1], json!({ "name": "log" }));
}

#[tokio::test]
async fn what_no_function_changes_is_changed_by_hand() {
    let fake = with_orders().await;
    let zone = Some("eu-central-1c".to_owned());
    let run = Run { availability_zone: zone, ..Run::new("production", "orders") };
    let id = fake.change(|world| world.run_task(run)).unwrap();
    fake.change(|world| world.task_mut(&id).map(|task| task.started_at = Some(1))).unwrap();
    let task = described(&fake, &id).await;
    assert_eq!((&task["startedAt"], &task["availabilityZone"]), (&json!(1), &json!("eu-central-1c")));
}

#[tokio::test]
async fn the_same_changes_make_the_same_world() {
    let ids = async || {
        let fake = with_orders().await;
        fake.change(|world| world.run_task(Run::new("production", "orders"))).unwrap()
    };
    assert_eq!(ids().await, ids().await);
}

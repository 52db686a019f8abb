//! Task definitions are kept as they were registered, and refused where ECS refuses them.

use serde_json::{Value, json};

use crate::client::{ecs, orders, with_orders};

#[tokio::test]
async fn a_definition_is_described_by_family_revision_and_arn() {
    let fake = with_orders().await;
    let registered = ecs(&fake, "RegisterTaskDefinition", orders()).await.json();
    let arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/orders:2";
    assert_eq!(registered["taskDefinition"]["taskDefinitionArn"], arn);
    let revision = async |name: &str| {
        let answer = ecs(&fake, "DescribeTaskDefinition", json!({ "taskDefinition": name })).await.json();
        answer["taskDefinition"]["revision"].as_u64()
    };
    assert_eq!(revision("orders").await, Some(2));
    assert_eq!(revision("orders:1").await, Some(1));
    assert_eq!(revision(arn).await, Some(2));
    assert_eq!(revision("orders:3").await, None);
    assert_eq!(revision("orders:0").await, None);
}

#[tokio::test]
async fn what_was_registered_is_told_with_what_ecs_fills_in() {
    let fake = with_orders().await;
    let request = json!({ "taskDefinition": "orders", "include": ["TAGS"] });
    let answer = ecs(&fake, "DescribeTaskDefinition", request).await.json();
    let app = &answer["taskDefinition"]["containerDefinitions"][0];
    assert_eq!(app["dockerLabels"], json!({ "envoy.service.name": "orders" }));
    assert_eq!(app["portMappings"], json!([{ "containerPort": 8080, "hostPort": 8080, "protocol": "tcp" }]));
    assert_eq!(app["essential"], true);
    assert_eq!(answer["tags"], json!([{ "key": "team", "value": "shop" }]));
    let without = ecs(&fake, "DescribeTaskDefinition", json!({ "taskDefinition": "orders" })).await.json();
    assert_eq!(without["tags"], json!([]));
}

/// What ECS says to `orders` with one field changed, by JSON pointer.
async fn refusal(path: &str, value: Value) -> String {
    let fake = with_orders().await;
    let mut definition = orders();
    let (parent, key) = path.rsplit_once('/').unwrap();
    definition.pointer_mut(parent).unwrap()[key] = value;
    let answer = ecs(&fake, "RegisterTaskDefinition", definition).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    answer.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_ecs_refuses_is_refused() {
    let app = "/containerDefinitions/0";
    let cases = [
        ("/family", json!(""), "Family should not be null or empty."),
        ("/family", json!("or ders"), "Family contains invalid characters."),
        ("/containerDefinitions", json!([]), "Container list cannot be empty."),
        ("/networkMode", json!("bridge"), "Fargate only supports network mode ‘awsvpc’."),
        ("/cpu", Value::Null, "Fargate requires that 'cpu' be defined at the task level."),
        ("/memory", json!("4096"), "No Fargate configuration exists for given values."),
        (&format!("{app}/image"), json!(""), "Container.image should not be null or empty."),
        (&format!("{app}/name"), json!("log"), "Container names must be unique."),
        (&format!("{app}/essential"), json!(false), "At least one container must be essential."),
        (&format!("{app}/healthCheck/interval"), json!(1), "A health check's interval must be between 5 and 300."),
        (&format!("{app}/mountPoints"), json!([{ "sourceVolume": "v", "containerPath": "/v" }]), "Unknown volume 'v'."),
        (
            &format!("{app}/portMappings/0/hostPort"),
            json!(80),
            "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
        ),
        (
            &format!("{app}/logConfiguration"),
            json!({ "logDriver": "awslogs" }),
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ),
        (
            &format!("{app}/dependsOn"),
            json!([{ "containerName": "log", "condition": "HEALTHY" }]),
            "Container 'log' must have a health check: others wait for it to be HEALTHY.",
        ),
        (
            &format!("{app}/dependsOn"),
            json!([{ "containerName": "app", "condition": "START" }]),
            "Container dependencies must not be circular.",
        ),
        (
            "/proxyConfiguration",
            json!({ "containerName": "envoy", "type": "APPMESH" }),
            "The proxy's container 'envoy' is not in the task.",
        ),
    ];
    for (path, value, expected) in cases {
        assert_eq!(refusal(path, value).await, expected, "{path}");
    }
}

#[tokio::test]
async fn on_ec2_a_container_needs_memory() {
    let fake = with_orders().await;
    let definition = json!({ "family": "carts", "containerDefinitions": [{ "name": "app", "image": "x" }] });
    let answer = ecs(&fake, "RegisterTaskDefinition", definition).await;
    assert!(answer.text.contains("At least one of 'memory' or 'memoryReservation'"), "{}", answer.text);
}

#[tokio::test]
async fn what_ecs_refuses_can_be_had_all_the_same() {
    let fake = with_orders().await;
    let mut definition = orders();
    definition["containerDefinitions"][0]["dockerLabels"]["x"] = json!("x".repeat(1 << 20));
    let refused = ecs(&fake, "RegisterTaskDefinition", definition.clone()).await;
    assert!(refused.text.contains("Max allowed length is '65536' bytes."), "{}", refused.text);
    fake.change(|world| world.register_unchecked(&definition)).unwrap();
    let answer = ecs(&fake, "DescribeTaskDefinition", json!({ "taskDefinition": "orders:2" })).await;
    assert!(answer.text.len() > 1 << 20);
}

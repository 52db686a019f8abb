//! Scripts in other languages change the world over HTTP.

use fake::Fake;
use serde_json::json;

use crate::client::{door, ecs, orders};

#[tokio::test]
async fn a_world_is_made_through_the_door() {
    let fake = Fake::start().await.unwrap();
    let changes = json!([
        { "do": "createCluster", "name": "production" },
        { "do": "register", "definition": orders() },
        { "do": "addAddresses", "addresses": ["127.9.0.1", "127.9.0.2"] },
        { "do": "createService", "cluster": "production", "name": "orders", "taskDefinition": "orders", "desired": 2 },
        { "do": "runTask", "cluster": "production", "taskDefinition": "orders", "address": "127.9.0.3" },
    ]);
    let made = door(&fake, "change", changes).await.json();
    assert_eq!(made[3].as_array().unwrap().len(), 2);
    let task = made[4].as_str().unwrap().to_owned();
    let health = json!({ "do": "setHealth", "task": task, "health": "UNHEALTHY" });
    assert_eq!(door(&fake, "change", health).await.status, 200);
    let answer = ecs(&fake, "DescribeTasks", json!({ "cluster": "production", "tasks": [task] })).await.json();
    assert_eq!(answer["tasks"][0]["healthStatus"], "UNHEALTHY");
}

#[tokio::test]
async fn faults_and_limits_are_set_through_the_door() {
    let fake = Fake::start().await.unwrap();
    let faults = json!([
        { "action": "ListClusters", "times": 1, "kind": "throttled" },
        { "action": "ListClusters", "kind": { "slow": { "bytesPerSecond": 1000 } } },
    ]);
    assert_eq!(door(&fake, "faults", faults).await.status, 200);
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.code(), "ThrottlingException");
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.status, 200);
    assert_eq!(fake.calls().with("ListClusters", "slow"), 1);

    door(&fake, "faults", json!([])).await;
    door(&fake, "limits", json!({ "rate": 0.0001, "burst": 1 })).await;
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.status, 200);
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.code(), "ThrottlingException");
}

#[tokio::test]
async fn calls_must_be_signed_if_that_is_demanded() {
    let fake = Fake::start().await.unwrap();
    door(&fake, "credentials", json!({ "accessKey": "test", "secretKey": "secret" })).await;
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.code(), "MissingAuthenticationTokenException");
    door(&fake, "credentials", json!(null)).await;
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.status, 200);
}

#[tokio::test]
async fn what_the_door_does_not_understand_it_refuses() {
    let fake = Fake::start().await.unwrap();
    assert_eq!(door(&fake, "change", json!({ "do": "fly" })).await.status, 400);
    assert_eq!(door(&fake, "window", json!({})).await.status, 404);
    let unknown = json!({ "do": "stopTask", "task": "0" });
    assert_eq!(door(&fake, "change", unknown).await.code(), "InvalidParameterException");
}

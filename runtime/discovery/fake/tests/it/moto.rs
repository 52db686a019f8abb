//! moto registers, runs and describes what the fake does.

use serde_json::json;

use crate::client::orders;

#[tokio::test]
async fn what_is_registered_and_run_is_described_and_stays() {
    let moto = fake::moto::start().await.unwrap();
    moto.create_cluster("production").await.unwrap();
    let arn = moto.register(&orders()).await.unwrap();
    assert!(arn.ends_with(":task-definition/orders:1"), "{arn}");
    let tasks = moto.run("production", "orders", 2).await.unwrap();
    assert_eq!(tasks.len(), 2);
    for _ in 0..5 {
        let request = json!({ "cluster": "production", "tasks": tasks });
        let described = moto.ecs("DescribeTasks", &request).await.unwrap();
        for task in described["tasks"].as_array().unwrap() {
            assert_eq!(task["lastStatus"], "RUNNING");
            let details = task["attachments"][0]["details"].as_array().unwrap();
            assert!(details.iter().any(|detail| detail["name"] == "privateIPv4Address"), "{details:?}");
        }
    }
}

#[tokio::test]
async fn what_moto_refuses_is_told() {
    let moto = fake::moto::start().await.unwrap();
    let error = moto.ecs("ListTasks", &json!({ "cluster": "nowhere" })).await.unwrap_err();
    assert!(error.to_string().contains("ClusterNotFoundException"), "{error}");
}

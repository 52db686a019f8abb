//! The agent tells a task who it is, and gives it credentials.

use std::time::Duration;

use fake::faults::{Fault, Kind};
use fake::signature::Credentials;
use fake::world::Run;
use serde_json::json;

use crate::client::{ip, send, with_orders};

#[tokio::test]
async fn a_task_is_told_who_it_is() {
    let fake = with_orders().await;
    let id = fake.change(|world| world.run_task(Run::at("production", "orders", ip("127.9.0.4")))).unwrap();
    let url = fake.metadata_url(&id);
    let path = url.strip_prefix(&fake.url()).unwrap();
    let task = send(fake.address(), &format!("{path}/task"), None, String::new()).await.unwrap().json();
    assert_eq!(task["Cluster"], "arn:aws:ecs:eu-central-1:123456789012:cluster/production");
    assert_eq!(task["TaskARN"], format!("arn:aws:ecs:eu-central-1:123456789012:task/production/{id}"));
    assert_eq!((&task["Family"], &task["Revision"]), (&json!("orders"), &json!("1")));
    let container = send(fake.address(), path, None, String::new()).await.unwrap().json();
    assert_eq!(container["Networks"][0]["IPv4Addresses"], json!(["127.9.0.4"]));
    assert_eq!(container["Labels"]["com.amazonaws.ecs.task-definition-family"], "orders");

    assert_eq!(send(fake.address(), "/v4/0/task", None, String::new()).await.unwrap().status, 404);
}

#[tokio::test]
async fn a_task_is_given_the_credentials_that_are_demanded() {
    let fake = with_orders().await;
    let (access_key, secret_key) = ("ASIA".to_owned(), "hush".to_owned());
    fake.demand(Credentials { access_key, secret_key, token: Some("t".to_owned()) });
    fake.let_credentials_last(Duration::ZERO);
    let given = send(fake.address(), "/credentials", None, String::new()).await.unwrap().json();
    let values = ["AccessKeyId", "SecretAccessKey", "Token"].map(|key| given[key].as_str().unwrap().to_owned());
    assert_eq!(values, ["ASIA", "hush", "t"]);
    assert!(given["Expiration"].as_str().unwrap().ends_with('Z'));
    fake.fail([Fault::of("GetCredentials", Kind::Reset)]);
    assert!(send(fake.address(), "/credentials", None, String::new()).await.is_err());
}

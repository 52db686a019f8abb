//! Lists come in pages of 100, and nothing is described by more than AWS's caps.

use std::collections::BTreeSet;

use fake::world::{NewService, Run};
use serde_json::{Value, json};

use crate::client::{cloud_map, ec2, ecs, ip, with_orders};

async fn with_tasks(count: usize) -> fake::Fake {
    let fake = with_orders().await;
    fake.change(|world| {
        for _ in 0..count {
            world.run_task(Run::new("production", "orders")).unwrap();
        }
    });
    fake
}

async fn all_pages(fake: &fake::Fake) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = Value::Null;
    loop {
        let page = ecs(fake, "ListTasks", json!({ "cluster": "production", "nextToken": token })).await.json();
        pages.push(serde_json::from_value(page["taskArns"].clone()).unwrap());
        token = page["nextToken"].clone();
        if token.is_null() {
            return pages;
        }
    }
}

#[tokio::test]
async fn tasks_are_listed_in_pages_of_a_hundred_each_once() {
    let fake = with_tasks(250).await;
    let pages = all_pages(&fake).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>().len(), 250);
}

#[tokio::test]
async fn a_page_may_be_smaller_but_not_larger() {
    let fake = with_tasks(3).await;
    let page = |size: u64| ecs(&fake, "ListTasks", json!({ "cluster": "production", "maxResults": size }));
    assert_eq!(page(2).await.json()["taskArns"].as_array().unwrap().len(), 2);
    assert_eq!(page(101).await.code(), "InvalidParameterException");
}

#[tokio::test]
async fn a_task_that_ends_between_two_pages_hides_no_other() {
    let fake = with_tasks(150).await;
    let first = ecs(&fake, "ListTasks", json!({ "cluster": "production" })).await.json();
    let gone = first["taskArns"][0].as_str().unwrap().to_owned();
    fake.change(|world| world.stop_task(&gone, "done")).unwrap();
    let request = json!({ "cluster": "production", "nextToken": first["nextToken"] });
    let second = ecs(&fake, "ListTasks", request).await.json();
    assert_eq!(second["taskArns"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn tokens_expire() {
    let fake = with_tasks(150).await;
    let first = ecs(&fake, "ListTasks", json!({ "cluster": "production" })).await.json();
    fake.change(|world| world.expire_tokens());
    let request = json!({ "cluster": "production", "nextToken": first["nextToken"] });
    assert_eq!(ecs(&fake, "ListTasks", request).await.code(), "InvalidParameterException");
    assert_eq!(ecs(&fake, "ListTasks", json!({ "cluster": "production", "nextToken": "é" })).await.status, 400);
}

#[tokio::test]
async fn a_hundred_tasks_are_described_and_one_more_is_refused() {
    let fake = with_tasks(101).await;
    let arns: Vec<String> = fake.change(|world| world.tasks().map(|task| task.arn.clone()).collect());
    let describe = |arns: &[String]| ecs(&fake, "DescribeTasks", json!({ "cluster": "production", "tasks": arns }));
    assert_eq!(describe(&arns[..100]).await.json()["tasks"].as_array().unwrap().len(), 100);
    assert_eq!(describe(&arns).await.code(), "InvalidParameterException");
    assert_eq!(describe(&[]).await.code(), "InvalidParameterException");
}

#[tokio::test]
async fn what_is_unknown_is_missing() {
    let fake = with_tasks(1).await;
    let known = fake.change(|world| world.tasks().next().unwrap().arn.clone());
    let other = known.replace("/production/", "/staging/");
    let request = json!({ "cluster": "production", "tasks": [known, other, "0123"] });
    let answer = ecs(&fake, "DescribeTasks", request).await.json();
    assert_eq!(answer["tasks"].as_array().unwrap().len(), 1);
    let unknown = "arn:aws:ecs:eu-central-1:123456789012:task/production/0123";
    let missing = json!([{ "arn": other, "reason": "MISSING" }, { "arn": unknown, "reason": "MISSING" }]);
    assert_eq!(answer["failures"], missing);
}

#[tokio::test]
async fn tasks_are_listed_by_what_they_are_asked_for() {
    let fake = with_tasks(2).await;
    fake.change(|world| {
        let service = NewService {
            cluster: "production".to_owned(),
            name: "orders".to_owned(),
            task_definition: "orders".to_owned(),
            desired: 3,
            ..NewService::default()
        };
        let ids = world.create_service(service).unwrap();
        world.stop_task(&ids[0], "done").unwrap();
    });
    let count = async |filter: Value| {
        let mut request = json!({ "cluster": "production" });
        request.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        ecs(&fake, "ListTasks", request).await.json()["taskArns"].as_array().unwrap().len()
    };
    assert_eq!(count(json!({})).await, 4);
    assert_eq!(count(json!({ "desiredStatus": "STOPPED" })).await, 1);
    assert_eq!(count(json!({ "serviceName": "orders" })).await, 2);
    assert_eq!(count(json!({ "family": "orders" })).await, 4);
    assert_eq!(count(json!({ "family": "carts" })).await, 0);
    assert_eq!(count(json!({ "launchType": "EC2" })).await, 0);
}

#[tokio::test]
async fn services_are_described_by_ten() {
    let fake = with_orders().await;
    let names: Vec<String> = (0..11).map(|number| format!("s{number}")).collect();
    let describe =
        |names: &[String]| ecs(&fake, "DescribeServices", json!({ "cluster": "production", "services": names }));
    assert_eq!(describe(&names[..10]).await.json()["failures"].as_array().unwrap().len(), 10);
    assert_eq!(describe(&names).await.code(), "InvalidParameterException");
}

#[tokio::test]
async fn errors_have_the_shape_of_json_1_1() {
    let fake = with_orders().await;
    let answer = ecs(&fake, "ListTasks", json!({ "cluster": "nowhere" })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), json!({ "__type": "ClusterNotFoundException", "message": "Cluster not found." }));
    assert_eq!(answer.request_id.unwrap().len(), 36);
    assert_eq!(ecs(&fake, "DescribeTaskDefinition", json!({ "taskDefinition": "x" })).await.code(), "ClientException");
    assert_eq!(ecs(&fake, "LaunchRocket", json!({})).await.code(), "UnknownOperationException");
}

#[tokio::test]
async fn hosts_tell_their_addresses_through_ec2() {
    let fake = with_orders().await;
    let addresses = [ip("10.0.0.9"), ip("fd00::9")];
    let (id, instance) = fake.change(|world| {
        let id = world.add_instance("production", &addresses).unwrap();
        let instance = world.cluster(Some("production")).unwrap().instances[&id].ec2_instance_id.clone();
        (id, instance)
    });
    let request = json!({ "cluster": "production", "containerInstances": [id, "x"] });
    let answer = ecs(&fake, "DescribeContainerInstances", request).await.json();
    assert_eq!(answer["containerInstances"][0]["ec2InstanceId"], json!(instance));
    assert_eq!(answer["failures"][0]["reason"], "MISSING");

    let found = ec2(&fake, &format!("Action=DescribeInstances&Version=2016-11-15&InstanceId.1={instance}")).await;
    assert!(found.text.contains("<privateIpAddress>10.0.0.9</privateIpAddress>"), "{}", found.text);
    assert!(found.text.contains("<ipv6Address>fd00::9</ipv6Address>"), "{}", found.text);
    let unknown = ec2(&fake, "Action=DescribeInstances&InstanceId.1=i-0").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.text.contains("<Code>InvalidInstanceID.NotFound</Code>"), "{}", unknown.text);
}

#[tokio::test]
async fn cloud_map_gives_the_instances_that_are_healthy() {
    let fake = with_orders().await;
    fake.change(|world| {
        world.register_instance("shop.local", "orders", "a", ip("10.0.0.1"), 8080);
        world.register_instance("shop.local", "orders", "b", ip("10.0.0.2"), 8080);
        let service = world.namespace_service("shop.local", "orders");
        service.instances.get_mut("b").unwrap().health = fake::world::Health::Unhealthy;
    });
    let discover = |namespace: &str, health: &str| {
        let request = json!({ "NamespaceName": namespace, "ServiceName": "orders", "HealthStatus": health });
        cloud_map(&fake, "DiscoverInstances", request)
    };
    assert_eq!(discover("shop.local", "ALL").await.json()["Instances"].as_array().unwrap().len(), 2);
    let healthy = discover("shop.local", "HEALTHY").await.json();
    assert_eq!(healthy["Instances"][0]["Attributes"]["AWS_INSTANCE_IPV4"], "10.0.0.1");
    assert_eq!(discover("nowhere", "ALL").await.code(), "NamespaceNotFound");
}

//! Every fault, as a plain HTTP client meets it.

use std::error::Error;
use std::time::{Duration, Instant};

use fake::Fake;
use fake::faults::{Fault, Kind};
use fake::limits::Limits;
use fake::world::Run;
use serde_json::json;

use crate::client::{ec2, ecs, try_ecs, with_orders};

/// The code that ListClusters is refused with under a fault.
async fn code(kind: Kind) -> (u16, String) {
    let fake = with_orders().await;
    fake.fail([Fault::every(kind)]);
    let answer = ecs(&fake, "ListClusters", json!({})).await;
    assert_eq!(fake.calls().with("ListClusters", &answer.code()), 1);
    (answer.status, answer.code())
}

#[tokio::test]
async fn errors_that_every_service_has() {
    let code = async |kind| {
        let (status, code) = code(kind).await;
        format!("{status} {code}")
    };
    assert_eq!(code(Kind::Throttled).await, "400 ThrottlingException");
    assert_eq!(code(Kind::ServerError).await, "500 ServerException");
    assert_eq!(code(Kind::Unavailable).await, "503 ServiceUnavailableException");
    assert_eq!(code(Kind::ExpiredCredentials).await, "400 ExpiredTokenException");
    assert_eq!(code(Kind::Denied).await, "400 AccessDeniedException");
    let own = Kind::Error { code: "LimitExceededException".to_owned(), message: String::new(), status: 400 };
    assert_eq!(code(own).await, "400 LimitExceededException");
}

#[tokio::test]
async fn ec2_says_them_in_its_own_words() {
    let fake = with_orders().await;
    fake.fail([Fault::of("DescribeInstances", Kind::Throttled)]);
    let answer = ec2(&fake, "Action=DescribeInstances").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("<Code>RequestLimitExceeded</Code>"), "{}", answer.text);
    assert_eq!(fake.calls().outcome("ThrottlingException"), 1);
}

#[tokio::test]
async fn an_account_has_a_bucket_of_calls() {
    let fake = with_orders().await;
    // So slow that nothing comes back while this test runs.
    fake.limit(Limits::shared(0.000_1, 3.0));
    for _ in 0..5 {
        ecs(&fake, "ListClusters", json!({})).await;
    }
    assert_eq!((fake.calls().with("ListClusters", "ok"), fake.calls().outcome("ThrottlingException")), (3, 2));
    fake.limit(Limits::none());
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.status, 200);
}

#[test]
fn a_bucket_fills_with_time() {
    let mut limits = Limits::aws();
    let mut allowed = |seconds: f64| {
        let at = Duration::from_secs_f64(seconds);
        (0..1000).filter(|_| limits.allow("ListTasks", at)).count()
    };
    assert_eq!([allowed(0.0), allowed(1.0), allowed(100.0)], [100, 20, 100]);
    assert!(limits.allow("DescribeTaskDefinition", Duration::from_secs(100)), "that is another bucket");
}

#[tokio::test]
async fn the_connection_is_reset() {
    let fake = with_orders().await;
    fake.fail([Fault::every(Kind::Reset)]);
    let error = try_ecs(&fake, "ListClusters", json!({})).await.err().unwrap();
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>()).unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(fake.calls().with("ListClusters", "reset"), 1);
}

#[tokio::test]
async fn there_is_no_answer() {
    let fake = with_orders().await;
    fake.fail([Fault::every(Kind::Silence)]);
    let call = try_ecs(&fake, "ListClusters", json!({}));
    assert!(tokio::time::timeout(Duration::from_millis(300), call).await.is_err());
    assert_eq!(fake.calls().with("ListClusters", "silence"), 1);
}

#[tokio::test]
async fn the_answer_is_late() {
    let fake = with_orders().await;
    fake.fail([Fault::every(Kind::Delay { millis: 200 })]);
    let before = Instant::now();
    assert_eq!(ecs(&fake, "ListClusters", json!({})).await.status, 200);
    assert!(before.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_answer_trickles() {
    let fake = with_orders().await;
    fake.fail([Fault::every(Kind::Slow { bytes_per_second: 400 })]);
    let before = Instant::now();
    let answer = ecs(&fake, "ListClusters", json!({})).await;
    assert!(answer.json()["clusterArns"].is_array());
    assert!(before.elapsed().as_secs_f64() >= answer.text.len() as f64 / 400.0);
}

#[tokio::test]
async fn the_answer_is_broken_off() {
    let fake = with_orders().await;
    fake.fail([Fault::every(Kind::Truncated)]);
    assert!(try_ecs(&fake, "ListClusters", json!({})).await.is_err());
}

#[tokio::test]
async fn the_answer_is_no_json() {
    let fake = with_orders().await;
    fake.fail([Fault::every(Kind::WrongJson)]);
    let answer = ecs(&fake, "ListClusters", json!({})).await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&answer.text).is_err());
}

async fn with_tasks(count: usize) -> Fake {
    let fake = with_orders().await;
    fake.change(|world| {
        for _ in 0..count {
            world.run_task(Run::new("production", "orders")).unwrap();
        }
    });
    fake
}

#[tokio::test]
async fn one_page_of_several_fails() {
    let fake = with_tasks(250).await;
    fake.fail([Fault::of("ListTasks", Kind::ServerError).page(2)]);
    let first = ecs(&fake, "ListTasks", json!({ "cluster": "production" })).await.json();
    let second = json!({ "cluster": "production", "nextToken": first["nextToken"] });
    assert_eq!(ecs(&fake, "ListTasks", second.clone()).await.status, 500);
    fake.fail([Fault::of("ListTasks", Kind::ExpiredPage).page(2).times(1)]);
    assert_eq!(ecs(&fake, "ListTasks", second.clone()).await.code(), "InvalidParameterException");
    assert_eq!(ecs(&fake, "ListTasks", second).await.json()["taskArns"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn tokens_lead_in_a_circle() {
    let fake = with_tasks(1).await;
    fake.fail([Fault::of("ListTasks", Kind::LoopingToken)]);
    let first = ecs(&fake, "ListTasks", json!({ "cluster": "production" })).await.json();
    let token = first["nextToken"].clone();
    let next = ecs(&fake, "ListTasks", json!({ "cluster": "production", "nextToken": token })).await.json();
    assert_eq!(next, first);
}

#[tokio::test]
async fn everything_comes_twice() {
    let fake = with_tasks(2).await;
    fake.fail([Fault::of("ListTasks", Kind::Duplicates)]);
    let list = ecs(&fake, "ListTasks", json!({ "cluster": "production" })).await.json();
    assert_eq!(list["taskArns"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn some_tasks_are_missing() {
    let fake = with_tasks(10).await;
    let ids: Vec<String> = fake.change(|world| world.tasks().map(|task| task.id.clone()).collect());
    let split = async |kind: Kind| {
        fake.fail([Fault::of("DescribeTasks", kind)]);
        let answer = ecs(&fake, "DescribeTasks", json!({ "cluster": "production", "tasks": ids })).await.json();
        (answer["tasks"].as_array().unwrap().len(), answer["failures"].as_array().unwrap().len())
    };
    assert_eq!(split(Kind::Missing { tasks: vec![ids[3].clone()], share: 0.0 }).await, (9, 1));
    let (found, missing) = split(Kind::Missing { tasks: Vec::new(), share: 0.5 }).await;
    assert!(found > 0 && missing > 0 && found + missing == 10, "{found} and {missing}");
}

#[tokio::test]
async fn answers_may_be_of_an_older_world() {
    let fake = with_tasks(1).await;
    fake.remember();
    fake.change(|world| world.run_task(Run::new("production", "orders"))).unwrap();
    fake.fail([Fault::every(Kind::Stale).times(1)]);
    let count = async || {
        let list = ecs(&fake, "ListTasks", json!({ "cluster": "production" })).await.json();
        list["taskArns"].as_array().unwrap().len()
    };
    assert_eq!((count().await, count().await), (1, 2));
}

#[tokio::test]
async fn a_fault_may_meet_one_family_alone() {
    let fake = with_orders().await;
    fake.fail([Fault::of("DescribeTaskDefinition", Kind::Throttled).matching("carts")]);
    let describe =
        async |family: &str| ecs(&fake, "DescribeTaskDefinition", json!({ "taskDefinition": family })).await.code();
    assert_eq!(describe("carts:1").await, "ThrottlingException");
    assert_eq!(describe("orders:1").await, "");
}

#[tokio::test]
async fn a_fault_may_meet_a_share_or_a_number_of_calls() {
    let fake = with_orders().await;
    fake.fail([Fault::every(Kind::Throttled).share(0.5)]);
    for _ in 0..100 {
        ecs(&fake, "ListClusters", json!({})).await;
    }
    let throttled = fake.calls().outcome("ThrottlingException");
    assert!((30..=70).contains(&throttled), "{throttled}");

    fake.forget_calls();
    fake.fail([Fault::every(Kind::Throttled).times(2)]);
    for _ in 0..5 {
        ecs(&fake, "ListClusters", json!({})).await;
    }
    assert_eq!((fake.calls().outcome("ThrottlingException"), fake.calls().outcome("ok")), (2, 3));
}

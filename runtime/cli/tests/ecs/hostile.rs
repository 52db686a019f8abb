//! C6: what one task says hurts nobody else.

use fake::world::Run;
use serde_json::{Value, json};
use trials::proxy::Trouble;
use trials::tasks::definitions::{ORDERS, json as read};
use trials::tasks::{CLUSTER, scenes};

use crate::shop::{PATIENCE, Shop, is_well};

/// Labels that try to be something else.
fn labels() -> Vec<(&'static str, Value)> {
    let many = |count: usize| -> Value {
        let label = |number: usize| (format!("envoy.service.many-{number}.svc"), json!("app:8080"));
        Value::Object((0..count).map(label).collect())
    };
    vec![
        ("a value of a megabyte", json!({ "envoy.service.big.svc.annotations.healthcheck.path": "x".repeat(1 << 20) })),
        ("ten thousand labels", many(10_000)),
        ("a newline", json!({ "envoy.service.a\nb.svc": "app:8080" })),
        ("YAML", json!({ "envoy.service.x: [&a": "app:8080", "envoy.service.y.svc": "app:8080\n- evil: true" })),
        ("JSON", json!({ "envoy.service.{\"a\":1}": "app:8080" })),
        ("a format string", json!({ "envoy.service.%ENVIRONMENT(AWS_SECRET)%.svc": "app:8080" })),
        ("a template", json!({ "envoy.service.{{secrets}}": "app:8080", "meshwright.node": "{{node}}" })),
        ("a path", json!({ "envoy.service.../../etc/passwd": "app:8080", "meshwright.node": "../../web" })),
        ("a confusable name", json!({ "envoy.service.оrders.svc": "app:8080" })),
        ("another team's service", json!({ "envoy.service.orders.svc": "app:8080" })),
        (
            "an overlay",
            json!({ "meshwright.service.z.svc": "app:8080", "meshwright.service.z.svc.envoy-overlay": "{}" }),
        ),
        ("no port", json!({ "envoy.service.p.svc": "app:99999999" })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_with_hostile_labels_hurts_no_other_task() {
    let mut shop = Shop::owned(1).await;
    for (number, (what, labels)) in labels().into_iter().enumerate() {
        let mut definition = read(ORDERS).unwrap();
        definition["family"] = json!(format!("hostile-{number}"));
        let definition = shop.tasks.register(&definition).unwrap_or_else(|error| panic!("{what}: {error}"));
        let address = shop.tasks.address().unwrap();
        // Nothing runs in it: nobody shall ask. ECS takes 64 KiB at registration; what it took is not relied on.
        shop.tasks.fake.change(|world| {
            let registered = world.definitions.get_mut(&format!("hostile-{number}")).unwrap().last_mut().unwrap();
            registered.registered["containerDefinitions"][0]["dockerLabels"] = labels;
            let id = world.run_task(Run::at(CLUSTER, &definition, address)).unwrap();
            world.set_status(&id, fake::world::Status::Running).unwrap();
        });
    }
    shop.tasks.wait_for_polls(3, PATIENCE).await.unwrap();
    let (event, _) = scenes::scale(&mut shop.tasks, &shop.load, &shop.definition, 1).await.unwrap();
    is_well(&event);
    shop.nothing_was_lost();
    let web = shop.web.clone();
    assert_eq!(shop.tasks.envoy(&web).unwrap().trouble().await.unwrap(), Trouble::default());
    assert_eq!(shop.serve.counted("refusals", "").await.unwrap(), 0);
    let status = shop.serve.status().await.unwrap();
    let left_out = status["ecs"]["quarantined"].as_array().map_or(0, Vec::len);
    assert!(left_out >= 10, "each of them is left out, with a reason: {:#}", status["ecs"]);
    shop.close().await;
}

//! The task definitions of the examples are ones that ECS takes: here, and in moto.

use std::fs;
use std::path::Path;

use fake::Fake;
use serde_json::Value;

/// With the names of their files.
fn definitions() -> Vec<(String, Value)> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples");
    let mut found = Vec::new();
    for folder in ["ecs-fargate", "ecs-ec2-bridge"] {
        for entry in fs::read_dir(examples.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            // The record of a read is one record a line.
            let text = fs::read_to_string(&path).unwrap_or_default();
            let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
            // A gateway's has no container until the sidecar is added to it.
            if value["containerDefinitions"].as_array().is_some_and(|containers| !containers.is_empty()) {
                found.push((path.display().to_string(), value));
            }
        }
    }
    found
}

#[tokio::test]
async fn each_is_registered_here_and_in_moto() {
    let fake = Fake::start().await.unwrap();
    let moto = fake::moto::start().await.unwrap();
    let definitions = definitions();
    assert!(definitions.len() >= 6, "{}", definitions.len());
    for (path, definition) in definitions {
        fake.change(|world| world.register(&definition)).unwrap_or_else(|error| panic!("{path}: {error}"));
        moto.register(&definition).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

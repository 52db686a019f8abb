//! What the sidecar adds, and what it leaves alone.

use expect_test::{Expect, expect, expect_file};
use meshwright_compiler::emit::task_definition::Options;

use super::{CASES, folder, mesh, options, patch, shop};

#[track_caller]
fn refused(text: &str, name: &str, options: &Options, found: Expect) {
    let (patched, findings) = patch(text, &shop(), name, options);
    assert_eq!(patched, None);
    found.assert_eq(&findings);
}

#[test]
fn every_case_gets_its_sidecar() {
    let mesh = shop();
    for (case, name) in CASES {
        let input = std::fs::read_to_string(folder().join(case).join("in.json")).unwrap();
        let (patched, findings) = patch(&input, &mesh, name, &options());
        expect_file![folder().join(case).join("findings.txt")].assert_eq(&findings);
        expect_file![folder().join(case).join("out.json")].assert_eq(&patched.unwrap());
    }
}

#[test]
fn patching_twice_is_patching_once() {
    let mesh = shop();
    for (case, name) in CASES {
        let once = std::fs::read_to_string(folder().join(case).join("out.json")).unwrap();
        assert_eq!(patch(&once, &mesh, name, &options()).0.as_deref(), Some(once.as_str()), "{case}");
        assert_eq!(patch(&once, &mesh, name, &Options::default()).0.as_deref(), Some(once.as_str()), "{case}");
    }
}

#[test]
fn an_earlier_sidecar_is_brought_up_to_date_and_keeps_what_the_user_said() {
    let mesh = shop();
    let input = std::fs::read_to_string(folder().join("fargate/in.json")).unwrap();
    let (patched, _) = patch(&input, &mesh, "orders", &options());
    let tuned = patched
        .unwrap()
        .replace("\"interval\": 5", "\"interval\": 15")
        .replace("\"memoryReservation\": 64", "\"memory\": 200");
    let newer = Options { image: Some("registry.example/meshwright:2".to_owned()), ..options() };
    let (again, _) = patch(&tuned, &mesh, "orders", &newer);
    assert_eq!(again.unwrap(), tuned.replace("meshwright:1", "meshwright:2"));
}

#[test]
fn nothing_is_guessed() {
    let text = r#"{"family": "f", "networkMode": "awsvpc", "containerDefinitions": []}"#;
    refused(
        text,
        "orders",
        &Options::default(),
        expect![[r#"
        error[sidecar-container]: no image is said for the sidecar
          1:1
          help: add `--image IMAGE`
        error[sidecar-container]: no control plane is said
          1:1
          help: add `--xds HOST:PORT`
    "#]],
    );
    let text = r#"{"networkMode": "bridge", "containerDefinitions": [{"name": "app"}]}"#;
    refused(
        text,
        "ledger",
        &options(),
        expect![[r#"
            error[task-interception]: ECS takes connections in network mode `awsvpc` only, and node `ledger` says `transparent-proxy`
              1:17
              help: write `"networkMode": "awsvpc"`
              help: or delete `transparent-proxy`: then applications call through `HTTP_PROXY` or a `local-port`
            warning[task-network]: in network mode `bridge` the application does not reach the sidecar at port 4000: on the sidecar's own loopback
              1:17
              help: give each call of node `ledger` a `local-port` with `local-address "0.0.0.0"`, and call `http://meshwright:PORT`
              help: or use network mode `awsvpc`, where containers share one loopback
        "#]],
    );
    let text = r#"{"networkMode": "awsvpc", "containerDefinitions": [{"name": "envoy"}], "proxyConfiguration": {"containerName": "envoy"}}"#;
    refused(
        text,
        "orders",
        &options(),
        expect![[r#"
        error[task-interception]: the task's connections are taken, and node `orders` does not expect it
          1:94
          help: say `transparent-proxy` in node `orders`, or delete `proxyConfiguration`
    "#]],
    );
    let text = r#"{"containerDefinitions": [{"name": "meshwright", "image": "theirs"}]}"#;
    refused(
        text,
        "orders",
        &options(),
        expect![[r#"
        error[sidecar-container]: a container is called `meshwright`, and is not the sidecar
          1:36
          help: give it another name
    "#]],
    );
    let volume = Options { bootstrap_volume: Some("boot".to_owned()), ..options() };
    refused(
        r#"{"networkMode": "awsvpc", "containerDefinitions": []}"#,
        "orders",
        &volume,
        expect![[r#"
        error[sidecar-container]: the task has no volume `boot`
          1:1
          help: add it to `volumes`, with what `meshwright bootstrap --socket` wrote in it
    "#]],
    );
}

#[test]
fn what_is_no_task_definition_is_said_to_be_none() {
    for (text, found) in [
        (
            "",
            expect![[r#"
            error[unreadable-task-definition]: this is no JSON
              1:1
        "#]],
        ),
        (
            "[1]",
            expect![[r#"
            error[unreadable-task-definition]: this is no task definition: it has no containers
              1:1
              help: give what `aws ecs register-task-definition --cli-input-json` takes, what `describe-task-definition` prints, or a CloudFormation template with one `AWS::ECS::TaskDefinition`
        "#]],
        ),
        (
            r#"{"containerDefinitions": {}}"#,
            expect![[r#"
            error[unreadable-task-definition]: `containerDefinitions` is a list
              1:26
        "#]],
        ),
        (
            r#"{"containerDefinitions": [{"image": "x"}, {"name": "a"}, {"name": "a", "environment": {}}]}"#,
            expect![[r#"
            error[unreadable-task-definition]: a container needs a `name`
              1:27
            error[unreadable-task-definition]: two containers are called `a`
              1:67
              1:52 the first one
            error[unreadable-task-definition]: `environment` is a list
              1:87
        "#]],
        ),
        (
            r#"{"family": "a", "family": "b"}"#,
            expect![[r#"
            error[duplicate-field]: `family` is said twice
              1:27
        "#]],
        ),
        (
            "{\"family\": \"a\n",
            expect![[r#"
            error[unreadable-task-definition]: this is no JSON
              1:13
        "#]],
        ),
    ] {
        refused(text, "orders", &options(), found);
    }
    refused(
        &format!("{}{}", "[".repeat(1000), "]".repeat(1000)),
        "orders",
        &options(),
        expect![[r#"
        error[unreadable-task-definition]: more than 64 values are inside each other
          1:66
    "#]],
    );
}

#[test]
fn what_is_unknown_is_kept_in_its_place() {
    let text = r#"{"networkMode": "awsvpc", "zebra": 1.50, "containerDefinitions": [{"zoo": [true, null], "name": "app"}], "ape": "\u00fc"}"#;
    let (patched, _) = patch(text, &shop(), "catalog", &options());
    let patched = patched.unwrap();
    let keys: Vec<&str> = patched.lines().filter(|line| line.starts_with("  \"")).map(str::trim_start).collect();
    expect![[r#"
        "networkMode": "awsvpc",
        "zebra": 1.50,
        "containerDefinitions": [
        "ape": "ü",
        "volumes": ["#]]
    .assert_eq(&keys.join("\n"));
    assert!(patched.contains("\"zoo\": [\n        true,\n        null\n      ]"));
}

#[test]
fn a_bootstrap_may_come_with_a_volume() {
    let text = r#"{"networkMode": "awsvpc", "containerDefinitions": [], "volumes": [{"name": "boot", "host": {"sourcePath": "/etc/mesh"}}]}"#;
    let volume = Options { bootstrap_volume: Some("boot".to_owned()), ..options() };
    let (patched, _) = patch(text, &shop(), "catalog", &volume);
    let patched: serde_json::Value = serde_json::from_str(&patched.unwrap()).unwrap();
    let sidecar = &patched["containerDefinitions"][0];
    assert_eq!(sidecar["command"], serde_json::json!(["sidecar", "--bootstrap", "/etc/meshwright"]));
    assert_eq!(sidecar["mountPoints"][1]["readOnly"], serde_json::json!(true));
}

#[test]
fn an_application_that_calls_nothing_gets_no_proxy() {
    let text = r#"{"networkMode": "awsvpc", "containerDefinitions": [{"name": "app"}]}"#;
    let quiet = mesh(
        r#"mesh "m" { service "a.svc" { endpoint "10.0.0.1:80" node="a" }
        node "a" { serves "a.svc" } }"#,
    );
    assert!(!patch(text, &quiet, "a", &options()).0.unwrap().contains("_PROXY"));
}

#[test]
fn bents_sidecar_becomes_ours_in_its_place() {
    let text = r#"{"networkMode": "awsvpc", "containerDefinitions": [
        {"name": "envoy", "image": "moolen/bent-envoy", "environment": [
            {"name": "ENVOY_XDS_HOST", "value": "bent"}, {"name": "ENVOY_XDS_PORT", "value": "50000"}]},
        {"name": "app", "dockerLabels": {"envoy.service.catalog.svc": "app:8080"}}]}"#;
    let (patched, _) = patch(text, &shop(), "catalog", &options());
    let patched: serde_json::Value = serde_json::from_str(&patched.unwrap()).unwrap();
    let containers = patched["containerDefinitions"].as_array().unwrap();
    assert_eq!(containers.len(), 2);
    assert_eq!(containers[0]["name"], "envoy");
    assert!(!containers[0]["environment"].to_string().contains("ENVOY_"));
    assert_eq!(containers[1]["dependsOn"][0]["containerName"], "envoy");
}

//! What is found in a task definition.

use expect_test::{Expect, expect, expect_file};
use proptest::prelude::{any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::{CASES, check_text, folder, mesh, options, patch, shop};

/// The task definition of the case `fargate`, patched, and changed.
#[track_caller]
fn changed(change: impl FnOnce(&mut Value), found: Expect) {
    changed_case("fargate", "orders", change, found);
}

#[track_caller]
fn changed_case(case: &str, name: &str, change: impl FnOnce(&mut Value), found: Expect) {
    let text = std::fs::read_to_string(folder().join(case).join("out.json")).unwrap();
    let mut definition: Value = serde_json::from_str(&text).unwrap();
    change(&mut definition);
    let said = check_text(&definition.to_string(), &shop(), name);
    let words: Vec<&str> = said.lines().filter(|line| !line.starts_with("  1:")).collect();
    found.assert_eq(&words.join("\n"));
}

#[test]
fn what_is_patched_has_no_mistake() {
    let mesh = shop();
    for (case, name) in CASES {
        let text = std::fs::read_to_string(folder().join(case).join("out.json")).unwrap();
        let found = check_text(&text, &mesh, name);
        expect_file![folder().join(case).join("check.txt")].assert_eq(&found);
        assert!(!found.contains("error["), "{case}: {found}");
    }
}

#[test]
fn what_is_not_patched_has_no_sidecar() {
    let mesh = shop();
    let found = |case: &str, name| {
        let text = std::fs::read_to_string(folder().join(case).join("in.json")).unwrap();
        check_text(&text, &mesh, name)
    };
    expect![[r#"
        error[sidecar-container]: the task has no sidecar
          1:1
          help: add it: `meshwright task-definition patch`
    "#]]
    .assert_eq(&found("fargate", "orders"));
    expect![[r#"
        error[task-interception]: `EgressIgnoredPorts` is missing
          7:27
          help: write `22`
        warning[task-health]: what container `app` says is lost: it has no log configuration
          20:21
          help: write `logConfiguration`, for example with the driver `awslogs`
        warning[task-health]: container `app` has no health check: the task gets requests as soon as it runs
          23:29
          help: write a `healthCheck`; the mesh then waits until it is `HEALTHY`
        error[sidecar-container]: container `envoy` is App Mesh's Envoy
          31:22
          help: replace it in its place: `meshwright task-definition patch`
        warning[task-health]: what container `xray` says is lost: it has no log configuration
          55:21
          help: write `logConfiguration`, for example with the driver `awslogs`
    "#]]
    .assert_eq(&found("app-mesh", "ledger"));
}

#[test]
fn everything_is_found_at_once_and_at_its_place() {
    let text = r#"{
  "family": "catalog",
  "networkMode": "awsvpc",
  "requiresCompatibilities": ["FARGATE"],
  "cpu": ".25 vCPU",
  "memory": "3GB",
  "containerDefinitions": [
    {
      "name": "app",
      "user": "1337",
      "memory": 3050,
      "portMappings": [{"containerPort": 8081}, {"containerPort": 15001, "appProtocol": "http"}],
      "environment": [{"name": "STRIPE_API_KEY", "value": "lovelace-1815"}],
      "dependsOn": [{"containerName": "meshwright", "condition": "HEALTHY"}]
    },
    {
      "name": "meshwright",
      "image": "meshwright:1",
      "essential": false,
      "user": "root",
      "memory": 48,
      "environment": [{"name": "MESHWRIGHT_NODE", "value": "orders"}],
      "dependsOn": [{"containerName": "app", "condition": "START"}, {"containerName": "nobody", "condition": "START"}]
    },
    {"name": "old", "image": "envoyproxy/envoy:v1.20", "essential": false}
  ],
  "proxyConfiguration": {
    "containerName": "envoy",
    "properties": [{"name": "AppPorts", "value": "8081"}, {"name": "EgressIgnoredPorts", "value": "443"}]
  }
}"#;
    let found = check_text(text, &shop(), "ledger");
    assert!(!found.contains("lovelace"));
    expect![[r#"
        warning[task-owner]: tasks of family `catalog` are taken for the node of that name, not for `ledger`
          2:13
          help: call the family `ledger`, or say `"dockerLabels": {"meshwright.node": "ledger"}`
        error[task-memory]: containers reserve more than the 3072 MB of the task
          6:13
          help: give the task more, or containers less
        error[task-memory]: Fargate has no 3072 MB with 256 CPU units
          6:13
          5:10 CPU units
          help: write 512, 1024 or 2048
        warning[task-health]: what container `app` says is lost: it has no log configuration
          9:15
          help: write `logConfiguration`, for example with the driver `awslogs`
        error[task-interception]: container `app` runs as user 1337: it bypasses the sidecar
          10:15
          help: give it another user id
        warning[task-health]: container `app` has no health check: the task gets requests as soon as it runs
          12:23
          help: write a `healthCheck`; the mesh then waits until it is `HEALTHY`
        error[task-ports]: node `ledger` expects its application at port 5555, which no container has
          12:23
          help: add `{"containerPort": 5555}` to the container that listens there
          help: or correct the port in the mesh: that of the endpoint, of `ecs`, or of `upstream`
        error[task-ports]: container `app` has port 15001, where the sidecar listens for connections that are taken
          12:67
          help: let the container listen at another port
        note[foreign-proxy]: `appProtocol` is for ECS Service Connect, whose proxy would stand before the sidecar
          12:89
          help: leave `serviceConnectConfiguration` out of the ECS service
        error[secret-in-environment]: variable `STRIPE_API_KEY` of container `app` holds what its name calls a secret
          13:59
          help: put it into Secrets Manager or Parameter Store, and name it in `secrets` (log options: `secretOptions`)
          help: and replace it: earlier revisions keep showing it
        error[task-order]: containers `app`, `meshwright` wait for each other
          14:20
          help: let applications wait for the sidecar, and the sidecar for none of them
        error[task-order]: `meshwright` is never healthy: it has no health check
          14:66
          help: give `meshwright` a `healthCheck`
        error[sidecar-container]: the sidecar has no health check: nothing can wait for it
          17:15
          help: write `"healthCheck": {"command": ["CMD", "meshwright", "sidecar", "health"]}`
        warning[task-health]: what container `meshwright` says is lost: it has no log configuration
          17:15
          help: write `logConfiguration`, for example with the driver `awslogs`
        warning[task-ports]: callers dial port 4100 of the sidecar, which it does not map
          17:15
          help: add `{"containerPort": 4100}`
        error[sidecar-container]: the task goes on when its sidecar has ended, and reaches nobody
          19:20
          help: write `"essential": true`
        error[task-interception]: the sidecar does not run as user 1337: its own connections come back to it
          20:15
          help: write `"user": "1337"`
        error[task-memory]: the sidecar is killed at 48 MB; Envoy needs 64 MB
          21:17
          help: write 64 or more
        error[sidecar-container]: the sidecar is not told where the control plane is
          22:22
          help: write `{"name": "MESHWRIGHT_XDS", "value": "HOST:PORT"}`
        error[sidecar-container]: the sidecar says that it is `orders`, not `ledger`
          22:60
          help: write `ledger`, or check it against its own node
        error[task-order]: container `meshwright` waits for `nobody`, which is not there
          23:87
          help: correct the name
        error[task-order]: container `old` does not wait for the sidecar: its first calls fail
          25:14
          help: write `"dependsOn": [{"containerName": "meshwright", "condition": "HEALTHY"}]`
        error[foreign-proxy]: container `old` is a proxy of another mesh, perhaps, beside the sidecar
          25:30
          help: delete it: two proxies take each other's connections and ports
        error[task-interception]: `IgnoredUID` is missing
          27:25
          help: write `1337`
        error[task-interception]: `ProxyIngressPort` is missing
          27:25
          help: write `15000`
        error[task-interception]: `ProxyEgressPort` is missing
          27:25
          help: write `15001`
        error[task-interception]: `EgressIgnoredIPs` is missing
          27:25
          help: write `169.254.170.2,169.254.169.254`
        error[task-interception]: connections are redirected to container `envoy`, which is not there
          28:22
          help: write `meshwright`
        error[task-interception]: `AppPorts` is not what the mesh says
          29:50
          help: write `5555`
        error[task-interception]: `EgressIgnoredPorts` is not what the mesh says
          29:99
          help: write `22`
    "#]]
    .assert_eq(&found);
}

#[test]
fn ports_behind_a_bridge_are_each_containers_own() {
    changed_case(
        "bridge",
        "orders",
        |it| {
            it["containerDefinitions"][0]["portMappings"] = json!([{"containerPortRange": "8000-9999", "hostPort": 0}]);
            it["containerDefinitions"][1]["portMappings"] = json!([{"containerPort": 15090, "hostPort": 15090}]);
        },
        expect![[r#"
            warning[task-health]: what container `app` says is lost: it has no log configuration
              help: write `logConfiguration`, for example with the driver `awslogs`
            warning[task-health]: container `app` has no health check: the task gets requests as soon as it runs
              help: write a `healthCheck`; the mesh then waits until it is `HEALTHY`
            warning[task-health]: what container `meshwright` says is lost: it has no log configuration
              help: write `logConfiguration`, for example with the driver `awslogs`
            error[task-ports]: callers dial port 4100 of the sidecar, which it does not map
              help: add `{"containerPort": 4100}`
            warning[task-ports]: with a fixed port of the host an instance can run one such task
              help: write `"hostPort": 0`: ECS chooses, and tells
            warning[task-network]: in network mode `bridge` the application does not reach the sidecar at port 4000: on the sidecar's own loopback
              help: give each call of node `orders` a `local-port` with `local-address "0.0.0.0"`, and call `http://meshwright:PORT`
              help: or use network mode `awsvpc`, where containers share one loopback"#]],
    );
}

#[test]
fn ports_of_a_range_and_of_udp_are_told_apart() {
    changed(
        |it| it["containerDefinitions"][0]["portMappings"] = json!([{"containerPortRange": "8000-9999"}]),
        expect![[r#"
            error[task-ports]: container `app` has port 9901, where the sidecar listens for Envoy's administration
              help: let the container listen at another port"#]],
    );
    changed(
        |it| {
            it["containerDefinitions"][0]["portMappings"] =
                json!([{"containerPort": 8080}, {"containerPort": 4100, "protocol": "udp"}]);
        },
        expect![[""]],
    );
    changed(
        |it| it["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 8080, "protocol": "udp"}]),
        expect![[r#"
            error[task-ports]: node `orders` expects its application at port 8080, which no container has
              help: add `{"containerPort": 8080}` to the container that listens there
              help: or correct the port in the mesh: that of the endpoint, of `ecs`, or of `upstream`"#]],
    );
}

#[test]
fn sizes_of_fargate_are_known_in_every_form() {
    for (cpu, memory) in
        [("256", "2 GB"), ("1 vCPU", "2048"), ("0.5 vCPU", "4GB"), ("4096", "30720"), ("16384", "120 GB")]
    {
        changed(|it| (it["cpu"], it["memory"]) = (json!(cpu), json!(memory)), expect![""]);
    }
    changed(
        |it| (it["cpu"], it["memory"]) = (json!("1024"), json!("1024")),
        expect![[r#"
        error[task-memory]: Fargate has no 1024 MB with 1024 CPU units
          help: write 2048 to 8192, in steps of 1024"#]],
    );
    changed(
        |it| it["cpu"] = json!("300"),
        expect![[r#"
        warning[task-memory]: Fargate is not known to have 300 CPU units
          help: write one of 256, 512, 1024, 2048, 4096, 8192, 16384"#]],
    );
    changed(
        |it| drop(it.as_object_mut().unwrap().remove("cpu")),
        expect![[r#"
        error[task-memory]: Fargate needs `cpu` of the task
          help: write `"cpu"`"#]],
    );
}

#[test]
fn memory_that_the_application_has_is_not_the_sidecars() {
    changed(
        |it| it["containerDefinitions"][0]["memory"] = json!(500),
        expect![[r#"
        error[task-memory]: containers reserve more than the 512 MB of the task
          help: give the task more, or containers less"#]],
    );
}

#[test]
fn filters_in_wasm_need_more_memory() {
    let wasm = mesh(
        r#"mesh "m" {
    service "a.svc" {
        endpoint "10.0.0.1:80" node="a"
        fault { abort 503 percent=5; engine "wasm"; }
    }
    node "a" { serves "a.svc"; }
}"#,
    );
    let text = r#"{"networkMode": "awsvpc", "containerDefinitions": []}"#;
    let patched = patch(text, &wasm, "a", &options()).0.unwrap();
    let patched: Value = serde_json::from_str(&patched).unwrap();
    assert_eq!(patched["containerDefinitions"][0]["memoryReservation"], json!(89));
}

#[test]
fn secrets_are_found_by_name_and_by_value_and_never_shown() {
    let secret = [
        ("DB_PASSWORD", "hunter22"),
        ("db_password", "hunter22"),
        ("AWS_ACCESS_KEY_ID", "AKIAHUNTER22HUNTER22"),
        ("AWS_SECRET_ACCESS_KEY", "hunter22hunter22"),
        ("CERTIFICATE", "-----BEGIN RSA PRIVATE KEY-----\nhunter22"),
        ("DATABASE_URL", "postgres://app:hunter22@db:5432/orders"),
        ("GITHUB", "ghp_hunter22hunter22hunter22"),
        ("SESSION", "eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyMiI6MX0.hunter22hunter22"),
    ];
    for (name, value) in secret {
        let text = std::fs::read_to_string(folder().join("fargate/out.json")).unwrap();
        let mut definition: Value = serde_json::from_str(&text).unwrap();
        definition["containerDefinitions"][0]["environment"] = json!([{"name": name, "value": value}]);
        let found = check_text(&definition.to_string(), &shop(), "orders");
        assert!(found.contains("error[secret-in-environment]"), "{name}");
        assert!(!found.to_lowercase().contains("hunter22"), "{found}");
    }
    let harmless = [
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "arn:aws:ssm:eu-central-1:123456789012:parameter/db"),
        ("USE_TOKEN", "true"),
        ("MAX_TOKEN", "4096"),
        ("TOKEN_FILE", "/run/token"),
        ("PASSWORD", "/run/password"),
        ("DATABASE_URL", "postgres://app@db:5432/orders"),
        ("DATABASE_URL", "postgres://app:${DB_PASSWORD}@db:5432/orders"),
        ("TOKENS", "many"),
    ];
    for (name, value) in harmless {
        changed(
            |it| it["containerDefinitions"][0]["environment"] = json!([{"name": name, "value": value}]),
            expect![""],
        );
    }
    changed(
        |it| {
            let app = &mut it["containerDefinitions"][0];
            app["logConfiguration"]["options"]["splunk-token"] = json!("hunter22");
            app["command"] = json!(["serve", "--database", "postgres://app:hunter22@db/orders"]);
            app["dockerLabels"] = json!({"aws": "AKIAHUNTER22HUNTER22"});
        },
        expect![[r#"
            error[secret-in-environment]: `command` of container `app` holds a password in a URL
              help: put it into Secrets Manager or Parameter Store, and name it in `secrets` (log options: `secretOptions`)
              help: and replace it: earlier revisions keep showing it
            error[secret-in-environment]: label `aws` of container `app` holds a key of AWS
              help: put it into Secrets Manager or Parameter Store, and name it in `secrets` (log options: `secretOptions`)
              help: and replace it: earlier revisions keep showing it
            error[secret-in-environment]: log option `splunk-token` of container `app` holds what its name calls a secret
              help: put it into Secrets Manager or Parameter Store, and name it in `secrets` (log options: `secretOptions`)
              help: and replace it: earlier revisions keep showing it"#]],
    );
}

#[test]
fn a_task_says_whose_it_is() {
    changed(
        |it| {
            it["family"] = json!("catalog");
            it["containerDefinitions"][0]["dockerLabels"] = json!({
                "envoy.service.orders.svc": "app:8080",
                "envoy.service.catalog.svc": "app:8080",
                "envoy.service.catalog.svc.annotations.endpoint.weight": "64",
                "envoy.service.nobodys.svc": "app:8080",
            });
        },
        expect![[r#"
            warning[task-owner]: container `app` claims service `catalog.svc`, which node `orders` does not serve and another one does
              help: delete the label, or say `serves "catalog.svc"` in node `orders`
            warning[task-owner]: tasks of family `catalog` are taken for the node of that name, not for `orders`
              help: call the family `orders`, or say `"dockerLabels": {"meshwright.node": "orders"}`"#]],
    );
    changed(
        |it| {
            it["family"] = json!("catalog");
            it["containerDefinitions"][0]["dockerLabels"] = json!({"meshwright.node": "orders"});
        },
        expect![""],
    );
    changed(
        |it| it["containerDefinitions"][0]["dockerLabels"] = json!({"meshwright.node": "catalog"}),
        expect![[r#"
        error[task-owner]: label `meshwright.node` says another node than `orders`
          help: write `orders`"#]],
    );
}

#[test]
fn labels_and_tags_in_our_words_are_read_as_discovery_reads_them() {
    changed(
        |it| {
            it["containerDefinitions"][0]["dockerLabels"] = json!({
                "meshwright.service.Orders.svc": "app:8080",
                "meshwright.service.Catalog.svc": "app:8080",
                "meshwright.service.catalog.svc.protocol": "http2",
                "meshwright.node": "catalog",
            });
            it["tags"] = json!([
                {"key": "meshwright.node", "value": "Orders"},
                {"key": "meshwright.service.catalog.svc", "value": "app:8080"},
                {"key": "envoy.service.catalog.svc", "value": "app:8080"},
            ]);
        },
        expect![[r#"
            warning[task-owner]: container `app` claims service `Catalog.svc`, which node `orders` does not serve and another one does
              help: delete the label, or say `serves "Catalog.svc"` in node `orders`
            warning[task-owner]: a tag claims service `catalog.svc`, which node `orders` does not serve and another one does
              help: delete the tag, or say `serves "catalog.svc"` in node `orders`"#]],
    );
    changed(
        |it| {
            it["family"] = json!("Catalog");
            it["tags"] = json!([{"key": "meshwright.node", "value": "catalog"}]);
        },
        expect![[r#"
            error[task-owner]: tag `meshwright.node` says another node than `orders`
              help: write `orders`"#]],
    );
    changed(
        |it| it["family"] = json!("Catalog"),
        expect![[r#"
            warning[task-owner]: tasks of family `Catalog` are taken for the node of that name, not for `orders`
              help: call the family `orders`, or say `"dockerLabels": {"meshwright.node": "orders"}`"#]],
    );
}

#[test]
fn containers_that_wait_in_a_circle_are_one_finding() {
    changed(
        |it| {
            it["containerDefinitions"][1]["dependsOn"] = json!([{"containerName": "app", "condition": "START"}]);
            it["containerDefinitions"].as_array_mut().unwrap().push(json!({
                "name": "own", "image": "own:1", "essential": false,
                "dependsOn": [{"containerName": "own", "condition": "START"}],
            }));
        },
        expect![[r#"
            error[task-order]: containers `app`, `meshwright` wait for each other
              help: let applications wait for the sidecar, and the sidecar for none of them
            error[task-order]: container `own` waits for itself
              help: let applications wait for the sidecar, and the sidecar for none of them
            error[task-order]: container `own` does not wait for the sidecar: its first calls fail
              help: write `"dependsOn": [{"containerName": "meshwright", "condition": "HEALTHY"}]`"#]],
    );
}

/// Replaces the value at a place, counted in the order of the text, or removes it.
fn mutate(value: &mut Value, at: &mut usize, with: &Value, remove: bool) {
    let here = |at: &mut usize| {
        let hit = *at == 0;
        *at = at.wrapping_sub(1);
        hit
    };
    match value {
        Value::Array(items) => {
            for item in items {
                match here(at) {
                    true => *item = with.clone(),
                    false => mutate(item, at, with, remove),
                }
            }
        }
        Value::Object(map) => {
            let mut gone = None;
            for (key, item) in map.iter_mut() {
                match (here(at), remove) {
                    (true, true) => gone = Some(key.clone()),
                    (true, false) => *item = with.clone(),
                    (false, _) => mutate(item, at, with, remove),
                }
            }
            gone.into_iter().for_each(|key| drop(map.remove(&key)));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn whatever_is_there_patching_twice_is_patching_once(
        case in 0..CASES.len(),
        patched in any::<bool>(),
        changes in prop::collection::vec((0_usize..150, 0_usize..9, any::<bool>()), 0..6),
    ) {
        let (case, name) = CASES[case];
        let file = if patched { "out.json" } else { "in.json" };
        let text = std::fs::read_to_string(folder().join(case).join(file)).unwrap();
        let mut definition: Value = serde_json::from_str(&text).unwrap();
        let others = [json!(null), json!(true), json!(0), json!(-1.5), json!("meshwright"), json!("\u{0}"), json!([]), json!({}), json!([{"name": "app"}])];
        for (at, with, remove) in changes {
            mutate(&mut definition, &mut at.clone(), &others[with], remove);
        }
        let mesh = shop();
        let text = definition.to_string();
        let _ = check_text(&text, &mesh, name);
        if let Some(once) = patch(&text, &mesh, name, &options()).0 {
            let twice = patch(&once, &mesh, name, &options());
            prop_assert!(twice.0.is_some(), "{}", twice.1);
            prop_assert_eq!(twice.0.unwrap(), once);
        }
    }
}

//! Which node a task belongs to, and under which names its Envoy may ask.

use expect_test::expect;
use meshwright_compiler::import::ecs::Options;
use meshwright_compiler::observation::text;

use super::aws::{bridge, fargate, observation, on_host, running, with_sidecar};
use super::{join, join_with};

const MESH: &str = "service \"orders.svc\"\nnode \"orders\" {\n    serves \"orders.svc\"\n    calls \"*\"\n}";

#[test]
fn a_node_called_like_the_family_is_that_of_its_tasks() {
    let definition = fargate("orders:7", &[]);
    let task = running("t1", &definition, "10.0.0.11");
    let outcome = join(MESH, &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> orders"]);
    assert_eq!(outcome.aliases(), ["orders/7 = orders", "prod/t1 = orders"]);
}

#[test]
fn a_label_or_the_ecs_service_leads_to_a_node_too() {
    let labelled = fargate("a:1", &[("meshwright.node", "orders")]);
    let started = fargate("b:1", &[]);
    let one = running("t1", &labelled, "10.0.0.11");
    let mut two = running("t2", &started, "10.0.0.12");
    two.group = "service:orders".to_owned();
    let outcome = join(MESH, &observation(vec![labelled, started], vec![one, two]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> orders", "orders.svc 10.0.0.12:3000 -> orders"]);
}

#[test]
fn a_mesh_whose_tasks_are_not_there_is_none_the_worse() {
    let outcome = join(MESH, &observation(Vec::new(), Vec::new()));
    outcome.compiled();
    assert_eq!(outcome.found(), [""; 0]);
}

#[test]
fn how_many_tasks_run_does_not_change_what_a_sidecar_is_told_of_itself() {
    let definition = fargate("orders:7", &[]);
    let compiled = |count: usize| {
        let tasks = (0..count).map(|it| running(&format!("t{it}"), &definition, &format!("10.0.0.{}", 11 + it)));
        let outcome = join(MESH, &observation(vec![definition.clone()], tasks.collect()));
        let text = outcome.compiled().remove("orders/envoy.yaml").unwrap();
        text.lines().filter(|line| !line.contains("10.0.0.")).map(str::to_owned).collect::<Vec<_>>()
    };
    let local = |lines: Vec<String>| {
        let from = lines.iter().position(|line| line.contains("local_orders.svc")).unwrap();
        lines[from..from + 12].to_vec()
    };
    assert_eq!(local(compiled(1)), local(compiled(2)));
}

#[test]
fn revisions_that_listen_elsewhere_have_nodes_of_their_own() {
    let old = fargate("orders:7", &[]);
    let mut new = fargate("orders:8", &[]);
    new.containers[0].ports[0].container_port = 4000 + 4;
    let tasks = vec![running("t1", &old, "10.0.0.11"), running("t2", &new, "10.0.0.12")];
    let outcome = join(MESH, &observation(vec![old, new], tasks));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> orders/7", "orders.svc 10.0.0.12:4004 -> orders/8"]);
}

#[test]
fn in_bridge_mode_each_task_has_a_node_of_its_own() {
    let definition = bridge(with_sidecar(fargate("orders:7", &[])));
    let task = on_host("t1", &definition, &[("app", 3000, 32768), ("envoy", 4100, 32769)]);
    let outcome = join(MESH, &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["orders.svc 10.9.0.1:32768 -> orders/7/t1:32769"]);
    assert_eq!(outcome.aliases(), ["prod/t1 = orders/7/t1"]);
    expect![[r#"
        mesh "shop" {
            node "orders" {
                serves "orders.svc"
                calls "*"
            }

            node "orders/7/t1" {
                zone "eu-central-1a"
                serves "orders.svc" {
                    upstream "10.9.0.1:32768"
                }
                calls "*"
            }
        }
    "#]]
    .assert_eq(&outcome.nodes());
}

#[test]
fn a_task_that_says_it_has_no_sidecar_is_dialled_itself() {
    let with = with_sidecar(fargate("orders:7", &[]));
    let without = fargate("orders:6", &[("meshwright.sidecar", "false")]);
    let tasks = vec![running("t1", &with, "10.0.0.11"), running("t2", &without, "10.0.0.12")];
    let outcome = join(MESH, &observation(vec![with, without], tasks));
    outcome.compiled();
    assert_eq!(
        outcome.endpoints(),
        ["orders.svc 10.0.0.11:3000 -> orders", "orders.svc 10.0.0.12:3000 -> orders:3000"]
    );
}

#[test]
fn on_this_machine_every_task_is_a_node_at_its_address() {
    let definition = fargate("orders:7", &[("envoy.service.orders.svc", "app:3000")]);
    let task = running("t1", &definition, "127.9.0.11");
    let observed = text::write(&observation(vec![definition], vec![task]));
    let outcome = join_with("", &observed, &Options { tasks_here: true });
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["orders.svc 127.9.0.11:3000 -> orders/7/t1"]);
    expect![[r#"
        mesh "shop" {
            node "orders/7/t1" {
                bind "127.9.0.11"
                zone "eu-central-1a"
                serves "orders.svc" {
                    upstream "127.9.0.11:3000"
                }
                calls "*"
            }
        }
    "#]]
    .assert_eq(&outcome.nodes());
}

#[test]
fn among_bents_users_every_task_has_a_sidecar() {
    let orders = fargate("orders:7", &[("envoy.service.orders.svc", "app:3000")]);
    let client = fargate("client:1", &[]);
    let tasks = vec![running("t1", &orders, "10.0.0.11"), running("t2", &client, "10.0.0.12")];
    let outcome = join("", &observation(vec![orders, client], tasks));
    outcome.compiled();
    assert_eq!(
        outcome.aliases(),
        ["client = client/1", "orders = orders/7", "prod/t1 = orders/7", "prod/t2 = client/1"]
    );
}

#[test]
fn a_task_called_like_a_gateway_is_that_gateways_and_no_node() {
    let payments = fargate("payments:1", &[("envoy.service.payments.svc", "app:3000")]);
    let front = fargate("front:2", &[]);
    let tasks = vec![running("t1", &payments, "10.0.0.11"), running("t2", &front, "10.0.0.12")];
    let mesh = "gateway \"front\" {\n    listen 8080\n    calls \"*\"\n}";
    let outcome = join(mesh, &observation(vec![payments, front], tasks));
    outcome.compiled();
    assert_eq!(outcome.aliases(), ["payments = payments/1", "prod/t1 = payments/1"]);
}

#[test]
fn while_the_first_revision_with_a_sidecar_starts_the_old_one_is_dialled_as_ever() {
    let labels: &[(&str, &str)] = &[("meshwright.service.orders.svc", "app:3000")];
    let old = fargate("orders:7", labels);
    let mut tasks = vec![running("t1", &old, "10.0.0.11")];
    let mut definitions = vec![old];
    // One new revision, then two at once.
    for (revision, address) in [("orders:8", "10.0.0.12"), ("orders:9", "10.0.0.13")] {
        let mut new = with_sidecar(fargate(revision, labels));
        new.containers[0].health_check = true;
        let mut starts = running(revision.trim_start_matches("orders:"), &new, address);
        starts.health_status = "UNKNOWN".to_owned();
        definitions.push(new);
        tasks.push(starts);
        let outcome = join("node \"client\" { calls \"*\"; }", &observation(definitions.clone(), tasks.clone()));
        let compiled = outcome.compiled();
        assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> orders/8:3000"]);
        assert_eq!(outcome.joined.quarantined, []);
        let client = compiled["client/envoy.yaml"].clone();
        assert!(client.contains("port_value: 3000") && !client.contains("10.0.0.12"), "{client}");
    }
}

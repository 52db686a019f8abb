//! Which node a task belongs to, and under which names its Envoy may ask.

use expect_test::expect;
use meshwright_compiler::import::ecs::Options;
use meshwright_compiler::observation::{Container, NetworkMode, Task, TaskDefinition, text};

use super::aws::{bridge, fargate, observation, on_host, running, with_sidecar};
use super::{Outcome, join, join_with};

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
    assert_eq!(outcome.aliases(), ["orders/7 = orders", "prod/t1 = orders/7/t1"]);
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
    assert_eq!(
        outcome.aliases(),
        ["front/2 = front", "payments = payments/1", "prod/t1 = payments/1", "prod/t2 = front"]
    );
    assert!(!outcome.nodes().contains("front"), "{}", outcome.nodes());
}

#[test]
fn a_label_or_the_ecs_service_leads_to_a_gateway_too() {
    let labelled = with_sidecar(fargate("a:1", &[("meshwright.node", "front")]));
    let started = with_sidecar(fargate("b:1", &[]));
    let one = running("t1", &labelled, "10.0.0.11");
    let mut two = running("t2", &started, "10.0.0.12");
    two.group = "service:front".to_owned();
    let mesh = "gateway \"front\" {\n    listen 8080\n    calls \"*\"\n}";
    let outcome = join(mesh, &observation(vec![labelled, started], vec![one, two]));
    outcome.compiled();
    assert_eq!(outcome.joined.aliases["prod/t1"], "front");
    assert_eq!(outcome.joined.aliases["prod/t2"], "front");
    assert!(outcome.mesh.nodes.is_empty(), "{}", outcome.nodes());
}

#[test]
fn the_gateway_of_the_example_has_its_configuration() {
    let [mesh, observed] = ["mesh.kdl", "observed.json"].map(|file| {
        std::fs::read_to_string(format!("{}/../examples/ecs-fargate/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    });
    let mesh = mesh.trim().strip_prefix("mesh \"shop\" {").and_then(|mesh| mesh.strip_suffix('}')).unwrap();
    let outcome = join_with(mesh, &observed, &Options::default());
    outcome.compiled();
    assert_eq!(outcome.joined.aliases["shop/4a79"], "front");
    assert_eq!(outcome.joined.aliases["front/2"], "front");
    assert!(!outcome.nodes().contains("front"), "{}", outcome.nodes());
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

#[test]
fn a_task_cannot_have_the_node_of_another_family() {
    for (label, mesh) in [("catalog", ""), ("orders", "service \"o.svc\"\nnode \"orders\" { serves \"o.svc\"; }")] {
        let catalog = with_sidecar(fargate(&format!("{label}:7"), &[("meshwright.service.own.svc", "app:3000")]));
        let words =
            [("meshwright.node", label), ("meshwright.sidecar", "true"), ("meshwright.service.evil.svc", "app:3000")];
        let old = fargate("evil:6", &words);
        let mut new = fargate("evil:7", &[words[0], words[1], ("meshwright.service.evil.svc", "app:3001")]);
        new.containers[0].ports[0].container_port = 3001;
        for (victim, thief) in [("a", "z"), ("z", "a")] {
            let tasks = vec![
                running(victim, &catalog, "10.0.0.11"),
                running(&format!("{thief}6"), &old, "10.0.0.66"),
                running(&format!("{thief}7"), &new, "10.0.0.67"),
            ];
            let outcome = join(mesh, &observation(vec![catalog.clone(), old.clone(), new.clone()], tasks));
            outcome.compiled();
            assert!(
                outcome.endpoints().contains(&format!("own.svc 10.0.0.11:3000 -> {label}/7")),
                "{:?}",
                outcome.endpoints()
            );
            assert_eq!(outcome.joined.aliases[&format!("prod/{victim}")], format!("{label}/7"));
            assert_eq!(outcome.joined.aliases[&format!("prod/{thief}7")], "evil/7");
            assert_eq!(outcome.joined.quarantined, []);
        }
    }
}

#[test]
fn families_that_differ_in_case_each_have_their_nodes() {
    let (lower, upper) = ("meshwright.service.lower.svc", "meshwright.service.upper.svc");
    let one = with_sidecar(fargate("orders:7", &[(lower, "app:3000")]));
    let other = with_sidecar(fargate("Orders:7", &[(upper, "app:3000")]));
    let tasks = vec![running("t1", &one, "10.0.0.11"), running("t2", &other, "10.0.0.12")];
    let outcome = join("", &observation(vec![one, other], tasks));
    outcome.compiled();
    assert_eq!(
        outcome.endpoints(),
        ["lower.svc 10.0.0.11:3000 -> orders/7", "upper.svc 10.0.0.12:3000 -> Orders/7/t2"]
    );
}

#[test]
fn tasks_do_not_say_what_a_node_of_the_mesh_calls() {
    let definition = fargate("orders:7", &[("meshwright.calls", "*")]);
    let task = running("t1", &definition, "10.0.0.11");
    let mesh = "service \"orders.svc\"\nnode \"orders\" { serves \"orders.svc\"; }";
    let outcome = join(mesh, &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert!(outcome.mesh.nodes[0].calls.is_empty(), "{}", outcome.nodes());
    assert_eq!(
        outcome.found(),
        ["quarantined-task: `orders:7`: `meshwright.calls` is left out: its node in the mesh says what it calls"]
    );
}

#[test]
fn a_sidecar_knows_its_application_before_callers_know_the_task() {
    let definition =
        fargate("orders:7", &[("envoy.service.orders.svc", "app:3000"), ("envoy.service.more.svc", "app:3001")]);
    let mut task = running("t1", &definition, "10.0.0.11");
    task.last_status = "PENDING".to_owned();
    let container =
        |status: &str| Container { name: "app".to_owned(), last_status: status.to_owned(), ..Container::default() };
    task.containers = vec![container("PENDING")];
    let observed = |task: &Task| join("", &observation(vec![definition.clone()], vec![task.clone()]));
    let before = observed(&task);
    assert_eq!(before.endpoints(), [""; 0]);
    let sidecar = before.compiled().remove("orders/7/envoy.yaml").unwrap();
    assert!(["local_orders.svc", "local_more.svc"].iter().all(|name| sidecar.contains(name)), "{sidecar}");
    task.last_status = "RUNNING".to_owned();
    task.containers = vec![container("RUNNING")];
    let after = observed(&task);
    assert_eq!(after.endpoints().len(), 2);
    let ingress = |outcome: &Outcome| outcome.nodes();
    assert_eq!(ingress(&before), ingress(&after));
}

#[test]
fn behind_a_bridge_a_sidecar_may_call_before_its_application_has_a_port() {
    let labels = [("meshwright.service.orders.svc", "app:3000"), ("meshwright.calls", "*")];
    let definition = bridge(with_sidecar(fargate("orders:7", &labels)));
    let mut task = on_host("t1", &definition, &[("envoy", 4100, 32769)]);
    task.last_status = "PENDING".to_owned();
    let outcome =
        join("service \"stock.svc\" { endpoint \"10.7.0.1:80\"; }", &observation(vec![definition], vec![task]));
    let compiled = outcome.compiled();
    assert_eq!(outcome.aliases(), ["prod/t1 = orders/7/t1"]);
    let sidecar = &compiled["orders/7/t1/envoy.yaml"];
    assert!(sidecar.contains("port_value: 4000") && sidecar.contains("stock.svc"), "{sidecar}");
}

#[test]
fn a_sidecar_that_asks_by_the_nodes_name_has_an_application_while_revisions_differ() {
    let old = fargate("orders:7", &[]);
    let mut new = fargate("orders:8", &[]);
    new.containers[0].ports[0].container_port = 4004;
    let mut starts = running("t2", &new, "10.0.0.12");
    let upstream = |starts: &Task| {
        let tasks = vec![running("t1", &old, "10.0.0.11"), starts.clone()];
        let outcome = join(MESH, &observation(vec![old.clone(), new.clone()], tasks));
        outcome.compiled();
        let serves = &outcome.mesh.nodes[0].serves[0];
        serves.upstreams.iter().map(|it| it.address.value.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(upstream(&starts), ["127.0.0.1:4004"]);
    starts.last_status = "PENDING".to_owned();
    assert_eq!(upstream(&starts), ["127.0.0.1:3000"]);
}

#[test]
fn a_port_of_the_host_is_the_newest_tasks() {
    let on_the_host = |name: &str, service: &str| TaskDefinition {
        network_mode: NetworkMode::Host,
        ..fargate(name, &[(&format!("meshwright.service.{service}"), "app:3000")])
    };
    let (old, new) = (on_the_host("orders:7", "orders.svc"), on_the_host("stock:1", "stock.svc"));
    let first = on_host("a", &old, &[]);
    let mut second = on_host("b", &new, &[]);
    second.started_at = Some(2000);
    let outcome = join("", &observation(vec![old, new], vec![first, second]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["stock.svc 10.9.0.1:3000 -> nobody"]);
    assert_eq!(outcome.found(), ["unreachable-task: `orders:7`: a newer task has port 3000 of its host"]);
}

//! Of several that say one thing, who was there first is believed; nobody's words break a mesh.

use meshwright_compiler::observation::{Task, TaskDefinition};

use super::aws::{fargate, map, observation, running};
use super::{Outcome, join};

fn since(task: Task, started_at: u64) -> Task {
    Task { started_at: Some(started_at), ..task }
}

/// A task `old` that has run for longer than `new`.
fn joined(mesh: &str, old: TaskDefinition, new: TaskDefinition) -> Outcome {
    let tasks = vec![since(running("t1", &old, "10.0.0.11"), 1000), since(running("t2", &new, "10.0.0.66"), 2000)];
    let outcome = join(mesh, &observation(vec![old, new], tasks));
    outcome.compiled();
    outcome
}

fn quarantined(outcome: &Outcome) -> Vec<&str> {
    outcome.joined.quarantined.iter().map(|it| it.who.as_str()).collect()
}

#[test]
fn who_took_a_name_first_keeps_it() {
    let pay = fargate("pay:1", &[("envoy.service.pay.svc", "app:3000")]);
    let thief = fargate("aaa:1", &[("envoy.service.pay_svc", "app:3000")]);
    let outcome = joined("", pay, thief);
    assert_eq!(quarantined(&outcome), ["aaa:1"]);
    assert_eq!(outcome.endpoints(), ["pay.svc 10.0.0.11:3000 -> pay/1"]);
}

#[test]
fn a_deployment_does_not_make_a_family_younger() {
    let pay = fargate("pay:1", &[("envoy.service.pay.svc", "app:3000")]);
    let next = fargate("pay:2", &[("envoy.service.pay.svc", "app:3000")]);
    let thief = fargate("aaa:1", &[("envoy.service.pay_svc", "app:3000")]);
    let tasks = vec![
        since(running("t1", &pay, "10.0.0.11"), 1000),
        since(running("t2", &thief, "10.0.0.66"), 2000),
        since(running("t3", &next, "10.0.0.12"), 3000),
    ];
    let outcome = join("", &observation(vec![pay, next, thief], tasks));
    outcome.compiled();
    assert_eq!(quarantined(&outcome), ["aaa:1"]);
}

#[test]
fn the_family_that_was_there_first_speaks_for_a_service() {
    let timeout = "meshwright.service.orders.svc.timeout";
    let good = fargate("orders:1", &[("meshwright.service.orders.svc", "app:3000"), (timeout, "10000")]);
    let other = fargate("aaa:1", &[("meshwright.service.orders.svc", "app:3000"), (timeout, "1000")]);
    let outcome = joined("", good, other);
    assert_eq!(outcome.mesh.services[0].timeout.unwrap().value.as_secs(), 10);
}

#[test]
fn a_revision_that_is_not_healthy_does_not_speak_yet() {
    let protocol = "meshwright.service.orders.svc.protocol";
    let old = fargate("orders:7", &[("meshwright.service.orders.svc", "app:3000"), (protocol, "http")]);
    let new = fargate("orders:8", &[("meshwright.service.orders.svc", "app:3000"), (protocol, "http2")]);
    let mut pending = running("t2", &new, "10.0.0.12");
    pending.last_status = "PENDING".to_owned();
    let tasks = vec![running("t1", &old, "10.0.0.11"), pending];
    let outcome = join("", &observation(vec![old, new], tasks));
    assert_eq!(outcome.mesh.services[0].protocol.unwrap().value, spec::mesh::Protocol::Http);
}

#[test]
fn a_label_that_makes_the_mesh_itself_wrong_is_not_heard() {
    for mesh in [
        "node \"web\" { calls \"orders.svc\"; }\ngateway \"front\" { listen 8080; host \"example.com\" { to \"orders.svc\"; }; }",
        "service \"web.svc\" { endpoint \"10.7.0.1:80\"; mirror to=\"orders.svc\"; }",
        "service \"web.svc\" { endpoint \"10.7.0.1:80\"; route path-prefix=\"/\" { to \"orders.svc\"; }; }",
        "node \"web\" { calls \"orders.svc\"; }",
    ] {
        for rules in ["", "ecs { owner \"orders.svc\" family=\"orders\"; }\nservice \"orders.svc\"\n"] {
            let good = fargate("good:1", &[("meshwright.service.good.svc", "app:3000")]);
            let labels =
                [("meshwright.service.orders.svc", "app:3000"), ("meshwright.service.orders.svc.protocol", "tcp")];
            let outcome = joined(&format!("{rules}{mesh}"), good, fargate("orders:1", &labels));
            assert!(outcome.endpoints().contains(&"good.svc 10.0.0.11:3000 -> nobody".to_owned()));
            assert_eq!(quarantined(&outcome), ["orders:1"], "{rules}{mesh}");
        }
    }
}

#[test]
fn who_adds_a_service_to_a_port_for_all_of_them_is_not_heard() {
    let good = fargate("orders:1", &[("meshwright.service.orders.svc", "app:3000")]);
    let more = fargate("more:1", &[("meshwright.service.more.svc", "app:3000")]);
    let outcome = joined("node \"web\" { calls \"*\" local-port=9001; }", good, more);
    assert_eq!(quarantined(&outcome), ["more:1"]);
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> nobody"]);
}

#[test]
fn a_mistake_of_the_mesh_blames_nobody() {
    let good = fargate("good:1", &[("meshwright.service.good.svc", "app:3000")]);
    let task = running("t1", &good, "10.0.0.11");
    let outcome = join("node \"web\" { calls \"*\" local-port=4000; }", &observation(vec![good], vec![task]));
    assert_eq!(quarantined(&outcome), [""; 0]);
    assert_eq!(outcome.endpoints().len(), 1);
}

#[test]
fn for_what_the_mesh_would_refuse_anyway_nobody_is_blamed_though_a_task_has_to_do_with_it() {
    let labels = [("meshwright.service.db.svc", "app:3000"), ("meshwright.service.db.svc.protocol", "tcp")];
    let db = fargate("db:1", &labels);
    let task = running("t1", &db, "10.0.0.11");
    let mesh = "gateway \"front\" { listen 5432 protocol=\"tcp\" { to \"db.svc\"; }; }\n\
                node \"web\" { calls \"db.svc\"; }";
    let outcome = join(mesh, &observation(vec![db], vec![task]));
    assert_eq!(quarantined(&outcome), [""; 0]);
    assert_eq!(outcome.endpoints().len(), 1);
}

#[test]
fn only_an_owner_changes_who_gets_in_and_where_requests_go() {
    for (key, value) in [
        ("authorization.rule.1.decision", "allow"),
        ("ip-access.allow", "0.0.0.0/0"),
        ("mirror.1.to", "evil.svc"),
        ("failover.1.service", "evil.svc"),
        ("route.1.path-prefix", "/"),
        ("header-routing", "x-a: on -> evil.svc"),
        ("fault.inject", "true"),
        ("protocol", "tcp"),
        ("tls.mode", "permissive"),
        ("maintenance.status", "503"),
        ("request-headers.set.x-user", "admin"),
    ] {
        let setting = format!("meshwright.service.orders.svc.{key}");
        let labels = [
            ("meshwright.service.orders.svc", "app:3000"),
            ("meshwright.service.evil.svc", "app:3000"),
            ("meshwright.service.orders.svc.timeout", "7000"),
            (setting.as_str(), value),
        ];
        let definition = fargate("evil:1", &labels);
        let task = running("t1", &definition, "10.0.0.11");
        let outcome = join("service \"orders.svc\"", &observation(vec![definition], vec![task]));
        outcome.compiled();
        let orders = &outcome.mesh.services[0];
        assert_eq!(
            orders.timeout.map(|it| it.value.as_secs()),
            if outcome.endpoints().is_empty() { None } else { Some(7) }
        );
        let plain = spec::mesh::Service {
            endpoints: orders.endpoints.clone(),
            ecs: orders.ecs.clone(),
            timeout: orders.timeout,
            ..spec::mesh::Service::named(orders.name.clone())
        };
        assert_eq!(*orders, plain, "{key}");
        assert!(outcome.found().iter().any(|it| it.starts_with("quarantined-task")), "{key}: {:?}", outcome.found());
    }
}

#[test]
fn an_owner_says_more() {
    let labels = [("meshwright.service.orders.svc", "app:3000"), ("meshwright.service.orders.svc.protocol", "grpc")];
    let definition = fargate("orders:1", &labels);
    let task = running("t1", &definition, "10.0.0.11");
    let mesh = "ecs { owner \"orders.svc\" family=\"orders\"; }\nservice \"orders.svc\"";
    let outcome = join(mesh, &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.mesh.services[0].protocol.unwrap().value, spec::mesh::Protocol::Grpc);
    assert_eq!(outcome.found(), [""; 0]);
}

/// A thousand tasks with words of their own, all of them with one setting.
fn thousand(key: &str, value: &str) -> Outcome {
    let definition = fargate("orders:1", &[("meshwright.service.orders.svc", "app:3000")]);
    let good = fargate("good:1", &[("meshwright.service.good.svc", "app:3000")]);
    let mut tasks: Vec<Task> = (0..1000_u32)
        .map(|it| {
            let mut task = running(&format!("t{it}"), &definition, &format!("10.1.{}.{}", it / 250, it % 250 + 1));
            task.tags = map(&[(key, value)]);
            task
        })
        .collect();
    tasks.push(running("good", &good, "10.0.0.11"));
    let outcome = join("", &observation(vec![definition, good], tasks));
    outcome.compiled();
    outcome
}

#[test]
fn a_thousand_tasks_with_one_mistake_are_left_out_at_once() {
    let outcome = thousand("meshwright.service.orders.svc.retry.attempts", "many");
    assert_eq!(outcome.endpoints(), ["good.svc 10.0.0.11:3000 -> nobody"]);
    assert_eq!((outcome.joined.quarantined.len(), outcome.joined.rounds), (1000, 1));
}

#[test]
fn a_thousand_tasks_with_a_mistake_that_only_the_mesh_shows_are_left_out_in_a_few_rounds() {
    let outcome = thousand("meshwright.service.orders.svc.default-subset", "nobody");
    assert_eq!(outcome.endpoints(), ["good.svc 10.0.0.11:3000 -> nobody"]);
    assert_eq!(outcome.joined.quarantined.len(), 1000);
    assert!(outcome.joined.rounds <= 8, "{}", outcome.joined.rounds);
}

#[test]
fn a_warning_that_the_mesh_makes_an_error_leaves_out_who_causes_it() {
    let labels = [
        ("meshwright.service.bad.svc", "app:3000"),
        ("meshwright.service.bad.svc.fault.delay.duration", "30"),
        ("meshwright.service.bad.svc.fault.inject", "true"),
    ];
    let good = || fargate("good:1", &[("meshwright.service.good.svc", "app:3000")]);
    let plain = joined("", good(), fargate("bad:1", &labels));
    assert_eq!(quarantined(&plain), [""; 0]);
    let mesh = "rules { rule \"ineffective-annotation\" level=\"error\"; }";
    let outcome = joined(mesh, good(), fargate("bad:1", &labels));
    assert_eq!(quarantined(&outcome), ["bad:1"]);
    assert_eq!(outcome.endpoints(), ["good.svc 10.0.0.11:3000 -> nobody"]);
}

#[test]
fn tags_that_ecs_copied_from_the_definition_say_nothing_new() {
    let mut definition = fargate("orders:7", &[("envoy.service.orders.svc", "app:3000")]);
    definition.tags = map(&[("meshwright.calls", "all")]);
    let tasks = ["10.0.0.11", "10.0.0.12"].map(|address| {
        let mut task = running(address, &definition, address);
        task.tags = definition.tags.clone();
        task
    });
    let outcome = join("", &observation(vec![definition], tasks.to_vec()));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> orders/7", "orders.svc 10.0.0.12:3000 -> orders/7"]);
}

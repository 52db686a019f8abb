//! Who may speak of a service.

use meshwright_compiler::observation::TaskDefinition;

use super::aws::{fargate, map, observation, running};
use super::{Outcome, join};

fn two_families(mesh: &str) -> Outcome {
    let good = fargate("orders:7", &[("meshwright.service.orders.svc", "app:3000")]);
    let thief = fargate(
        "evil:1",
        &[("meshwright.service.orders.svc", "app:3000"), ("meshwright.service.evil.svc", "app:3000")],
    );
    let tasks = vec![running("t1", &good, "10.0.0.11"), running("t2", &thief, "10.0.0.66")];
    let outcome = join(mesh, &observation(vec![good, thief], tasks));
    outcome.compiled();
    outcome
}

#[test]
fn without_a_rule_both_are_heard_and_a_warning_names_them() {
    let outcome = two_families("");
    assert_eq!(
        outcome.found(),
        ["contested-service: `orders.svc`: `evil` and `orders` claim it: settings are those of `evil`"]
    );
    assert_eq!(outcome.endpoints().len(), 3);
}

#[test]
fn with_a_rule_nobody_else_is_heard_of_this_service() {
    let outcome = two_families("ecs { owner \"orders.*\" family=\"orders\" cluster=\"prod\"; }");
    assert_eq!(
        outcome.found(),
        ["not-the-owner: `evil:1`: `orders.svc` is not its to claim: the mesh names other owners"]
    );
    assert_eq!(outcome.endpoints(), ["evil.svc 10.0.0.66:3000 -> nobody", "orders.svc 10.0.0.11:3000 -> nobody"]);
    assert_eq!(outcome.joined.quarantined.len(), 1);
}

#[test]
fn a_rule_for_another_cluster_does_not_help() {
    let outcome = two_families("ecs { owner \"orders.svc\" family=\"*\" cluster=\"test\"; }");
    assert_eq!(outcome.endpoints(), ["evil.svc 10.0.0.66:3000 -> nobody"]);
}

#[test]
fn what_the_mesh_says_of_a_place_cannot_be_claimed() {
    let outcome = two_families("service \"orders.svc\" { endpoint \"10.7.0.1:80\"; }");
    assert_eq!(outcome.endpoints(), ["orders.svc 10.7.0.1:80 -> nobody", "evil.svc 10.0.0.66:3000 -> nobody"]);
    assert_eq!(outcome.joined.quarantined.len(), 2);
}

#[test]
fn a_task_that_the_mesh_means_may_say_so_itself() {
    let outcome = two_families("service \"orders.svc\" { ecs cluster=\"prod\" family=\"orders\"; }");
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> nobody", "evil.svc 10.0.0.66:3000 -> nobody"]);
    assert_eq!(outcome.joined.quarantined.len(), 1);
}

#[test]
fn a_label_cannot_make_a_task_one_of_a_node_whose_services_are_owned() {
    let mesh = "ecs { owner \"orders.svc\" family=\"orders\"; }\nservice \"orders.svc\"\nnode \"orders\" { serves \"orders.svc\"; }";
    let thief = fargate("evil:1", &[("meshwright.node", "orders")]);
    let task = running("t2", &thief, "10.0.0.66");
    let outcome = join(mesh, &observation(vec![thief], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), [""; 0]);
}

#[test]
fn a_label_cannot_give_a_task_the_configuration_of_a_node_whose_services_are_owned() {
    let mesh = "ecs { owner \"orders.svc\" family=\"orders\"; }\nservice \"orders.svc\"\nnode \"orders\" { serves \"orders.svc\"; }";
    let good = fargate("orders:7", &[]);
    let words = [("meshwright.node", "orders"), ("meshwright.calls", "*"), ("meshwright.service.evil.svc", "app:3000")];
    let labelled = fargate("evil:1", &words);
    let named = fargate("evil:2", &words[1..]);
    let mut called = running("t3", &named, "10.0.0.67");
    called.group = "service:orders".to_owned();
    let tasks = vec![running("t1", &good, "10.0.0.11"), running("t2", &labelled, "10.0.0.66"), called];
    let outcome = join(mesh, &observation(vec![good, labelled, named], tasks));
    outcome.compiled();
    assert!(outcome.endpoints().contains(&"orders.svc 10.0.0.11:3000 -> orders".to_owned()));
    assert_eq!(outcome.joined.aliases["prod/t1"], "orders");
    for task in ["prod/t2", "prod/t3"] {
        assert_ne!(outcome.joined.aliases.get(task).map(String::as_str), Some("orders"));
    }
    let orders = &outcome.mesh.nodes[0];
    assert_eq!((orders.serves.len(), orders.calls.len()), (1, 0), "{}", outcome.nodes());
}

#[test]
fn nightjars_words_cannot_either() {
    let words = [
        ("NJ_PROXY_MODE", "SERVICE"),
        ("NJ_NAMESPACE", "evil"),
        ("NJ_SERVICE", "search"),
        ("NJ_COLOR", "blue"),
        ("NJ_ROUTE_1", "+/search/"),
        ("NJ_ROUTE_PORT_1", "3000"),
        ("meshwright.node", "orders"),
    ];
    let mesh = "ecs { owner \"orders.svc\" family=\"orders\"; }\nservice \"orders.svc\"\nnode \"orders\" { serves \"orders.svc\"; }\ngateway \"front\" { listen 8080; calls \"orders.svc\"; }";
    for family in ["evil:1", "front:1"] {
        let thief = TaskDefinition { tags: map(&words), ..fargate(family, &[]) };
        let task = running("t2", &thief, "10.0.0.66");
        let outcome = join(mesh, &observation(vec![thief], vec![task]));
        outcome.compiled();
        assert_eq!(outcome.joined.aliases["prod/t2"], family.replace(':', "/"));
        assert!(outcome.mesh.nodes[0].calls.is_empty(), "{}", outcome.nodes());
        assert!(outcome.joined.quarantined.iter().all(|it| !it.reason.contains("duplicate")));
    }
}

//! What nightjar's discovery on ECS gets wrong, each proven against it, and what becomes of it here.

use meshwright_compiler::import::ecs::Options;
use spec::mesh::Protocol;

use super::cluster::{bridged, container, definition, hosted, import, observation, task, words};
use super::{YUMMY, colour, of, one_each};

#[test]
fn defect_1_fargate_tasks_get_their_own_port() {
    let says = format!("{YUMMY}\nNJ_COLOR=blue\nNJ_ROUTE_1=/key");
    let fargate = definition("tuna", vec![container("service 3000", ""), container("nightjar 8090", &says)]);
    let tasks = [task(&fargate, "t1", "10.0.0.1"), task(&fargate, "t2", "10.0.0.2")];
    let outcome = import(&observation(&[&fargate], &tasks), &Options::default());
    outcome.checked();
    assert_eq!(outcome.endpoints("blue.tuna.Yummy"), ["10.0.0.1:3000", "10.0.0.2:3000"]);
}

#[test]
fn defect_2_every_task_has_its_own_ephemeral_port() {
    let says = format!("{YUMMY}\nNJ_COLOR=blue\nNJ_ROUTE_1=/key");
    let tuna = bridged(definition("tuna", vec![container("service 3000", ""), container("nightjar 8090", &says)]));
    let tasks = [
        hosted(&tuna, "t1", "10.0.0.1", "nightjar 8090 32700\nservice 3000 32768"),
        hosted(&tuna, "t2", "10.0.0.1", "nightjar 8090 32701\nservice 3000 32769"),
        hosted(&tuna, "t3", "10.0.0.2", "nightjar 8090 32702\nservice 3000 41000"),
    ];
    let outcome = of(&[&tuna], &tasks);
    outcome.checked();
    assert_eq!(outcome.endpoints("blue.tuna.Yummy"), ["10.0.0.1:32768", "10.0.0.1:32769", "10.0.0.2:41000"]);
}

#[test]
fn defect_3_no_task_inherits_the_words_of_another() {
    let web = colour("web", "front", "blue", "NJ_ROUTE_1=/");
    let mut changed = task(&web, "t1", "10.0.0.1");
    changed.environment.insert("nightjar".to_owned(), words("NJ_COLOR=green\nNJ_LISTEN_PORT=8191"));
    let outcome = of(&[&web], &[changed, task(&web, "t2", "10.0.0.2")]);
    outcome.checked();
    assert_eq!(outcome.endpoints("green.front.web"), ["10.0.0.1:3000"]);
    assert_eq!(outcome.endpoints("blue.front.web"), ["10.0.0.2:3000"]);
    let ports = outcome.mesh.nodes.iter().flat_map(|node| &node.calls).filter_map(|call| call.local_port.as_ref());
    assert_eq!(ports.map(|port| port.value).collect::<Vec<_>>(), [8191, 8090]);
}

#[test]
fn defect_4_a_port_for_another_namespace_listens() {
    let web = colour("web", "front", "blue", "NJ_NAMESPACE_PORT_12=pay:9001");
    let pay = colour("pay", "api", "blue", "NJ_ROUTE_1=/charge");
    let outcome = one_each(&[&web, &pay]);
    outcome.checked();
    let node = outcome.mesh.nodes.iter().find(|node| node.name.value.as_str() == "web-front-blue/1").unwrap();
    let ports = node.calls.iter().filter_map(|call| call.local_port.as_ref());
    assert_eq!(ports.map(|port| port.value).collect::<Vec<_>>(), [8090, 9001]);
}

#[test]
fn defect_5_the_protocol_of_a_service_holds() {
    let outcome = one_each(&[&colour("web", "front", "blue", "NJ_PROTOCOL= http2 \nNJ_ROUTE_1=/")]);
    outcome.checked();
    let service = outcome.mesh.services.iter().find(|it| it.name.value.as_str() == "blue.front.web").unwrap();
    assert_eq!(service.protocol.map(|said| said.value), Some(Protocol::Http2));
}

#[test]
fn defect_5_a_port_bound_in_both_families_is_one_endpoint() {
    let says = format!("{YUMMY}\nNJ_COLOR=blue\nNJ_ROUTE_1=/key");
    let tuna = bridged(definition("tuna", vec![container("service 3000", ""), container("nightjar", &says)]));
    let tasks = [hosted(&tuna, "t1", "10.0.0.1", "service 3000 32768 ::\nservice 3000 32768 0.0.0.0")];
    let outcome = of(&[&tuna], &tasks);
    outcome.checked();
    assert_eq!(outcome.endpoints("blue.tuna.Yummy"), ["10.0.0.1:32768"]);
}

#[test]
fn defect_5_a_route_in_json_that_is_wrong_takes_no_other_task_along() {
    let (good, wrong) =
        (colour("web", "front", "good", "NJ_ROUTE_1=/"), colour("web", "front", "wrong", "NJ_ROUTE_1={"));
    let outcome = one_each(&[&good, &wrong]);
    outcome.checked();
    assert_eq!(outcome.endpoints("good.front.web"), ["10.0.0.1:3000"]);
    let left_out: Vec<&str> = outcome.joined.quarantined.iter().map(|it| it.who.as_str()).collect();
    assert_eq!(left_out, ["web-front-wrong:1"]);
}

#[test]
fn defect_5_a_weight_holds_for_a_route_in_json() {
    let json = r#"{"path-match":{"match-type":"prefix","value":"/"},"weight":5,"default-access":true}"#;
    let said = |color: &str, weight: &str| colour("web", "front", color, &format!("NJ_ROUTE_1={json}\n{weight}"));
    let outcome = one_each(&[&said("blue", ""), &said("green", "NJ_ROUTE_WEIGHT_1=2")]);
    outcome.checked();
    let kdl = outcome.kdl();
    assert!(kdl.contains("to \"blue.front.web\" weight=5\n"), "{kdl}");
    assert!(kdl.contains("to \"green.front.web\" weight=2\n"), "{kdl}");
}

#[test]
fn defect_6_a_private_route_can_be_a_tag() {
    let mut web = colour("web", "front", "blue", "NJ_ROUTE_1=/");
    web.tags = words("NJ_ROUTE_2=-/audit/");
    let front = super::gateway("web", "");
    let outcome = one_each(&[&web, &front]);
    outcome.checked();
    let routes = |name: &str| {
        let service = outcome.mesh.services.iter().find(|it| it.name.value.as_str() == name).unwrap();
        service.routes.len()
    };
    assert_eq!((routes("web"), routes("public-routes.web")), (2, 1));
}

#[test]
fn defect_6_only_tasks_that_run_and_are_healthy_get_requests() {
    let web = colour("web", "front", "blue", "NJ_ROUTE_1=/");
    let mut tasks: Vec<_> = (1..=4).map(|n| task(&web, &format!("t{n}"), &format!("10.0.0.{n}"))).collect();
    tasks[0].last_status = "PENDING".to_owned();
    tasks[1].health_status = "UNHEALTHY".to_owned();
    tasks[2].desired_status = "STOPPED".to_owned();
    let outcome = of(&[&web], &tasks);
    outcome.checked();
    assert_eq!(outcome.endpoints("blue.front.web"), ["10.0.0.4:3000"]);
}

#[test]
fn defect_7_headers_queries_and_regular_expressions_compile() {
    let json = r#"{"path-match":{"match-type":"regex","value":"/a(b|c)","case-sensitive":false},"default-access":true,"headers":[{"header-name":"x-a","match-type":"exact","value":"1"},{"header-name":"x-b","match-type":"present","invert":true},{"header-name":"x-c","match-type":"suffix","value":"z","case-sensitive":false}],"query-parameters":[{"parameter-name":"q","match-type":"prefix","value":"p"},{"parameter-name":"r","match-type":"present","value":null}]}"#;
    let outcome = one_each(&[&colour("web", "front", "blue", &format!("NJ_ROUTE_1={json}"))]);
    outcome.checked();
    assert_eq!(outcome.problems(), "");
}

//! Tasks with nightjar's words become the mesh that nightjar promised.

mod cluster;
mod defects;
mod first;
mod strangers;

use expect_test::{Expect, expect};
use meshwright_compiler::import::ecs::Options;
use meshwright_compiler::observation::{Task, TaskDefinition};

use cluster::{bridged, container, definition, hosted, import, join, observation, revision, task, words};

#[track_caller]
fn check_kdl(outcome: &cluster::Outcome, expected: Expect) {
    outcome.checked();
    expected.assert_eq(&outcome.kdl());
}

const YUMMY: &str = "
    NJ_PROXY_MODE=SERVICE
    NJ_NAMESPACE=Yummy
    NJ_SERVICE=tuna
    NJ_LISTEN_PORT=8090
    NJ_ADMIN_PORT=9901
    NJ_ROUTE_PORT=service:3000
";

#[test]
fn colours_of_a_service_share_the_requests_of_their_paths_by_weight() {
    let of = |color: &str, weight: u32| {
        let says = format!(
            "{YUMMY}\nNJ_COLOR={color}\nNJ_ROUTE_1=/key/tuna\nNJ_ROUTE_WEIGHT_1={weight}\nNJ_ROUTE_2=!/key/tuna_{color}"
        );
        let containers = vec![container("service 3000", ""), container("nightjar 9901 8090", &says)];
        bridged(definition(&format!("yummy-tuna-{color}"), containers))
    };
    let (blue, ahi) = (of("blue", 1), of("ahi", 2));
    let front = "NJ_PROXY_MODE=GATEWAY\nNJ_NAMESPACE=Yummy\nNJ_LISTEN_PORT=2000";
    let front = bridged(definition("yummy-gateway", vec![container("nightjar 2000", front)]));
    let bound = |service: u16| format!("service 3000 {service}\nnightjar 8090 {}", service + 1);
    let tasks = [
        hosted(&blue, "b1", "10.0.1.1", &bound(32768)),
        hosted(&blue, "b2", "10.0.1.1", &bound(32770)),
        hosted(&ahi, "a1", "10.0.1.2", &bound(32768)),
        hosted(&front, "g1", "10.0.1.2", "nightjar 2000 32790"),
    ];
    let outcome = import(&observation(&[&blue, &ahi, &front], &tasks), &Options::default());
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "Yummy" {
                    route path="/key/tuna" {
                        to "ahi.tuna.Yummy" weight=2
                        to "blue.tuna.Yummy" weight=1
                    }
                    route path-prefix="/key/tuna/" {
                        to "ahi.tuna.Yummy" weight=2
                        to "blue.tuna.Yummy" weight=1
                    }
                    route path="/key/tuna_ahi" {
                        to "ahi.tuna.Yummy"
                    }
                    route path-prefix="/key/tuna_ahi/" {
                        to "ahi.tuna.Yummy"
                    }
                    route path="/key/tuna_blue" {
                        to "blue.tuna.Yummy"
                    }
                    route path-prefix="/key/tuna_blue/" {
                        to "blue.tuna.Yummy"
                    }
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "public-routes.Yummy" {
                    route path="/key/tuna" {
                        to "ahi.tuna.Yummy" weight=2
                        to "blue.tuna.Yummy" weight=1
                    }
                    route path-prefix="/key/tuna/" {
                        to "ahi.tuna.Yummy" weight=2
                        to "blue.tuna.Yummy" weight=1
                    }
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "ahi.tuna.Yummy" {
                    endpoint "10.0.1.2:32768"
                    ecs family="yummy-tuna-ahi"
                }

                service "blue.tuna.Yummy" {
                    endpoint "10.0.1.1:32768"
                    endpoint "10.0.1.1:32770"
                    ecs family="yummy-tuna-blue"
                }

                node "yummy-tuna-ahi/1" {
                    calls "Yummy" {
                        local-port 8090
                        local-address "0.0.0.0"
                    }
                }

                node "yummy-tuna-blue/1" {
                    calls "Yummy" {
                        local-port 8090
                        local-address "0.0.0.0"
                    }
                }

                gateway "gateway-Yummy" {
                    listen 2000
                    host "*" {
                        to "public-routes.Yummy"
                    }
                }
            }
        "#]],
    );
    assert_eq!(outcome.problems(), "");
    let aliases = format!("{:#?}", outcome.joined.aliases);
    expect![[r#"
        {
            "production/a1": "yummy-tuna-ahi/1",
            "production/b1": "yummy-tuna-blue/1",
            "production/b2": "yummy-tuna-blue/1",
            "production/g1": "gateway-Yummy",
            "yummy-gateway": "gateway-Yummy",
            "yummy-gateway/1": "gateway-Yummy",
            "yummy-tuna-ahi": "yummy-tuna-ahi/1",
            "yummy-tuna-blue": "yummy-tuna-blue/1",
        }"#]]
    .assert_eq(&aliases);
}

/// A colour of a service on Fargate: its application listens at 3000.
fn colour(namespace: &str, service: &str, color: &str, says: &str) -> TaskDefinition {
    let says = format!(
        "NJ_PROXY_MODE=SERVICE\nNJ_NAMESPACE={namespace}\nNJ_SERVICE={service}\nNJ_COLOR={color}\nNJ_LISTEN_PORT=8090\n{says}"
    );
    definition(&format!("{namespace}-{service}-{color}"), vec![container("app 3000", ""), container("nightjar", &says)])
}

fn gateway(namespace: &str, says: &str) -> TaskDefinition {
    let says = format!("NJ_PROXY_MODE=GATEWAY\nNJ_NAMESPACE={namespace}\nNJ_LISTEN_PORT=2000\n{says}");
    definition(&format!("{namespace}-gateway"), vec![container("nightjar 2000", &says)])
}

fn of(definitions: &[&TaskDefinition], tasks: &[Task]) -> cluster::Outcome {
    import(&observation(definitions, tasks), &Options::default())
}

/// A task of each, at 10.0.0.1, 10.0.0.2 and so on.
fn one_each(definitions: &[&TaskDefinition]) -> cluster::Outcome {
    let tasks: Vec<Task> = definitions
        .iter()
        .enumerate()
        .map(|(index, it)| task(it, &format!("t{}", index + 1), &format!("10.0.0.{}", index + 1)))
        .collect();
    of(definitions, &tasks)
}

#[test]
fn a_caller_reaches_other_namespaces_at_ports_of_their_own_and_only_what_they_give() {
    let json = r#"{"path-match":{"match-type":"prefix","value":"/partners/"},"default-access":false,"namespace-access":[{"namespace":"web","access":true}]}"#;
    let web = colour("web", "front", "default", "NJ_NAMESPACE_PORT_1=pay:9001");
    let other = colour("mail", "sender", "default", "NJ_NAMESPACE_PORT_1=pay:9001");
    let pay = colour("pay", "api", "blue", &format!("NJ_ROUTE_1=/charge\nNJ_ROUTE_2=!/audit\nNJ_ROUTE_3={json}"));
    let outcome = one_each(&[&web, &other, &pay]);
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "pay" {
                    route path="/charge" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/charge/" {
                        to "blue.api.pay"
                    }
                    route path="/audit" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/audit/" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/partners/" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "web" {
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "mail" {
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "public-routes.pay" {
                    route path="/charge" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/charge/" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "public-routes-for-web.pay" {
                    route path="/charge" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/charge/" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/partners/" {
                        to "blue.api.pay"
                    }
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "blue.api.pay" {
                    endpoint "10.0.0.3:3000"
                    ecs family="pay-api-blue"
                }

                node "mail-sender-default/1" {
                    calls "mail" {
                        local-port 8090
                    }
                    calls "public-routes.pay" {
                        local-port 9001
                    }
                }

                node "pay-api-blue/1" {
                    calls "pay" {
                        local-port 8090
                    }
                }

                node "web-front-default/1" {
                    calls "web" {
                        local-port 8090
                    }
                    calls "public-routes-for-web.pay" {
                        local-port 9001
                    }
                }
            }
        "#]],
    );
    assert_eq!(outcome.problems(), "");
}

#[test]
fn callers_of_a_namespace_that_prefers_its_gateways_go_through_them() {
    let web = colour("web", "front", "default", "NJ_NAMESPACE_PORT_1=pay:9001");
    let pay = colour("pay", "api", "blue", "NJ_ROUTE_1=/charge");
    let front = gateway("pay", "NJ_PREFER_GATEWAY=true");
    let outcome = one_each(&[&web, &pay, &front]);
    outcome.checked();
    assert_eq!(outcome.endpoints("gateways-of.pay"), ["10.0.0.3:2000"]);
    let kdl = outcome.kdl();
    assert!(kdl.contains("calls \"gateways-of.pay\" {\n            local-port 9001"), "{kdl}");
}

#[test]
fn a_wide_route_that_comes_first_hides_nothing() {
    let web = colour("web", "front", "default", "NJ_ROUTE_1=/\nNJ_ROUTE_2=/cart\nNJ_ROUTE_3=/cart/items/");
    let outcome = one_each(&[&web]);
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "web" {
                    route path="/cart" {
                        to "default.front.web"
                    }
                    route path-prefix="/cart/items/" {
                        to "default.front.web"
                    }
                    route path-prefix="/cart/" {
                        to "default.front.web"
                    }
                    route path-prefix="/" {
                        to "default.front.web"
                    }
                }

                service "default.front.web" {
                    endpoint "10.0.0.1:3000"
                    ecs family="web-front-default"
                }

                node "web-front-default/1" {
                    calls "web" {
                        local-port 8090
                    }
                }
            }
        "#]],
    );
    let notes: Vec<&str> = outcome.diagnostics.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(notes, ["the routes of namespace `web` are tried in another order: narrower ones first"]);
}

#[test]
fn paths_of_tasks_that_are_not_ready_stay_theirs() {
    let web = colour("web", "front", "default", "NJ_ROUTE_1=/");
    let cart = colour("web", "cart", "default", "NJ_ROUTE_1=/cart/");
    let mut starting = task(&cart, "t2", "10.0.0.2");
    starting.last_status = "PENDING".to_owned();
    let outcome = of(&[&web, &cart], &[task(&web, "t1", "10.0.0.1"), starting]);
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "web" {
                    route path-prefix="/cart/" {
                        to "default.cart.web"
                    }
                    route path-prefix="/" {
                        to "default.front.web"
                    }
                }

                service "default.cart.web" {
                    ecs family="web-cart-default"
                }

                service "default.front.web" {
                    endpoint "10.0.0.1:3000"
                    ecs family="web-front-default"
                }

                node "web-cart-default/1" {
                    calls "web" {
                        local-port 8090
                    }
                }

                node "web-front-default/1" {
                    calls "web" {
                        local-port 8090
                    }
                }
            }
        "#]],
    );
}

#[test]
fn a_colour_that_nobody_serves_gets_no_share() {
    let (blue, green) =
        (colour("web", "cart", "blue", "NJ_ROUTE_1=/cart/"), colour("web", "cart", "green", "NJ_ROUTE_1=/cart/"));
    let mut ill = task(&green, "t2", "10.0.0.2");
    ill.health_status = "UNHEALTHY".to_owned();
    let outcome = of(&[&blue, &green], &[task(&blue, "t1", "10.0.0.1"), ill]);
    outcome.checked();
    let kdl = outcome.kdl();
    assert!(kdl.contains("to \"blue.cart.web\"\n") && !kdl.contains("green.cart"), "{kdl}");
    assert_eq!(outcome.problems(), "");
}

#[test]
fn a_new_revision_is_asked_at_its_own_port_and_says_the_routes() {
    let of_revision = |number: u32, port: u16, route: &str| {
        let says = format!("{YUMMY}\nNJ_COLOR=blue\nNJ_ROUTE_1=/key\nNJ_ROUTE_PORT=app:{port}\n{route}");
        revision("tuna", number, vec![container(&format!("app {port}"), ""), container("nightjar", &says)])
    };
    let (old, new) = (of_revision(1, 3000, ""), of_revision(2, 4000, "NJ_ROUTE_2=/new/"));
    let outcome = of(&[&old, &new], &[task(&old, "t1", "10.0.0.1"), task(&new, "t2", "10.0.0.2")]);
    outcome.checked();
    assert_eq!(outcome.endpoints("blue.tuna.Yummy"), ["10.0.0.1:3000", "10.0.0.2:4000"]);
    assert!(outcome.kdl().contains("route path-prefix=\"/new/\""));
}

#[test]
fn routes_to_further_ports_are_services_of_their_own() {
    let says = "NJ_ROUTE_1=/\nNJ_ROUTE_2=/admin/\nNJ_ROUTE_PORT=app:3000\nNJ_ROUTE_PORT_2=app:3001";
    let mut web = colour("web", "front", "blue", says);
    web.containers[0] = container("app 3000 3001", "");
    let outcome = one_each(&[&web]);
    outcome.checked();
    assert_eq!(outcome.endpoints("blue.front.web"), ["10.0.0.1:3000"]);
    assert_eq!(outcome.endpoints("app-3001.blue.front.web"), ["10.0.0.1:3001"]);
}

#[test]
fn tags_of_a_task_go_before_those_of_its_definition_then_overrides_then_variables() {
    let mut web =
        colour("web", "front", "one", "NJ_ROUTE_1=/one/\nNJ_ROUTE_2=/two/\nNJ_ROUTE_3=/three/\nNJ_ROUTE_4=/four/");
    web.tags = words("NJ_ROUTE_1=/definition-tag/\nNJ_ROUTE_2=/definition-tag-2/");
    let mut it = task(&web, "t1", "10.0.0.1");
    it.tags = words("NJ_ROUTE_1=/tag/");
    it.environment.insert("nightjar".to_owned(), words("NJ_ROUTE_2=/override/\nNJ_ROUTE_3=/override-3/"));
    let outcome = of(&[&web], &[it]);
    outcome.checked();
    let kdl = outcome.kdl();
    let paths: Vec<&str> = kdl.lines().filter_map(|line| line.trim().strip_prefix("route path-prefix=")).collect();
    assert_eq!(paths, ["\"/tag/\" {", "\"/definition-tag-2/\" {", "\"/override-3/\" {", "\"/four/\" {", "\"/\" {"]);
}

#[test]
fn what_is_wrong_is_said_without_values_and_leaves_that_task_out_alone() {
    let good = colour("web", "front", "good", "NJ_ROUTE_1=/");
    for (says, reason) in [
        ("NJ_ROUTE_1=secret", "`NJ_ROUTE_1` is not a path"),
        ("NJ_ROUTE_1={secret", "`NJ_ROUTE_1` is not a route: it is not JSON from column 2 on"),
        ("NJ_ROUTE_1={\"secret\":1}", "`NJ_ROUTE_1` is not a route: its JSON has not the fields of a route"),
        ("NJ_ROUTE_1=/\nNJ_ROUTE_PORT=secret", "`NJ_ROUTE_PORT` is not a port"),
        ("NJ_NAMESPACE_PORT_1=secret", "`NJ_NAMESPACE_PORT_1` is not a namespace and a port"),
        ("NJ_LISTEN_PORT=secret", "`NJ_LISTEN_PORT` is not a port"),
    ] {
        let mut wrong = colour("web", "front", "wrong", "");
        wrong.tags = words(says);
        let outcome = one_each(&[&good, &wrong]);
        outcome.checked();
        assert!(!outcome.kdl().contains("wrong"), "{says}");
        let problems = outcome.problems();
        assert!(!problems.contains("secret"), "{problems}");
        let said = outcome.diagnostics.iter().any(|it| it.message == reason);
        let quarantined = outcome.joined.quarantined.iter().any(|it| it.reason.contains(reason));
        assert!(said || quarantined, "{reason}: {problems}");
    }
}

#[test]
fn routes_that_the_mesh_gives_hold() {
    let web = colour("web", "front", "blue", "NJ_ROUTE_1=/");
    let said = "mesh \"shop\" {\nservice \"web\" {\nroute path-prefix=\"/\" {\nrespond 410\n}\n}\nnode \"web-front-blue\" {\ncalls \"front.web\"\n}\n}";
    let outcome = join(said, &observation(&[&web], &[task(&web, "t1", "10.0.0.1")]));
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "shop" {
                service "web" {
                    route path-prefix="/" {
                        respond 410
                    }
                }

                service "front.web" {
                    route path-prefix="/" {
                        to "blue.front.web"
                    }
                }

                service "blue.front.web" {
                    endpoint "10.0.0.1:3000"
                    ecs family="web-front-blue"
                }

                node "web-front-blue" {
                    calls "front.web"
                    calls "web" {
                        local-port 8090
                    }
                }
            }
        "#]],
    );
    assert_eq!(outcome.joined.aliases.get("production/t1").map(String::as_str), Some("web-front-blue"));
}

#[test]
fn tasks_on_this_machine_are_nodes_of_their_own() {
    let web = colour("web", "front", "blue", "NJ_ROUTE_1=/");
    let tasks = [task(&web, "t1", "127.0.1.1"), task(&web, "t2", "127.0.1.2")];
    let outcome = import(&observation(&[&web], &tasks), &Options { tasks_here: true });
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "web" {
                    route path-prefix="/" {
                        to "blue.front.web"
                    }
                }

                service "blue.front.web" {
                    endpoint "127.0.1.1:3000"
                    endpoint "127.0.1.2:3000"
                    ecs family="web-front-blue"
                }

                node "web-front-blue/1/t1" {
                    bind "127.0.1.1"
                    calls "web" {
                        local-port 8090
                        local-address "127.0.1.1"
                    }
                }

                node "web-front-blue/1/t2" {
                    bind "127.0.1.2"
                    calls "web" {
                        local-port 8090
                        local-address "127.0.1.2"
                    }
                }
            }
        "#]],
    );
}

#[test]
fn behind_sidecars_of_ours_colours_are_dialled_there() {
    let mut own = colour("web", "front", "blue", "NJ_ROUTE_1=/");
    own.containers[1].labels = words("meshwright.sidecar=true");
    let mut hosted_one = colour("web", "cart", "blue", "NJ_ROUTE_1=/cart/");
    hosted_one.containers[1] = container(
        "nightjar 4100",
        &hosted_one.containers[1].environment.iter().map(|(key, value)| format!("{key}={value}\n")).collect::<String>(),
    );
    let hosted_one = bridged(hosted_one);
    let tasks = [
        task(&own, "t1", "10.0.0.1"),
        hosted(&hosted_one, "t2", "10.0.1.1", "app 3000 32768\nnightjar 4100 32769"),
        hosted(&hosted_one, "t3", "10.0.1.1", "app 3000 32770\nnightjar 4100 32771"),
    ];
    let outcome = of(&[&own, &hosted_one], &tasks);
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "web" {
                    route path-prefix="/cart/" {
                        to "blue.cart.web"
                    }
                    route path-prefix="/" {
                        to "blue.front.web"
                    }
                }

                service "blue.cart.web" {
                    endpoint "10.0.1.1:32768" node="web-cart-blue/1/t2" ingress-port=32769
                    endpoint "10.0.1.1:32770" node="web-cart-blue/1/t3" ingress-port=32771
                    ecs family="web-cart-blue"
                }

                service "blue.front.web" {
                    endpoint "10.0.0.1:3000" node="web-front-blue/1"
                    ecs family="web-front-blue"
                }

                node "web-front-blue/1" {
                    serves "blue.front.web" {
                        upstream "127.0.0.1:3000"
                    }
                    calls "web" {
                        local-port 8090
                    }
                }

                node "web-cart-blue/1/t2" {
                    serves "blue.cart.web" {
                        upstream "10.0.1.1:32768"
                    }
                    calls "web" {
                        local-port 8090
                        local-address "0.0.0.0"
                    }
                }

                node "web-cart-blue/1/t3" {
                    serves "blue.cart.web" {
                        upstream "10.0.1.1:32770"
                    }
                    calls "web" {
                        local-port 8090
                        local-address "0.0.0.0"
                    }
                }
            }
        "#]],
    );
    assert_eq!(outcome.problems(), "");
}

#[test]
fn only_owners_speak_for_a_namespace() {
    let (good, evil) = (colour("pay", "api", "blue", "NJ_ROUTE_1=/"), colour("pay", "api", "red", "NJ_ROUTE_1=/"));
    let evil = TaskDefinition { family: "evil".to_owned(), ..evil };
    let said = "mesh \"shop\" {\necs {\nowner \"*.pay\" family=\"pay-*\"\nowner \"pay\" family=\"pay-*\"\n}\n}";
    let tasks = [task(&good, "t1", "10.0.0.1"), task(&evil, "t2", "10.0.0.2")];
    let outcome = join(said, &observation(&[&good, &evil], &tasks));
    outcome.checked();
    assert!(!outcome.kdl().contains("red.api.pay"));
    let said: Vec<(&str, &str)> =
        outcome.joined.quarantined.iter().map(|it| (it.who.as_str(), it.reason.as_str())).collect();
    assert_eq!(said, [("evil:1", "`red.api.pay` is not its to claim: the mesh names other owners")]);
}

#[test]
fn a_service_whose_place_the_mesh_says_is_nobodys_to_claim() {
    let web = colour("orders", "svc", "blue", "NJ_ROUTE_1=/");
    let said = "mesh \"shop\" {\nservice \"orders\" {\nendpoint \"10.0.9.9:80\"\n}\nnode \"x\" calls=\"orders\"\n}";
    let outcome = join(said, &observation(&[&web], &[task(&web, "t1", "10.0.0.1")]));
    outcome.checked();
    assert_eq!(outcome.endpoints("orders"), ["10.0.9.9:80"]);
    assert!(!outcome.kdl().contains("route"), "{}", outcome.kdl());
}

#[test]
fn two_families_of_one_colour_are_named() {
    let (one, other) = (colour("web", "front", "blue", "NJ_ROUTE_1=/"), colour("web", "front", "blue", "NJ_ROUTE_1=/"));
    let arn = "arn:aws:ecs:eu-central-1:1:task-definition/other:1".to_owned();
    let other = TaskDefinition { family: "other".to_owned(), arn, ..other };
    let outcome = one_each(&[&one, &other]);
    outcome.checked();
    let problems = outcome.problems();
    assert!(problems.contains("contested-service") && problems.contains("`other` and `web-front-blue`"), "{problems}");
    assert_eq!(outcome.endpoints("blue.front.web"), ["10.0.0.1:3000", "10.0.0.2:3000"]);
}

#[test]
fn a_mesh_that_does_not_read_nightjars_words_hears_none() {
    let web = colour("web", "front", "blue", "NJ_ROUTE_1=/");
    let said = "mesh \"shop\" {\necs {\nread \"bent\"\n}\n}";
    let outcome = join(said, &observation(&[&web], &[task(&web, "t1", "10.0.0.1")]));
    assert!(outcome.mesh.services.is_empty() && outcome.mesh.nodes.is_empty());
}

#[test]
fn the_same_record_in_another_order_is_the_same_mesh() {
    let (blue, green) =
        (colour("web", "front", "blue", "NJ_ROUTE_1=/"), colour("web", "front", "green", "NJ_ROUTE_1=/"));
    let tasks = [task(&blue, "t1", "10.0.0.1"), task(&green, "t2", "10.0.0.2"), task(&blue, "t3", "10.0.0.3")];
    let mut turned = tasks.clone();
    turned.reverse();
    assert_eq!(of(&[&blue, &green], &tasks).kdl(), of(&[&green, &blue], &turned).kdl());
}

#[test]
fn a_gateway_of_the_mesh_stands_for_the_tasks_of_its_name() {
    let (front, web) = (gateway("web", ""), colour("web", "front", "blue", "NJ_ROUTE_1=/"));
    let said = "mesh \"shop\" {\ngateway \"web-gateway\" listen=443 {\nhost \"*\" {\nto \"web\"\n}\n}\n}";
    let tasks = [task(&front, "g1", "10.0.0.1"), task(&web, "t1", "10.0.0.2")];
    let outcome = join(said, &observation(&[&front, &web], &tasks));
    outcome.checked();
    assert_eq!(outcome.mesh.gateways.len(), 1);
    assert_eq!(outcome.joined.aliases.get("production/g1").map(String::as_str), Some("web-gateway"));
}

#[test]
fn a_namespace_named_twice_or_by_its_own_tasks_has_one_port() {
    let says = "NJ_NAMESPACE_PORT_1=pay:9001\nNJ_NAMESPACE_PORT_2=pay:9002\nNJ_NAMESPACE_PORT_3=web:9003";
    let (web, pay) = (colour("web", "front", "blue", says), colour("pay", "api", "blue", "NJ_ROUTE_1=/"));
    let outcome = one_each(&[&web, &pay]);
    outcome.checked();
    let node = outcome.mesh.nodes.iter().find(|node| node.name.value.as_str() == "web-front-blue/1").unwrap();
    let ports = node.calls.iter().filter_map(|call| call.local_port.as_ref());
    assert_eq!(ports.map(|port| port.value).collect::<Vec<_>>(), [8090, 9001]);
}

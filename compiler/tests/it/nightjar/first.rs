//! Variables of nightjar's first version.

use expect_test::expect;

use super::check_kdl;
use super::cluster::{bridged, container, definition, hosted, task};
use super::of;

const SERVICE: &str = "arn:aws:ecs:eu-central-1:1:service";

#[test]
fn a_task_reaches_services_by_path_at_one_port_and_is_reached_by_path_at_another() {
    let says = format!(
        "EGRESS_LISTEN_PORT=9000
        INGRESS_LISTEN_PORT=8080
        CLUSTER=production
        SERVICE_ARN_1={SERVICE}/cart
        SERVICE_PATH_1=/cart
        SERVICE_ARN_2={SERVICE}/production/stock
        SERVICE_PATH_2=/stock/
        SERVICE_CONTAINER_2=stock
        SERVICE_PORT_2=7000
        CONTAINER_NAME_1=web
        CONTAINER_PATH_1=/
        TASK_NAME_2=admin
        TASK_PATH_2=/admin
        TASK_PORT_2=3001"
    );
    let containers = vec![container("web 3000", ""), container("admin 3001", ""), container("nightjar", &says)];
    let web = definition("web", containers);
    let cart = definition("cart", vec![container("cart 5000", "")]);
    let stock = bridged(definition("stock", vec![container("stock 7000 7001", "")]));
    let tasks = [
        task(&web, "w1", "10.0.0.1"),
        task(&cart, "c1", "10.0.0.2"),
        hosted(&stock, "s1", "10.0.1.1", "stock 7001 32768\nstock 7000 32769"),
        hosted(&stock, "s2", "10.0.1.1", "stock 7001 32770\nstock 7000 32771"),
    ];
    let outcome = of(&[&web, &cart, &stock], &tasks);
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "cart.production" {
                    endpoint "10.0.0.2:5000"
                    ecs cluster="production" service="cart"
                }

                service "stock-7000.stock.production" {
                    endpoint "10.0.1.1:32769"
                    endpoint "10.0.1.1:32771"
                    ecs cluster="production" service="stock" container="stock" port=7000
                }

                service "web-1.egress" {
                    route path="/cart" {
                        to "cart.production"
                    }
                    route path-prefix="/cart/" {
                        to "cart.production"
                    }
                    route path-prefix="/stock/" {
                        to "stock-7000.stock.production"
                    }
                    route path-prefix="/" {
                        respond 404
                    }
                }

                service "web-3000.web-1.local" {
                    endpoint "127.0.0.1:3000"
                    ecs family="web"
                }

                service "admin-3001.web-1.local" {
                    endpoint "127.0.0.1:3001"
                    ecs family="web"
                }

                service "web-1.ingress" {
                    route path="/admin" {
                        to "admin-3001.web-1.local"
                    }
                    route path-prefix="/admin/" {
                        to "admin-3001.web-1.local"
                    }
                    route path-prefix="/" {
                        to "web-3000.web-1.local"
                    }
                }

                node "web/1" {
                    calls "web-1.egress" {
                        local-port 9000
                    }
                    calls "web-1.ingress" {
                        local-port 8080
                        local-address "0.0.0.0"
                    }
                }
            }
        "#]],
    );
    assert_eq!(outcome.problems(), "");
}

#[test]
fn of_a_bridge_each_proxy_has_the_containers_of_its_own_host() {
    let says = "INGRESS_LISTEN_PORT=8080\nCONTAINER_NAME_1=web\nCONTAINER_PATH_1=/";
    let web = bridged(definition("web", vec![container("web 3000", ""), container("nightjar 8080", says)]));
    let tasks = [
        hosted(&web, "w1", "10.0.1.1", "web 3000 32768\nnightjar 8080 32769"),
        hosted(&web, "w2", "10.0.1.1", "web 3000 32770\nnightjar 8080 32771"),
        hosted(&web, "w3", "10.0.1.2", "web 3000 32768\nnightjar 8080 32769"),
    ];
    let outcome = of(&[&web], &tasks);
    outcome.checked();
    assert_eq!(outcome.endpoints("web-3000.web-1-w1.local"), ["10.0.1.1:32768", "10.0.1.1:32770"]);
    assert_eq!(outcome.endpoints("web-3000.web-1-w3.local"), ["10.0.1.2:32768"]);
    assert_eq!(outcome.joined.aliases.get("production/w3").map(String::as_str), Some("web/1/w3"));
}

#[test]
fn numbers_after_a_gap_are_not_read_and_that_is_said() {
    let says = format!(
        "EGRESS_LISTEN_PORT=9000\nSERVICE_ARN_1={SERVICE}/cart\nSERVICE_PATH_1=/cart\nSERVICE_ARN_3={SERVICE}/cart\nSERVICE_PATH_3=/c3"
    );
    let web = definition("web", vec![container("nightjar", &says)]);
    let outcome = of(&[&web], &[task(&web, "w1", "10.0.0.1")]);
    outcome.checked();
    assert!(!outcome.kdl().contains("/c3"));
    let messages: Vec<&str> = outcome.diagnostics.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(messages, ["`SERVICE_ARN_3` is not read: number 2 is not there as a whole"]);
}

#[test]
fn of_several_ports_the_first_is_taken_with_a_warning() {
    let says = format!("EGRESS_LISTEN_PORT=9000\nSERVICE_ARN_1={SERVICE}/cart\nSERVICE_PATH_1=/cart");
    let web = definition("web", vec![container("nightjar", &says)]);
    let cart = definition("cart", vec![container("b 5001", ""), container("a 5000", "")]);
    let outcome = of(&[&web, &cart], &[task(&web, "w1", "10.0.0.1"), task(&cart, "c1", "10.0.0.2")]);
    outcome.checked();
    assert_eq!(outcome.endpoints("cart.production"), ["10.0.0.2:5001"]);
    let messages: Vec<&str> = outcome.diagnostics.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(messages, ["several ports are possible: requests go to the first, port 5001 of `b`"]);
}

#[test]
fn a_service_without_tasks_answers_503_at_its_path_and_leaves_the_others_alone() {
    let says = format!(
        "EGRESS_LISTEN_PORT=9000\nSERVICE_ARN_1={SERVICE}/gone\nSERVICE_PATH_1=/gone/\nSERVICE_ARN_2={SERVICE}/cart\nSERVICE_PATH_2=/"
    );
    let web = definition("web", vec![container("nightjar", &says)]);
    let cart = definition("cart", vec![container("cart 5000", "")]);
    let outcome = of(&[&web, &cart], &[task(&web, "w1", "10.0.0.1"), task(&cart, "c1", "10.0.0.2")]);
    check_kdl(
        &outcome,
        expect![[r#"
            mesh "ecs" {
                service "gone.production" {
                    ecs cluster="production" service="gone"
                }

                service "cart.production" {
                    endpoint "10.0.0.2:5000"
                    ecs cluster="production" service="cart"
                }

                service "web-1.egress" {
                    route path-prefix="/gone/" {
                        to "gone.production"
                    }
                    route path-prefix="/" {
                        to "cart.production"
                    }
                }

                node "web/1" {
                    calls "web-1.egress" {
                        local-port 9000
                    }
                }
            }
        "#]],
    );
}

#[test]
fn other_programs_variables_are_none_of_its() {
    let says = "CLUSTER=kafka\nCONTAINER_NAME_1=x\nTASK_NAME_1=y";
    let web = definition("web", vec![container("app", says)]);
    let outcome = of(&[&web], &[task(&web, "w1", "10.0.0.1")]);
    assert!(outcome.mesh.nodes.is_empty() && outcome.mesh.services.is_empty());
}

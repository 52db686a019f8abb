//! What tasks say of themselves: bent's labels, ours, and tags.

use expect_test::{Expect, expect};

use super::aws::{bridge, fargate, map, observation, on_host, running, with_sidecar};
use super::join;

#[track_caller]
fn check(labels: &[(&str, &str)], expected: Expect) {
    let definition = fargate("orders:7", labels);
    let task = running("t1", &definition, "10.0.0.11");
    let outcome = join("", &observation(vec![definition], vec![task]));
    outcome.compiled();
    expected.assert_eq(&format!("{}{}", outcome.kdl(), outcome.found().join("\n")));
}

#[test]
fn bents_labels_make_a_service_behind_a_sidecar() {
    check(
        &[
            ("envoy.service.orders.svc", "app:3000"),
            ("envoy.service.orders.svc.annotations.healthcheck.path", "/ready"),
            ("envoy.service.orders.svc.annotations.endpoint.weight", "12"),
        ],
        expect![[r#"
            mesh "shop" {
                service "orders.svc" {
                    endpoint "10.0.0.11:3000" weight=12 node="orders/7" region="eu-central-1" zone="eu-central-1a"
                    ecs family="orders"
                    health-check path="/ready"
                    circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=3
                }

                node "orders/7" {
                    serves "orders.svc" {
                        upstream "127.0.0.1:3000"
                    }
                    calls "*"
                }
            }
        "#]],
    );
}

#[test]
fn our_labels_make_a_service_without_one() {
    check(
        &[("meshwright.service.orders.svc", "app:3000"), ("meshwright.service.orders.svc.retry.attempts", "3")],
        expect![[r#"
            mesh "shop" {
                service "orders.svc" {
                    endpoint "10.0.0.11:3000" region="eu-central-1" zone="eu-central-1a"
                    ecs family="orders"
                    retry attempts=3
                }
            }
        "#]],
    );
}

#[test]
fn our_labels_say_the_node_and_whom_it_calls() {
    check(
        &[
            ("meshwright.service.orders.svc", "app:3000"),
            ("meshwright.node", "shop"),
            ("meshwright.calls", "orders.svc, not-there.svc"),
            ("meshwright.weight", "7"),
        ],
        expect![[r#"
            mesh "shop" {
                service "orders.svc" {
                    endpoint "10.0.0.11:3000" weight=7 node="orders/7" region="eu-central-1" zone="eu-central-1a"
                    ecs family="orders"
                }

                node "orders/7" {
                    serves "orders.svc" {
                        upstream "127.0.0.1:3000"
                    }
                    calls "orders.svc"
                }
            }
        "#]],
    );
}

#[test]
fn a_setting_that_looks_like_a_place_is_no_service() {
    check(
        &[("envoy.service.orders.svc", "app:3000"), ("envoy.service.orders.svc.annotations.x-app", "app:3000")],
        expect![[r#"
            mesh "shop" {
                service "orders.svc" {
                    endpoint "10.0.0.11:3000" node="orders/7" region="eu-central-1" zone="eu-central-1a"
                    ecs family="orders"
                    health-check
                    circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=3
                }

                node "orders/7" {
                    serves "orders.svc" {
                        upstream "127.0.0.1:3000"
                    }
                    calls "*"
                }
            }
            quarantined-task: `orders:7`: left out: `x-app` of `orders.svc` is not known, or not what it takes"#]],
    );
}

#[test]
fn a_label_of_bents_that_names_no_container_is_left_out_alone() {
    check(
        &[("envoy.service.orders.svc", "app:3000"), ("envoy.service.other.svc", "gone:3000")],
        expect![[r#"
        mesh "shop" {
            service "orders.svc" {
                endpoint "10.0.0.11:3000" node="orders/7" region="eu-central-1" zone="eu-central-1a"
                ecs family="orders"
                health-check
                circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=3
            }

            node "orders/7" {
                serves "orders.svc" {
                    upstream "127.0.0.1:3000"
                }
                calls "*"
            }
        }
        quarantined-task: `orders:7`: left out: `envoy.service.other.svc` is not `CONTAINER:PORT` of a container of the task"#]],
    );
}

#[test]
fn tags_of_a_task_win_over_those_of_its_definition_and_over_labels() {
    let mut definition =
        fargate("orders:7", &[("meshwright.service.orders.svc", "app:3000"), ("meshwright.weight", "1")]);
    definition.tags = map(&[("meshwright.weight", "2")]);
    let one = running("t1", &definition, "10.0.0.11");
    let mut two = running("t2", &definition, "10.0.0.12");
    two.tags = map(&[("meshwright.weight", "3")]);
    let outcome = join("", &observation(vec![definition], vec![one, two]));
    let weights: Vec<u32> = outcome.mesh.services[0].endpoints.iter().map(|it| it.weight.unwrap().value).collect();
    assert_eq!(weights, [2, 3]);
}

#[test]
fn the_newest_revision_speaks_for_its_service() {
    let old = fargate(
        "orders:9",
        &[("meshwright.service.orders.svc", "app:3000"), ("meshwright.service.orders.svc.timeout", "9000")],
    );
    let new = fargate(
        "orders:10",
        &[("meshwright.service.orders.svc", "app:3000"), ("meshwright.service.orders.svc.timeout", "10000")],
    );
    let tasks = vec![running("a", &new, "10.0.0.11"), running("b", &old, "10.0.0.12")];
    let outcome = join("", &observation(vec![new, old], tasks));
    assert_eq!(outcome.mesh.services[0].timeout.unwrap().value.as_secs(), 10);
    assert_eq!(outcome.endpoints().len(), 2);
}

#[test]
fn in_bridge_mode_callers_dial_what_the_host_makes_of_the_ingress() {
    let definition = bridge(with_sidecar(fargate("orders:7", &[("envoy.service.orders.svc", "app:3000")])));
    let tasks = vec![
        on_host("t1", &definition, &[("app", 3000, 32768), ("envoy", 4100, 32769)]),
        on_host("t2", &definition, &[("app", 3000, 32770), ("envoy", 4100, 32771)]),
    ];
    let outcome = join("", &observation(vec![definition], tasks));
    outcome.compiled();
    expect![[r#"
        mesh "shop" {
            service "orders.svc" {
                endpoint "10.9.0.1:32768" node="orders/7/t1" ingress-port=32769 region="eu-central-1" zone="eu-central-1a"
                endpoint "10.9.0.1:32770" node="orders/7/t2" ingress-port=32771 region="eu-central-1" zone="eu-central-1a"
                ecs family="orders"
                health-check
                circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=3
            }

            node "orders/7/t1" {
                zone "eu-central-1a"
                serves "orders.svc" {
                    upstream "10.9.0.1:32768"
                }
                calls "*"
            }

            node "orders/7/t2" {
                zone "eu-central-1a"
                serves "orders.svc" {
                    upstream "10.9.0.1:32770"
                }
                calls "*"
            }
        }
    "#]].assert_eq(&outcome.kdl());
}

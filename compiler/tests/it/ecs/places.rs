//! Services whose place the mesh leaves to ECS or to Cloud Map.

use meshwright_compiler::observation::{CloudMapInstance, CloudMapService, Observation};
use spec::{SourceFile, Sources, Syntax};

use super::aws::{bridge, fargate, map, nothing, observation, on_host, running, with_sidecar};
use super::join;

#[test]
fn tasks_of_an_ecs_service_are_its_endpoints() {
    let definition = fargate("web:3", &[]);
    let mut task = running("t1", &definition, "10.0.0.11");
    task.group = "service:orders".to_owned();
    let other = running("t2", &definition, "10.0.0.12");
    let mesh = "service \"orders.svc\" { ecs cluster=\"prod\" service=\"orders\"; }";
    let outcome = join(mesh, &observation(vec![definition], vec![task, other]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["orders.svc 10.0.0.11:3000 -> nobody"]);
    let endpoint = &outcome.mesh.services[0].endpoints[0];
    assert_eq!(endpoint.zone.as_ref().unwrap().value, "eu-central-1a");
    assert_eq!(endpoint.region.as_ref().unwrap().value, "eu-central-1");
}

#[test]
fn tasks_of_another_cluster_are_not() {
    let definition = fargate("web:3", &[]);
    let task = running("t1", &definition, "10.0.0.11");
    let outcome = join("service \"web.svc\" { ecs family=\"web\"; }", &observation(vec![definition], vec![task]));
    assert_eq!(outcome.endpoints(), [""; 0]);
    outcome.compiled();
}

#[test]
fn which_of_several_ports_is_meant_must_be_said() {
    let mut definition = fargate("web:3", &[]);
    let mut second = definition.containers[0].ports[0].clone();
    second.container_port = 3001;
    definition.containers[0].ports.push(second);
    let task = running("t1", &definition, "10.0.0.11");
    let observed = observation(vec![definition], vec![task]);
    let outcome = join("service \"web.svc\" { ecs cluster=\"prod\" family=\"web\"; }", &observed);
    outcome.compiled();
    assert_eq!(outcome.found(), ["ambiguous-task: `web:3`: several of its ports could be that of `web.svc`"]);
    let outcome = join("service \"web.svc\" { ecs cluster=\"prod\" family=\"web\" port=3001; }", &observed);
    assert_eq!(outcome.endpoints(), ["web.svc 10.0.0.11:3001 -> nobody"]);
}

#[test]
fn the_sidecars_ports_are_not_the_applications() {
    let definition = bridge(with_sidecar(fargate("web:3", &[])));
    let task = on_host("t1", &definition, &[("app", 3000, 32768), ("envoy", 4100, 32769)]);
    let mesh = "service \"web.svc\" { ecs cluster=\"prod\" family=\"web\"; }";
    let outcome = join(mesh, &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["web.svc 10.9.0.1:32768 -> web/3/t1:32769"]);
}

#[test]
fn instances_of_cloud_map_are_endpoints_unless_they_are_unhealthy() {
    let instance = |id: &str, health: &str, attributes: &[(&str, &str)]| CloudMapInstance {
        id: id.to_owned(),
        attributes: map(attributes),
        health_status: health.to_owned(),
    };
    let stage = ("stage", "production");
    let instances = vec![
        instance("a", "HEALTHY", &[("AWS_INSTANCE_IPV4", "10.0.0.1"), ("AWS_INSTANCE_PORT", "8080"), stage]),
        instance("b", "UNHEALTHY", &[("AWS_INSTANCE_IPV4", "10.0.0.2"), stage]),
        instance("c", "", &[("AWS_INSTANCE_IPV4", "10.0.0.3"), stage, ("AVAILABILITY_ZONE", "eu-central-1a")]),
        instance("d", "", &[("AWS_INSTANCE_IPV4", "10.0.0.4")]),
        instance("e", "", &[("AWS_INSTANCE_IPV4", "169.254.169.254"), stage]),
    ];
    let service = CloudMapService { namespace: "shop.local".to_owned(), service: "stock".to_owned(), instances };
    let observed = Observation { cloud_map: vec![service], ..nothing() };
    let mesh = "service \"stock.svc\" {\n    cloud-map namespace=\"shop.local\" service=\"stock\" port=3000 {\n        attributes {\n            stage \"production\"\n        }\n    }\n}";
    let outcome = join(mesh, &observed);
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["stock.svc 10.0.0.1:8080 -> nobody", "stock.svc 10.0.0.3:3000 -> nobody"]);
}

#[test]
fn what_a_mesh_wants_is_what_it_names() {
    let mut sources = Sources::new();
    let text = "mesh \"m\" {\n    ecs { cluster \"prod\"; }\n    service \"a.svc\" { ecs family=\"a\"; }\n    service \"c.svc\" { ecs cluster=\"test\" family=\"c\"; }\n    service \"b.svc\" { cloud-map namespace=\"n\" service=\"s\"; }\n}";
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mut found = spec::Diagnostics::new();
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut found).unwrap();
    let wants = meshwright_compiler::import::ecs::wants(&mesh);
    assert_eq!(wants.clusters.into_iter().collect::<Vec<_>>(), ["prod", "test"]);
    assert_eq!(wants.cloud_map.into_iter().collect::<Vec<_>>(), [("n".to_owned(), "s".to_owned())]);
}

#[test]
fn what_the_mesh_says_of_a_service_holds_against_labels() {
    let labels = [
        ("envoy.service.orders.svc", "app:3000"),
        ("envoy.service.orders.svc.annotations.timeout", "9000"),
        ("envoy.service.orders.svc.annotations.circuit-breaker.max-requests", "70"),
    ];
    let definition = fargate("orders:7", &labels);
    let task = running("t1", &definition, "10.0.0.11");
    let mesh = "service \"orders.svc\" { timeout \"5s\"; }";
    let outcome = join(mesh, &observation(vec![definition], vec![task]));
    outcome.compiled();
    let service = &outcome.mesh.services[0];
    assert_eq!(service.timeout.unwrap().value.as_secs(), 5);
    assert_eq!(service.circuit_breaker.as_ref().unwrap().max_requests.unwrap().value, 70);
    assert_eq!(service.endpoints.len(), 1);
    assert_eq!(
        outcome.found(),
        ["quarantined-task: `orders.svc`: `timeout` of its tasks is left out: the mesh says otherwise"]
    );
}

#[test]
fn a_task_at_the_address_of_another_node_is_left_out_and_not_the_mesh() {
    let definition = fargate("web:3", &[]);
    let task = running("t1", &definition, "10.0.0.11");
    let mesh = "service \"web.svc\" { ecs cluster=\"prod\" family=\"web\"; }\nnode \"web\" { serves \"web.svc\"; }\n\
                service \"db.svc\" { endpoint \"10.0.0.11:5432\"; }\nnode \"db\" { serves \"db.svc\"; }";
    let outcome = join(mesh, &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["db.svc 10.0.0.11:5432 -> nobody"]);
    assert!(outcome.joined.quarantined.iter().any(|it| it.reason.starts_with("shared-address: ")));
}

#[test]
fn the_only_cluster_that_a_mesh_names_is_that_of_its_services() {
    let definition = fargate("web:3", &[]);
    let task = running("t1", &definition, "10.0.0.11");
    let mesh = "ecs { cluster \"prod\"; }\nservice \"web.svc\" { ecs family=\"web\"; }";
    let outcome = join(mesh, &observation(vec![definition], vec![task]));
    assert_eq!(outcome.endpoints(), ["web.svc 10.0.0.11:3000 -> nobody"]);
}

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use spec::{Color, Diagnostics, SourceFile, Sources, Syntax};

use super::*;

/// A mesh written in KDL, and its proof.
fn read(text: &str) -> (Mesh, CheckedMesh) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics);
    let checked = mesh.as_ref().and_then(|mesh| compiler::check(mesh, &sources, &mut diagnostics));
    let told = spec::render(&diagnostics, &sources, Color::Plain);
    assert!(!diagnostics.has_errors(), "{text}\n{told}");
    (mesh.expect("a mesh"), checked.expect("a mesh without mistakes"))
}

fn placed(text: &str) -> Placement {
    let (mesh, checked) = read(text);
    place(&mesh, &checked, Subnet::fixed("127.77.0.0/24").expect("a range")).expect("enough addresses")
}

/// Checks a placed mesh as its user will.
fn recheck(mesh: &Mesh) -> CheckedMesh {
    let mut diagnostics = Diagnostics::new();
    let checked = compiler::check(mesh, &Sources::new(), &mut diagnostics);
    checked.unwrap_or_else(|| panic!("the placed mesh has mistakes: {diagnostics:?}"))
}

#[track_caller]
fn check(text: &str, expected: Expect) {
    let Placement { mesh, instances, workloads } = placed(text);
    let checked = recheck(&mesh);
    let mut out = String::new();
    for Instance { name, origin, address, original, .. } in instances {
        let original = original.map_or_else(String::new, |original| format!(", was {original}"));
        writeln!(out, "envoy {name} of {origin}: {address}{original}").expect("a string");
    }
    for Workload { listen, service, node, original, .. } in workloads {
        let node = node.map_or_else(String::new, |node| format!(" on {node}"));
        writeln!(out, "app {listen}: {service}{node}, was {original}").expect("a string");
    }
    for (_, service) in checked.services() {
        for endpoint in &service.endpoints {
            let node = endpoint.node.map_or("outside", |node| checked.node(node).name.as_str());
            writeln!(out, "{} at {}: {node}, weight {}", service.name, endpoint.address, endpoint.weight)
                .expect("a string");
        }
    }
    for (_, node) in checked.nodes() {
        for serve in &node.serves {
            let service = &checked.service(serve.service).name;
            let upstreams: Vec<String> =
                serve.upstreams.iter().map(|upstream| format!("{} ({})", upstream.address, upstream.weight)).collect();
            writeln!(out, "{} finds {service} at {}", node.name, upstreams.join(" ")).expect("a string");
        }
    }
    expected.assert_eq(&out);
}

#[test]
fn an_application_without_a_sidecar_gets_no_envoy() {
    check(
        "mesh \"m\" {\nservice \"a.svc\" { protocol \"grpc\"; endpoint \"10.0.0.1:80\"; }\n\
         node \"a\" serves=\"a.svc\"\nnode \"batch\" proxyless=#true calls=\"a.svc\"\n}",
        expect![[r#"
            envoy a of a: 127.77.0.2, was 10.0.0.1
            app 127.77.0.2:80: a.svc on a, was 10.0.0.1:80
            a.svc at 127.77.0.2:80: a, weight 64
            a finds a.svc at 127.77.0.2:80 (64)
        "#]],
    );
}

#[test]
fn an_envoy_an_application_and_a_gateway() {
    check(
        r#"mesh "shop" {
            service "beta.svc" { endpoint "10.0.0.1:3000" }
            node "beta" { serves "beta.svc" }
            node "caller" { calls "beta.svc" }
            gateway "front" { listen 8080; calls "beta.svc" }
        }"#,
        expect![[r#"
            envoy beta of beta: 127.77.0.2, was 10.0.0.1
            envoy caller of caller: 127.77.0.3
            envoy front of front: 127.77.0.4
            app 127.77.0.2:3000: beta.svc on beta, was 10.0.0.1:3000
            beta.svc at 127.77.0.2:3000: beta, weight 64
            beta finds beta.svc at 127.77.0.2:3000 (64)
        "#]],
    );
}

#[test]
fn a_node_with_two_addresses_becomes_two() {
    check(
        r#"mesh "shop" {
            service "beta.svc" { endpoint "10.0.0.1:3000" weight=95; endpoint "10.0.0.2:3000" weight=5 }
            node "beta" { serves "beta.svc" }
        }"#,
        expect![[r#"
            envoy beta-1 of beta: 127.77.0.2, was 10.0.0.1
            envoy beta-2 of beta: 127.77.0.3, was 10.0.0.2
            app 127.77.0.2:3000: beta.svc on beta-1, was 10.0.0.1:3000
            app 127.77.0.3:3000: beta.svc on beta-2, was 10.0.0.2:3000
            beta.svc at 127.77.0.2:3000: beta-1, weight 95
            beta.svc at 127.77.0.3:3000: beta-2, weight 5
            beta-1 finds beta.svc at 127.77.0.2:3000 (100)
            beta-2 finds beta.svc at 127.77.0.3:3000 (100)
        "#]],
    );
}

#[test]
fn applications_named_by_the_address_of_their_task_are_found_there_by_every_task() {
    check(
        r#"mesh "shop" {
            service "beta.svc" { endpoint "10.0.0.1:3000" weight=95; endpoint "10.0.0.2:3000" weight=5 }
            node "beta" {
                serves "beta.svc" { upstream "10.0.0.1:3000" weight=95; upstream "10.0.0.2:3000" weight=5 }
            }
        }"#,
        expect![[r#"
            envoy beta-1 of beta: 127.77.0.2, was 10.0.0.1
            envoy beta-2 of beta: 127.77.0.3, was 10.0.0.2
            app 127.77.0.2:3000: beta.svc on beta-1, was 10.0.0.1:3000
            app 127.77.0.3:3000: beta.svc on beta-2, was 10.0.0.2:3000
            beta.svc at 127.77.0.2:3000: beta-1, weight 95
            beta.svc at 127.77.0.3:3000: beta-2, weight 5
            beta-1 finds beta.svc at 127.77.0.2:3000 (95) 127.77.0.3:3000 (5)
            beta-2 finds beta.svc at 127.77.0.2:3000 (95) 127.77.0.3:3000 (5)
        "#]],
    );
}

#[test]
fn a_number_that_is_taken_is_not_given_to_a_task() {
    check(
        r#"mesh "shop" {
            service "beta.svc" { endpoint "10.0.0.1:3000" node="beta"; endpoint "10.0.0.2:3000" node="beta" }
            node "beta" { serves "beta.svc" }
            node "beta-2"
        }"#,
        expect![[r#"
            envoy beta-1 of beta: 127.77.0.2, was 10.0.0.1
            envoy beta-task-2 of beta: 127.77.0.3, was 10.0.0.2
            envoy beta-2 of beta-2: 127.77.0.4
            app 127.77.0.2:3000: beta.svc on beta-1, was 10.0.0.1:3000
            app 127.77.0.3:3000: beta.svc on beta-task-2, was 10.0.0.2:3000
            beta.svc at 127.77.0.2:3000: beta-1, weight 64
            beta.svc at 127.77.0.3:3000: beta-task-2, weight 64
            beta-1 finds beta.svc at 127.77.0.2:3000 (128)
            beta-task-2 finds beta.svc at 127.77.0.3:3000 (128)
        "#]],
    );
}

#[test]
fn what_runs_outside_the_mesh_gets_addresses_of_its_own() {
    check(
        r#"mesh "shop" {
            service "legacy.svc" { endpoint "10.9.0.1:80"; endpoint "10.9.0.1:81" }
            service "other.svc" { endpoint "10.9.0.1:80" }
            node "caller" { calls "*" }
        }"#,
        expect![[r#"
            envoy caller of caller: 127.77.0.2
            app 127.77.0.3:80: legacy.svc, was 10.9.0.1:80
            app 127.77.0.3:81: legacy.svc, was 10.9.0.1:81
            app 127.77.0.4:80: other.svc, was 10.9.0.1:80
            legacy.svc at 127.77.0.3:80: outside, weight 64
            legacy.svc at 127.77.0.3:81: outside, weight 64
            other.svc at 127.77.0.4:80: outside, weight 64
        "#]],
    );
}

#[test]
fn a_service_outside_on_a_port_of_the_sidecar_moves() {
    check(
        r#"mesh "shop" {
            service "beta.svc" { endpoint "10.0.0.1:3000" }
            service "legacy.svc" { endpoint "10.9.0.1:4000"; endpoint "10.9.0.1:24000" }
            node "beta" { serves "beta.svc"; calls "legacy.svc" }
        }"#,
        expect![[r#"
            envoy beta of beta: 127.77.0.2, was 10.0.0.1
            app 127.77.0.2:3000: beta.svc on beta, was 10.0.0.1:3000
            app 127.77.0.3:24001: legacy.svc, was 10.9.0.1:4000
            app 127.77.0.3:24000: legacy.svc, was 10.9.0.1:24000
            beta.svc at 127.77.0.2:3000: beta, weight 64
            legacy.svc at 127.77.0.3:24001: outside, weight 64
            legacy.svc at 127.77.0.3:24000: outside, weight 64
            beta finds beta.svc at 127.77.0.2:3000 (64)
        "#]],
    );
}

#[test]
fn two_services_on_one_port_answer_apart() {
    check(
        r#"mesh "shop" {
            service "a.svc" { endpoint "10.0.0.1:3000" }
            service "b.svc" { endpoint "10.0.0.1:3000" }
            node "both" { serves "a.svc"; serves "b.svc" }
        }"#,
        expect![[r#"
            envoy both of both: 127.77.0.2, was 10.0.0.1
            app 127.77.0.2:3000: a.svc on both, was 10.0.0.1:3000
            app 127.77.0.3:3000: b.svc on both, was 10.0.0.1:3000
            a.svc at 127.77.0.2:3000: both, weight 64
            b.svc at 127.77.0.2:3000: both, weight 64
            both finds a.svc at 127.77.0.2:3000 (64)
            both finds b.svc at 127.77.0.3:3000 (64)
        "#]],
    );
}

#[test]
fn two_applications_of_a_node_on_one_port_get_an_address_each() {
    check(
        r#"mesh "shop" {
            service "beta.svc" { endpoint "10.0.0.1:80" }
            node "beta" { serves "beta.svc" { upstream "10.0.0.8:3000"; upstream "10.0.0.9:3000" } }
        }"#,
        expect![[r#"
            envoy beta of beta: 127.77.0.2, was 10.0.0.1
            app 127.77.0.3:3000: beta.svc on beta, was 10.0.0.8:3000
            app 127.77.0.4:3000: beta.svc on beta, was 10.0.0.9:3000
            beta.svc at 127.77.0.2:80: beta, weight 64
            beta finds beta.svc at 127.77.0.3:3000 (64) 127.77.0.4:3000 (64)
        "#]],
    );
}

#[test]
fn a_health_port_is_answered_where_callers_and_the_sidecar_ask() {
    check(
        r#"mesh "shop" {
            service "beta.svc" { endpoint "10.0.0.1:3000"; health-check port=8081 }
            service "admin.svc" { endpoint "10.0.0.1:3000"; health-check port=8082 }
            node "beta" { serves "beta.svc"; serves "admin.svc" }
        }"#,
        expect![[r#"
            envoy beta of beta: 127.77.0.2, was 10.0.0.1
            app 127.77.0.2:3000: beta.svc on beta, was 10.0.0.1:3000
            app 127.77.0.2:8081: beta.svc on beta, was 10.0.0.1:3000
            app 127.77.0.3:3000: admin.svc on beta, was 10.0.0.1:3000
            app 127.77.0.3:8082: admin.svc on beta, was 10.0.0.1:3000
            app 127.77.0.2:8082: admin.svc on beta, was 10.0.0.1:3000
            beta.svc at 127.77.0.2:3000: beta, weight 64
            admin.svc at 127.77.0.2:3000: beta, weight 64
            beta finds beta.svc at 127.77.0.2:3000 (64)
            beta finds admin.svc at 127.77.0.3:3000 (64)
        "#]],
    );
}

#[test]
fn a_mesh_that_does_not_fit_is_an_error() {
    let (mesh, checked) = read(r#"mesh "shop" { node "a"; node "b"; node "c" }"#);
    let range = Subnet::fixed("127.77.0.0/30").expect("a range");
    let error = place(&mesh, &checked, range).expect_err("two addresses at most");
    assert_eq!(error, PlaceError::Full { available: 1 });
}

#[test]
fn hastened_health_checks_never_get_slower() {
    let (mut mesh, _) = read(
        r#"mesh "shop" {
            service "a.svc" { endpoint "10.0.0.1:80"; health-check interval="200ms" healthy-threshold=9 }
            service "b.svc" { endpoint "10.0.0.1:80"; health-check path="/ok" }
            service "c.svc" { endpoint "10.0.0.1:80" }
        }"#,
    );
    hasten_health_checks(&mut mesh);
    let checked = recheck(&mesh);
    let checks: Vec<_> = checked.services().map(|(_, service)| service.health_check.as_ref()).collect();
    let quick =
        |check: Option<&checked::HealthCheck>| check.map(|check| (check.interval.as_millis(), check.healthy_threshold));
    assert_eq!(checks.into_iter().map(quick).collect::<Vec<_>>(), [Some((200, 1)), Some((1000, 1)), None]);
}

/// The port, or another one in place of those at which sidecars listen.
fn beside_a_sidecar(port: u16) -> u16 {
    if [4000, 4100, 9901, 15090].contains(&port) { port + 1 } else { port }
}

/// A valid mesh: services of which some have endpoints at few hosts and ports, so that they collide often.
fn meshes() -> impl Strategy<Value = String> {
    let port = prop::sample::select(vec![80, 3000, 3001, 4000, 4100, 9901, 15090, 24100]);
    // A sidecar's own ports are only for services that have none.
    let free = port.clone().prop_map(beside_a_sidecar);
    let upstream = prop_oneof![
        (0_u8..4, free.clone()).prop_map(|(host, port)| format!("10.0.0.{host}:{port}")),
        free.clone().prop_map(|port| format!("127.0.0.1:{port}"))
    ];
    // A service: its endpoints, each on the node that its host belongs to, the explicit upstreams of both nodes, and a
    // health port.
    let endpoints = prop::collection::btree_set((0_u8..4, port), 1..5);
    let upstreams = prop::collection::btree_set(upstream, 0..3);
    let service = (endpoints, upstreams.clone(), upstreams, prop::option::of(free), any::<bool>());
    (prop::collection::vec(service, 0..5), 0_usize..3).prop_map(|(services, gateways)| {
        let mut out = String::from("mesh \"m\" {\n");
        let mut serves = [String::new(), String::new()];
        for (index, (endpoints, first, second, health, inside)) in services.into_iter().enumerate() {
            writeln!(out, "service \"s{index}\" {{").expect("a string");
            let mut at = [false, false];
            for (host, port) in endpoints {
                let port = if inside { beside_a_sidecar(port) } else { port };
                let (address, node) = (format!("10.0.0.{host}:{port}"), usize::from(host % 2));
                let node_said = if inside { format!(" node=\"n{node}\"") } else { String::new() };
                writeln!(out, "endpoint \"{address}\"{node_said}").expect("a string");
                at[node] |= inside;
            }
            if let Some(port) = health {
                writeln!(out, "health-check port={port}").expect("a string");
            }
            out.push_str("}\n");
            for ((serves, here), upstreams) in serves.iter_mut().zip(at).zip([first, second]) {
                if here {
                    let upstreams: String = upstreams.iter().map(|text| format!("upstream \"{text}\"\n")).collect();
                    writeln!(serves, "serves \"s{index}\" {{\n{upstreams}}}").expect("a string");
                }
            }
        }
        for (index, serves) in serves.into_iter().enumerate() {
            writeln!(out, "node \"n{index}\" {{\n{serves}calls \"*\"\n}}").expect("a string");
        }
        for index in 0..gateways {
            writeln!(out, "gateway \"g{index}\" {{ listen 8080; calls \"*\" }}").expect("a string");
        }
        out.push('}');
        out
    })
}

proptest! {
    #[test]
    fn nothing_listens_where_something_else_does(text in meshes()) {
        let Placement { instances, workloads, .. } = placed(&text);
        let mut listens: Vec<SocketAddr> = workloads.iter().map(|workload| workload.listen).collect();
        for instance in &instances {
            let own = match instance.kind {
                InstanceKind::Node => vec![INGRESS_PORT, EGRESS_PORT],
                InstanceKind::Gateway { listen } => vec![listen],
            };
            let ports = own.into_iter().chain([PROMETHEUS_PORT, ADMIN_PORT]);
            listens.extend(ports.map(|port| SocketAddr::new(instance.address, port)));
        }
        let distinct: BTreeSet<_> = listens.iter().collect();
        prop_assert_eq!(distinct.len(), listens.len());
        let addresses: BTreeSet<_> = instances.iter().map(|instance| instance.address).collect();
        prop_assert_eq!(addresses.len(), instances.len());
    }

    #[test]
    fn whatever_an_envoy_dials_is_there_and_is_the_right_one(text in meshes()) {
        let (_, before) = read(&text);
        let Placement { mesh, instances, workloads } = placed(&text);
        let after = recheck(&mesh);
        let answers = |address: &Address, service: &Name| {
            let at = SocketAddr::new(address.host, address.port);
            workloads.iter().any(|workload| workload.listen == at && workload.service == *service)
        };
        for ((_, was), (_, is)) in before.services().zip(after.services()) {
            prop_assert_eq!(was.endpoints.len(), is.endpoints.len());
            for (was, endpoint) in was.endpoints.iter().zip(&is.endpoints) {
                prop_assert_eq!(was.weight, endpoint.weight);
                prop_assert_eq!(was.node.is_some(), endpoint.node.is_some());
                let Some(node) = endpoint.node else {
                    prop_assert!(answers(&endpoint.address, &is.name), "{:?}", endpoint.address);
                    continue;
                };
                let name = &after.node(node).name;
                let instance = instances.iter().find(|instance| instance.name == *name).expect("an instance");
                prop_assert_eq!(instance.address, endpoint.address.host);
                prop_assert_eq!(instance.original, Some(was.address.host));
            }
        }
        for (_, node) in after.nodes() {
            for serve in &node.serves {
                let service = after.service(serve.service);
                prop_assert!(!serve.upstreams.is_empty());
                for upstream in &serve.upstreams {
                    prop_assert!(answers(&upstream.address, &service.name), "{:?}", upstream.address);
                    if let Some(port) = service.health_check.as_ref().and_then(|check| check.port) {
                        let at = Address { host: upstream.address.host, port };
                        prop_assert!(answers(&at, &service.name), "health at {at:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn placing_depends_on_the_mesh_alone(text in meshes()) {
        let (first, second) = (placed(&text), placed(&text));
        prop_assert_eq!(first.mesh, second.mesh);
        prop_assert_eq!(first.instances, second.instances);
        prop_assert_eq!(first.workloads, second.workloads);
    }
}

#[test]
fn every_port_of_an_envoy_is_at_its_own_address() {
    let placement = placed(
        r#"mesh "shop" {
            defaults { stats { prometheus port=9102 bind="10.0.0.9" } }
            service "beta.svc" { endpoint "10.0.0.1:3000" }
            service "db.svc" protocol="tcp" { endpoint "10.0.0.2:5432" }
            node "alpha" {
                calls "beta.svc" { local-port 9001; local-address "0.0.0.0" }
                transparent-proxy { inbound-port 15010 }
            }
            gateway "front" { listen 8080; listen 8443; calls "beta.svc" }
        }"#,
    );
    let listens: Vec<String> = placement
        .instances
        .iter()
        .map(|instance| {
            let ports: Vec<String> = instance.ports.iter().map(|port| format!("{}", port.number)).collect();
            format!("{} {}", instance.name, ports.join(" "))
        })
        .collect();
    assert_eq!(listens, ["alpha 4100 4000 15010 15001 9001 9102 9901", "front 8080 8443 9102 9901"]);
    let address = placement.instances[0].address;
    assert_eq!(placement.mesh.nodes[0].calls[0].local_address.map(|said| said.value), Some(address));
    recheck(&placement.mesh);
    let speaks: Vec<Speaks> = placement.workloads.iter().map(|workload| workload.speaks).collect();
    assert_eq!(speaks, [Speaks::Http, Speaks::Bytes]);
}

//! bent's files become the mesh that bent would have run, with a note where it now behaves better.

use std::path::Path;

use expect_test::{Expect, expect, expect_file};
use meshwright_compiler::check;
use meshwright_compiler::import::bent;
use spec::{Diagnostics, Mesh, Severity, SourceFile, Sources, Syntax};

use crate::findings::findings;

fn import(text: &str) -> (Mesh, Diagnostics, Sources) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("config.yaml", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = bent::import(file, &sources, &mut diagnostics).expect("a mesh");
    (mesh, diagnostics, sources)
}

fn show(mesh: &Mesh) -> String {
    spec::print(mesh, Syntax::Kdl)
}

/// The mesh, when nothing is wrong with the file; notes are not shown.
#[track_caller]
fn check_mesh(text: &str, expected: Expect) {
    let (mesh, diagnostics, sources) = import(text);
    let clean = diagnostics.count(Severity::Error) + diagnostics.count(Severity::Warning) == 0;
    assert!(clean, "{}", findings(&diagnostics, &sources));
    expected.assert_eq(&show(&mesh));
}

/// What the import reports.
#[track_caller]
fn check_findings(text: &str, expected: Expect) {
    let (_, diagnostics, sources) = import(text);
    expected.assert_eq(&findings(&diagnostics, &sources));
}

/// The same without the notes that every file gets.
#[track_caller]
fn check_problems(text: &str, expected: Expect) {
    let (_, diagnostics, sources) = import(text);
    let mut problems = Diagnostics::new();
    diagnostics.iter().filter(|it| it.severity > Severity::Note).for_each(|it| problems.push(it.clone()));
    expected.assert_eq(&findings(&problems, &sources));
}

/// `service endpoint-address -> node` for each endpoint of the mesh.
fn dialled(mesh: &Mesh) -> Vec<String> {
    let endpoints = mesh.services.iter().flat_map(|service| {
        service.endpoints.iter().map(|endpoint| {
            let node = endpoint.node.as_ref().map_or("nobody", |node| node.value.as_str());
            format!("{} {} -> {node}", service.name.value, endpoint.address.value)
        })
    });
    endpoints.collect()
}

const BOTH_FORMS: &str = r#"
services:
- name: "beta.svc"
  annotations:
    fault.inject: ""
    fault.delay.duration: "150"
    fault.delay.percent: "10"
    fault.abort.code: "501"
    fault.abort.percent: "5"
  endpoints:
  - address: 10.123.0.22
    port: 4100
- name: "gamma.svc"
  endpoints:
  - address: 10.123.0.24
    port: 4100
nodes:
  alpha:
  beta:
    - name: "beta.svc"
      endpoints:
      - address: 10.123.0.23
        port: 3000
  gamma:
    - name: "gamma.svc"
      endpoints:
      - address: 10.123.0.25
        port: 3000
"#;

#[test]
fn services_and_nodes_together() {
    check_mesh(
        BOTH_FORMS,
        expect![[r#"
            mesh "bent" {
                service "beta.svc" {
                    endpoint "10.123.0.22:4100" node="beta"
                    health-check
                    circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=3
                    fault {
                        delay "150ms" percent=10
                        abort 501 percent=5
                    }
                }

                service "gamma.svc" {
                    endpoint "10.123.0.24:4100" node="gamma"
                    health-check
                    circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=3
                }

                node "alpha" {
                    calls "*"
                }

                node "beta" {
                    serves "beta.svc" {
                        upstream "10.123.0.23:3000"
                    }
                    calls "*"
                }

                node "gamma" {
                    serves "gamma.svc" {
                        upstream "10.123.0.25:3000"
                    }
                    calls "*"
                }
            }
        "#]],
    );
}

#[test]
fn differences_are_noted_once_each() {
    check_findings(
        BOTH_FORMS,
        expect![[r#"
            note[imported-differently]: sidecars listen for outgoing requests on loopback only, their administration is not reachable from outside, and a fault hits its own service alone, never health checks
              17:1
            note[imported-differently]: requests with an underscore in a header name, or an escaped slash in the path, are refused with 400; repeated slashes and dot segments are resolved; administration is on port 9901, not 9999
              17:1
            note[imported-differently]: `services` is read: bent documents it, but took endpoints from `nodes` alone
              2:1
            note[imported-differently]: annotations of a service take effect: bent read those of endpoints only
              5:5
        "#]],
    );
}

#[test]
fn nodes_alone() {
    let text = "
nodes:
  ingress:
  beta-1:
    - name: beta.svc
      endpoints:
      - address: 10.0.0.1
        port: 3000
        annotations: {endpoint.weight: 95, healthcheck.path: /up, circuit-breaker.max-retries: 9}
  beta-2:
    - name: beta.svc
      endpoints:
      - address: 10.0.0.2
        port: 3000
        annotations: {endpoint.weight: 5, fault.inject: , fault.abort.percent: 0.5}
      annotations:
";
    check_mesh(
        text,
        expect![[r#"
            mesh "bent" {
                service "beta.svc" {
                    endpoint "10.0.0.1:3000" weight=95 node="beta-1"
                    endpoint "10.0.0.2:3000" weight=5 node="beta-2"
                    health-check path="/up"
                    circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=9
                }

                node "beta-1" {
                    serves "beta.svc" {
                        upstream "10.0.0.1:3000" weight=95
                    }
                    calls "*"
                }

                node "beta-2" {
                    serves "beta.svc" {
                        upstream "10.0.0.2:3000" weight=5
                        fault {
                            abort 503 percent=0.5
                        }
                    }
                    calls "*"
                }

                gateway "ingress" {
                    listen 4100
                    calls "*"
                    basic-auth realm="bent" htpasswd-file="users.htpasswd"
                }
            }
        "#]],
    );
}

#[test]
fn services_alone_are_dialled_as_written() {
    let (mesh, ..) = import("services: [{name: db.svc, endpoints: [{address: 10.0.0.9, port: 5432}]}]");
    assert_eq!(dialled(&mesh), ["db.svc 10.0.0.9:5432 -> nobody"]);
    assert!(mesh.nodes.is_empty());
}

#[test]
fn nulls_are_empty() {
    let text = "
services:
nodes:
  a:
  b: []
  c:
    - name: c.svc
      endpoints:
      annotations:
    - {name: d.svc}
";
    let (mesh, diagnostics, sources) = import(text);
    assert!(!diagnostics.has_errors(), "{}", findings(&diagnostics, &sources));
    assert_eq!((mesh.nodes.len(), mesh.services.len()), (3, 2));
    assert!(dialled(&mesh).is_empty());
    check_problems(
        text,
        expect![[r#"
        warning[no-endpoints]: service `c.svc` of node `c` has no endpoints: it is not served there
          7:13
          help: add an endpoint with `address` and `port`
        warning[no-endpoints]: service `d.svc` of node `c` has no endpoints: it is not served there
          10:14
          help: add an endpoint with `address` and `port`
    "#]],
    );
}

#[test]
fn values_may_be_numbers_and_booleans() {
    let text = "
nodes:
  1:
    - name: 8080
      endpoints:
      - address: '10.0.0.1'
        port: '3000'
        annotations: {fault.inject: true, fault.abort.percent: 5.5, fault.abort.code: 501, enable-retry: yes}
";
    let (mesh, diagnostics, sources) = import(text);
    assert!(!diagnostics.has_errors(), "{}", findings(&diagnostics, &sources));
    assert_eq!(dialled(&mesh), ["8080 10.0.0.1:3000 -> 1"]);
}

#[test]
fn anchors_and_merge_keys_are_resolved() {
    let text = "
nodes:
  a:
    - &base
      name: a.svc
      endpoints: [{address: 10.0.0.1, port: 3000}]
  b:
    - <<: *base
      name: b.svc
  c: [*base]
";
    let (mesh, diagnostics, sources) = import(text);
    assert!(!diagnostics.has_errors(), "{}", findings(&diagnostics, &sources));
    let expected = ["a.svc 10.0.0.1:3000 -> a", "a.svc 10.0.0.1:3000 -> c", "b.svc 10.0.0.1:3000 -> b"];
    assert_eq!(dialled(&mesh), expected);
}

#[test]
fn byte_order_marks_and_windows_line_ends_are_read() {
    let text = "\u{feff}nodes:\r\n  a:\r\n    - name: a.svc\r\n      endpoints: [{address: 10.0.0.1, port: 3000}]\r\n";
    let (mesh, diagnostics, sources) = import(text);
    assert!(!diagnostics.has_errors(), "{}", findings(&diagnostics, &sources));
    assert_eq!(dialled(&mesh), ["a.svc 10.0.0.1:3000 -> a"]);
}

const TWO_NODES: &str = "
nodes:
  one: [{name: x.svc, endpoints: [{address: 10.0.0.1, port: 3000}]}]
  two: [{name: x.svc, endpoints: [{address: 10.0.0.2, port: 3000}]}]
";

#[test]
fn a_sidecar_address_belongs_to_the_node_of_its_host() {
    let endpoints = "[{address: 10.0.0.2, port: 4100}, {address: 10.0.0.1, port: 4100}]";
    let (mesh, ..) = import(&format!("services: [{{name: x.svc, endpoints: {endpoints}}}]{TWO_NODES}"));
    assert_eq!(dialled(&mesh), ["x.svc 10.0.0.2:4100 -> two", "x.svc 10.0.0.1:4100 -> one"]);
}

#[test]
fn an_application_address_belongs_to_the_node_that_has_it() {
    let (mesh, ..) =
        import(&format!("services: [{{name: x.svc, endpoints: [{{address: 10.0.0.2, port: 3000}}]}}]{TWO_NODES}"));
    assert_eq!(dialled(&mesh), ["x.svc 10.0.0.2:3000 -> two"]);
}

#[test]
fn a_sidecar_address_belongs_to_the_only_node_that_serves() {
    let nodes = "nodes: {one: [{name: x.svc, endpoints: [{address: 10.0.0.1, port: 3000}]}]}";
    let (mesh, ..) =
        import(&format!("services: [{{name: x.svc, endpoints: [{{address: 10.9.9.9, port: 4100}}]}}]\n{nodes}"));
    assert_eq!(dialled(&mesh), ["x.svc 10.9.9.9:4100 -> one"]);
}

#[test]
fn sidecar_addresses_that_no_node_has_are_given_out_in_order() {
    let endpoints =
        "[{address: 10.9.9.1, port: 4100}, {address: 10.0.0.1, port: 4100}, {address: 10.9.9.2, port: 4100}]";
    let text = format!("services: [{{name: x.svc, endpoints: {endpoints}}}]{TWO_NODES}");
    let (mesh, ..) = import(&text);
    assert_eq!(
        dialled(&mesh),
        ["x.svc 10.9.9.1:4100 -> two", "x.svc 10.0.0.1:4100 -> one", "x.svc 10.9.9.2:4100 -> one"]
    );
    check_findings(
        &text,
        expect![[r#"
            note[imported-differently]: sidecars listen for outgoing requests on loopback only, their administration is not reachable from outside, and a fault hits its own service alone, never health checks
              2:1
            note[imported-differently]: requests with an underscore in a header name, or an escaped slash in the path, are refused with 400; repeated slashes and dot segments are resolved; administration is on port 9901, not 9999
              2:1
            note[imported-differently]: `services` is read: bent documents it, but took endpoints from `nodes` alone
              1:1
            note[imported-differently]: whose sidecar listens at `10.9.9.1:4100` is not said: taken as that of node `two`, in the order of the file
              1:48
              4:3 the node
            note[imported-differently]: whose sidecar listens at `10.9.9.2:4100` is not said: taken as that of node `one`, in the order of the file
              1:114
              3:3 the node
        "#]],
    );
}

#[test]
fn an_address_outside_the_mesh_of_a_service_inside_is_reported() {
    check_problems(
        &format!("services: [{{name: x.svc, endpoints: [{{address: 10.9.9.9, port: 8080}}]}}]{TWO_NODES}"),
        expect![[r#"
            warning[imported-differently]: endpoint `10.9.9.9:8080` of service `x.svc` is dialled on port 4100: a service that a node serves is behind sidecars everywhere
              1:48
              3:3 taken as an endpoint of node `one`
              help: give the endpoint a service of its own
        "#]],
    );
}

#[test]
fn weights_of_the_sidecars_own_view_reach_the_callers() {
    let text = "
services: [{name: x.svc, endpoints: [{address: 10.0.0.1, port: 4100}, {address: 10.0.0.2, port: 4100}]}]
nodes:
  one: [{name: x.svc, endpoints: [{address: 10.0.0.1, port: 3000, annotations: {endpoint.weight: 9}}]}]
  two: [{name: x.svc, endpoints: [{address: 10.0.0.2, port: 3000}]}]
";
    let (mesh, ..) = import(text);
    let weights: Vec<_> = mesh.services[0].endpoints.iter().map(|it| it.weight.map(|weight| weight.value)).collect();
    assert_eq!(weights, [Some(9), None]);
}

#[test]
fn what_is_not_read_is_named() {
    let text = "
version: 2
node: {}
nodes:
  a:
    - name: a.svc
      host: example
      endpoint: []
      endpoints:
      - {address: 10.0.0.1, port: 3000, protocol: http, annotation: {}}
";
    check_problems(
        text,
        expect![[r#"
        warning[not-mapped]: `version` of a bent file is not read
          2:1
        warning[not-mapped]: `node` of a bent file is not read
          3:1
          help: did you mean `nodes`?
        warning[not-mapped]: `host` of a service is not read
          7:7
        warning[not-mapped]: `endpoint` of a service is not read
          8:7
          help: did you mean `endpoints`?
        warning[not-mapped]: `protocol` of an endpoint is not read
          10:41
        warning[not-mapped]: `annotation` of an endpoint is not read
          10:57
          help: did you mean `annotations`?
    "#]],
    );
}

#[test]
fn services_of_the_front_proxy_are_not_served() {
    let text = "nodes: {ingress: [{name: x.svc, endpoints: [{address: 10.0.0.1, port: 3000}]}]}";
    let (mesh, ..) = import(text);
    assert!(mesh.services.is_empty() && mesh.nodes.is_empty() && mesh.gateways.len() == 1);
    check_problems(
        text,
        expect![[r#"
        warning[not-mapped]: service `x.svc` is not served: node `ingress` is the front proxy
          1:26
          help: move it to a node of another name
    "#]],
    );
}

#[test]
fn only_the_exact_id_is_the_front_proxy() {
    let (mesh, ..) = import("nodes: {Ingress: , ingress-2: }");
    assert_eq!((mesh.nodes.len(), mesh.gateways.len()), (2, 0));
}

#[test]
fn nodes_that_disagree_about_a_service_are_both_named() {
    let text = "
nodes:
  one:
  - name: x.svc
    endpoints:
    - {address: 10.0.0.1, port: 3000, annotations: {healthcheck.path: /a}}
  two:
  - name: X.svc
    endpoints:
    - {address: 10.0.0.2, port: 3000, annotations: {healthcheck.path: /b}}
";
    check_problems(
        text,
        expect![[r#"
        error[conflicting-annotation]: `healthcheck.path` is `/a` on endpoint `10.0.0.1:3000` of service `x.svc` of node `one`, but `/b` on endpoint `10.0.0.2:3000` of service `x.svc` of node `two`
          10:71 `/b` here
          6:71 `/a` here
          help: it holds for the whole service: say it once, or everywhere the same
    "#]],
    );
}

#[test]
fn repetitions_within_a_node_are_merged_and_reported() {
    let text = "
nodes:
  one:
  - {name: x.svc, endpoints: [{address: 10.0.0.1, port: 1}, {address: 10.0.0.1, port: 1}]}
  - {name: x.svc, endpoints: [{address: 10.0.0.1, port: 2}]}
";
    let (mesh, ..) = import(text);
    assert_eq!(dialled(&mesh), ["x.svc 10.0.0.1:1 -> one", "x.svc 10.0.0.1:2 -> one"]);
    check_problems(
        text,
        expect![[r#"
        warning[duplicate-name]: service `x.svc` is listed twice in node `one`
          5:12 added to the first
          4:12 the first
          help: list it once
        warning[duplicate-name]: endpoint `10.0.0.1:1` of service `x.svc` is listed twice
          4:71
          4:41 the first
          help: list it once
    "#]],
    );
}

#[test]
fn only_the_first_document_is_read() {
    check_problems(
        "nodes: {a: }\n---\nnodes: {b: }\n",
        expect![[r#"
        warning[not-mapped]: only the first document of the file is read
          2:1
    "#]],
    );
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = "
nodes:
  a b:
  c:
  - endpoints: [{address: db, port: 0}, {port: 1}]
    annotations: {nonsense: 1}
  - name: c.svc
    endpoints: [{address: 10.0.0.1, port: 99999, annotations: {endpoint.weight: [1]}}]
    annotations: {timeout: soon}
";
    check_problems(
        text,
        expect![[r#"
            error[invalid-name]: `a b` cannot be the name of a node
              3:3
              help: names have letters, digits, `.`, `_`, `-` and `/`, and begin and end with a letter or digit
            error[missing-field]: a service needs `name`
              5:5
            error[invalid-address]: `db` is not an IP address
              5:27
              help: write the address itself, such as `10.123.0.22`: names are not looked up
            error[invalid-value]: `0` is not a port
              5:37
              help: write a number from 1 to 65535
            error[missing-field]: an endpoint needs `address`
              5:42
            error[invalid-value]: `99999` is not a port
              8:43
              help: write a number from 1 to 65535
            error[wrong-type]: annotation `endpoint.weight` must be a single value, such as `"30"`
              8:81
            warning[no-endpoints]: service `c.svc` of node `c` has no endpoints: it is not served there
              7:11
              help: add an endpoint with `address` and `port`
            error[invalid-annotation]: `timeout` cannot be `soon` on service `c.svc`
              9:28 not accepted
              help: `timeout` takes milliseconds, a whole number from 1 to 86400000, or a duration such as `15s`
        "#]],
    );
}

#[test]
fn the_playground_is_imported_without_problems() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = folder.join("../examples/bent-playground/config.yaml");
    let text = std::fs::read_to_string(path).expect("the example is there");
    let (mesh, diagnostics, sources) = import(&text);
    assert_eq!(mesh.nodes.len() + mesh.gateways.len(), 8);
    let problems = diagnostics.count(Severity::Error) + diagnostics.count(Severity::Warning);
    assert_eq!(problems, 0, "{}", findings(&diagnostics, &sources));
    expect_file![folder.join("tests/it/import_bent_playground.kdl")].assert_eq(&show(&mesh));
}

#[test]
fn the_playground_compiles_for_each_of_its_sidecars() {
    let mut sources = Sources::new();
    let text = include_str!("../../../examples/bent-playground/config.yaml");
    let file = sources.add(SourceFile::public("config.yaml", text));
    let users = include_str!("../../../examples/bent-playground/users.htpasswd");
    sources.add(SourceFile::secret(spec::load::resolved("config.yaml", "users.htpasswd"), users));
    let mut diagnostics = Diagnostics::new();
    let mesh = bent::import(file, &sources, &mut diagnostics).expect("a mesh");
    let checked = check(&mesh, &sources, &mut diagnostics);
    let checked = checked.unwrap_or_else(|| panic!("{}", findings(&diagnostics, &sources)));
    let names: Vec<_> = checked.proxies().map(|proxy| checked.proxy_name(proxy).to_string()).collect();
    assert_eq!(names, ["alpha", "beta-1", "beta-2", "gamma", "delta", "epsilon", "zeta", "ingress"]);
}

/// What an import prints is a mesh file in its own right.
#[test]
fn the_printed_mesh_reads_back_in_both_syntaxes() {
    for text in [BOTH_FORMS, include_str!("../../../examples/bent-playground/config.yaml")] {
        let (mesh, ..) = import(text);
        for syntax in [Syntax::Kdl, Syntax::Yaml] {
            let mut sources = Sources::new();
            let file = sources.add(SourceFile::public("mesh", spec::print(&mesh, syntax)));
            let mut diagnostics = Diagnostics::new();
            let read = spec::parse(file, syntax, &sources, &mut diagnostics);
            assert_eq!(findings(&diagnostics, &sources), "");
            assert_eq!(read.as_ref().map(show), Some(show(&mesh)));
        }
    }
}

//! Annotations: how places agree or contradict each other, and what needs what.

mod hostile;
mod values;

use std::path::Path;

use expect_test::{Expect, expect, expect_file};
use meshwright_compiler::annotation;
use spec::mesh::{
    Address, BasicAuth, Call, Callee, CircuitBreaker, Endpoint, Entry, Fault, FaultAbort, HealthCheck, Mesh, Node,
    Retry, Serve, Service,
};
use spec::units::Percent;
use spec::{Diagnostics, FileId, Name, SourceFile, Sources, Span, Spanned};

use crate::findings::findings;
use values::observed;

/// A mesh of one service on two nodes, annotated as the lines say: `PLACE KEY=VALUE`, where PLACE is `service`,
/// `endpoint-N`, `serve-N` or `upstream-N`.
struct Case {
    mesh: Mesh,
    sources: Sources,
    diagnostics: Diagnostics,
    file: FileId,
}

impl Case {
    fn read(text: &str) -> Self {
        let mut sources = Sources::new();
        let file = sources.add(SourceFile::public("annotations", text));
        let mut case = Self { mesh: mesh(file), sources, diagnostics: Diagnostics::new(), file };
        let mut start = 0;
        for line in text.lines() {
            case.annotate(line, start);
            start += line.len() + 1;
        }
        case
    }

    fn annotate(&mut self, line: &str, start: usize) {
        let Some((place, rest)) = line.split_once(' ') else { return };
        let (key, value) = rest.split_once('=').expect("KEY=VALUE");
        let key_start = start + place.len() + 1;
        let key_end = key_start + key.len();
        let key = Spanned::new(key.to_owned(), Span::new(self.file, key_start, key_end));
        let value_span = Span::new(self.file, key_end + 1, start + line.len());
        let annotation = Entry { key, value: Spanned::new(value.to_owned(), value_span) };
        self.list(place).push(annotation);
    }

    fn list(&mut self, place: &str) -> &mut Vec<Entry> {
        let (kind, number) = place.split_once('-').unwrap_or((place, "1"));
        let index = number.parse::<usize>().expect("a number") - 1;
        match kind {
            "service" => &mut self.mesh.services[0].annotations,
            "endpoint" => &mut self.mesh.services[0].endpoints[index].annotations,
            "serve" => &mut self.mesh.nodes[index].serves[0].annotations,
            "upstream" => &mut self.mesh.nodes[index].serves[0].upstreams[0].annotations,
            other => panic!("no place `{other}`"),
        }
    }

    fn apply(mut self) -> Self {
        annotation::apply(&mut self.mesh, &mut self.diagnostics);
        self
    }

    fn service(&self) -> &Service {
        &self.mesh.services[0]
    }

    fn serve(&self, node: usize) -> &Serve {
        &self.mesh.nodes[node - 1].serves[0]
    }

    fn findings(&self) -> String {
        findings(&self.diagnostics, &self.sources)
    }
}

fn mesh(file: FileId) -> Mesh {
    let span = Span::new(file, 0, 0);
    let name = |text: &str| Spanned::new(Name::new(text).expect("a name"), span);
    let endpoint = |address: &str, node: Option<&str>| {
        let address = Spanned::new(Address::parse(address).expect("an address"), span);
        Endpoint { node: node.map(name), ..Endpoint::at(address) }
    };
    let node = |id: &str, address: &str| Node {
        serves: vec![Serve {
            service: name("beta.svc"),
            upstreams: vec![endpoint(address, None)],
            fault: None,
            annotations: Vec::new(),
        }],
        calls: vec![Call::of(Spanned::new(Callee::All, span))],
        ..Node::named(name(id))
    };
    let mut service = Service::named(name("beta.svc"));
    service.endpoints = vec![endpoint("10.0.0.1:3000", Some("beta-1")), endpoint("10.0.0.2:3000", Some("beta-2"))];
    Mesh {
        services: vec![service],
        nodes: vec![node("beta-1", "10.0.0.1:3000"), node("beta-2", "10.0.0.2:3000")],
        ..Mesh::named(name("shop"))
    }
}

/// What applying the lines reports.
#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&Case::read(text).apply().findings());
}

#[test]
fn nothing_is_written_for_what_is_not_said() {
    let case = Case::read("").apply();
    assert_eq!(case.mesh, mesh(case.file));
    assert!(case.diagnostics.is_empty());
}

#[test]
fn annotations_are_taken_out_of_the_mesh() {
    let text = "service timeout=1\nendpoint-1 endpoint.weight=2\nserve-2 fault.inject=\nupstream-2 nonsense=";
    let mut case = Case::read(text).apply();
    for place in ["service", "endpoint-1", "serve-2", "upstream-2"] {
        assert!(case.list(place).is_empty(), "{place}");
    }
}

#[test]
fn service_keys_hold_for_the_service_wherever_they_are_written() {
    for place in ["service", "endpoint-2", "serve-1", "upstream-2"] {
        let case = Case::read(&format!("{place} healthcheck.path=/up")).apply();
        assert_eq!(observed(case.service(), "healthcheck.path"), "/up", "{place}");
        assert!(case.diagnostics.is_empty(), "{place}");
    }
}

#[test]
fn the_same_value_in_two_places_is_no_conflict() {
    check("endpoint-1 healthcheck.path=/up\nendpoint-2 healthcheck.path=/up", expect![[""]]);
}

#[test]
fn two_places_that_disagree_are_both_named() {
    check(
        "endpoint-1 healthcheck.path=/up\nserve-2 healthcheck.path=/down",
        expect![[r#"
            error[conflicting-annotation]: `healthcheck.path` is `/up` on endpoint `10.0.0.1:3000` of service `beta.svc` of node `beta-1`, but `/down` on service `beta.svc` of node `beta-2`
              2:26 `/down` here
              1:29 `/up` here
              help: it holds for the whole service: say it once, or everywhere the same
        "#]],
    );
}

#[test]
fn a_key_twice_in_one_place_is_a_conflict_too() {
    check(
        "service timeout=1\nservice timeout=2",
        expect![[r#"
        error[conflicting-annotation]: `timeout` is both `1` and `2` on service `beta.svc`
          2:17 `2` here
          1:17 `1` here
          help: it holds for the whole service: say it once, or everywhere the same
    "#]],
    );
}

#[test]
fn unknown_keys_get_a_suggestion() {
    check(
        "service Fault.Inject=\nendpoint-1 healthcheck.pathh=/\nserve-1 colour=red",
        expect![[r#"
        error[unknown-annotation]: no annotation is called `Fault.Inject` (on service `beta.svc`)
          1:9
          help: did you mean `fault.inject`?
        error[unknown-annotation]: no annotation is called `healthcheck.pathh` (on endpoint `10.0.0.1:3000` of service `beta.svc` of node `beta-1`)
          2:12
          help: did you mean `healthcheck.path`?
        error[unknown-annotation]: no annotation is called `colour` (on service `beta.svc` of node `beta-1`)
          3:9
    "#]],
    );
}

#[test]
fn a_bad_value_names_the_node() {
    check(
        "upstream-2 healthcheck.interval=10s\nendpoint-1 endpoint.weight=500",
        expect![[r#"
            error[invalid-annotation]: `endpoint.weight` cannot be `500` on endpoint `10.0.0.1:3000` of service `beta.svc` of node `beta-1`
              2:28 not accepted
              help: `endpoint.weight` takes a whole number from 1 to 128
        "#]],
    );
}

#[test]
fn a_fault_on_a_node_is_that_nodes_only() {
    for place in ["endpoint-2", "serve-2", "upstream-2"] {
        let text = format!("{place} fault.inject=\n{place} fault.abort.percent=5");
        let case = Case::read(&text).apply();
        assert!(case.diagnostics.is_empty(), "{place}:\n{}", case.findings());
        let span = Span::new(case.file, 0, 0);
        let percent = Spanned::new(Percent::parse("5").expect("a share"), span);
        let abort = FaultAbort { status: Spanned::new(503, span), percent, body: None, set: Vec::new() };
        assert_eq!(case.serve(2).fault, Some(Fault { abort: Some(abort), ..Fault::default() }), "{place}");
        assert_eq!((&case.serve(1).fault, &case.service().fault), (&None, &None), "{place}");
    }
}

#[test]
fn nodes_may_have_different_faults() {
    let lines = ["endpoint-1 fault.abort.percent=5", "endpoint-2 fault.abort.percent=50"];
    let text = format!("endpoint-1 fault.inject=\nendpoint-2 fault.inject=\n{}", lines.join("\n"));
    check(&text, expect![[""]]);
}

#[test]
fn faults_without_inject_have_no_effect() {
    let text = "service fault.abort.percent=5\nserve-1 fault.delay.duration=5";
    let case = Case::read(text).apply();
    assert_eq!((&case.service().fault, &case.serve(1).fault), (&None, &None));
    check(
        text,
        expect![[r#"
        warning[ineffective-annotation]: `fault.abort.percent` has no effect on service `beta.svc` without `fault.inject`
          1:29
          help: add `fault.inject`, or leave it out
        warning[ineffective-annotation]: `fault.delay.duration` has no effect on service `beta.svc` of node `beta-1` without `fault.inject`
          2:30
          help: add `fault.inject`, or leave it out
    "#]],
    );
}

#[test]
fn inject_alone_injects_nothing() {
    let text = "service fault.inject=\nservice fault.delay.duration=5\nservice fault.abort.code=500";
    assert_eq!(Case::read(text).apply().service().fault, None);
    check(
        text,
        expect![[r#"
        warning[ineffective-annotation]: `fault.delay.duration` has no effect on service `beta.svc` without `fault.delay.percent`
          2:30
          help: add `fault.delay.percent`, or leave it out
        warning[ineffective-annotation]: `fault.abort.code` has no effect on service `beta.svc` without `fault.abort.percent`
          3:26
          help: add `fault.abort.percent`, or leave it out
        warning[ineffective-annotation]: `fault.inject` injects nothing into service `beta.svc`: no percentage is above 0
          1:22
          help: add `fault.delay.percent` or `fault.abort.percent`
    "#]],
    );
}

#[test]
fn inject_false_still_injects_and_says_so() {
    check(
        "service fault.inject=false\nservice fault.abort.percent=1\nservice enable-retry=no",
        expect![[r#"
            warning[ineffective-annotation]: `fault.inject` on service `beta.svc` turns it on, although its value is `false`
              1:22 has no effect
              help: leave `fault.inject` out to turn it off
            warning[deprecated]: `enable-retry` on service `beta.svc` will go
              3:9
              help: write `retry.attempts`
            warning[ineffective-annotation]: `enable-retry` on service `beta.svc` turns it on, although its value is `no`
              3:22 has no effect
              help: leave `enable-retry` out to turn it off
        "#]],
    );
}

#[test]
fn a_fault_on_an_endpoint_without_a_node_is_reported() {
    let mut case = Case::read("endpoint-1 fault.inject=\nendpoint-1 fault.abort.percent=5");
    case.mesh.services[0].endpoints[0].node = None;
    expect![[r#"
        warning[ineffective-annotation]: `fault.inject` on endpoint `10.0.0.1:3000` of service `beta.svc` has no effect: no node is known to serve that endpoint
          1:12
          help: name the endpoint's node, or say it on the service
        warning[ineffective-annotation]: `fault.abort.percent` on endpoint `10.0.0.1:3000` of service `beta.svc` has no effect: no node is known to serve that endpoint
          2:12
          help: name the endpoint's node, or say it on the service
    "#]].assert_eq(&case.apply().findings());
}

#[test]
fn num_retries_alone_retries_and_says_so() {
    let text = "service num-retries=3";
    assert_eq!(observed(Case::read(text).apply().service(), "num-retries"), "3");
    check(
        text,
        expect![[r#"
            warning[deprecated]: `num-retries` on service `beta.svc` will go
              1:9
              help: write `retry.attempts`
            note[implied-annotation]: `num-retries` turns retries on for service `beta.svc`, though `enable-retry` is absent
              1:21
        "#]],
    );
}

#[test]
fn a_realm_needs_a_file() {
    let text = "service basic-auth.realm=shop";
    assert_eq!(Case::read(text).apply().service().basic_auth, None);
    check(
        text,
        expect![[r#"
        warning[ineffective-annotation]: `basic-auth.realm` has no effect on service `beta.svc` without `basic-auth.htpasswd-file`
          1:26
          help: add `basic-auth.htpasswd-file`, or leave it out
    "#]],
    );
}

#[test]
fn the_narrower_weight_wins() {
    let weights = |case: &Case| case.service().endpoints.iter().map(|it| it.weight.map(|it| it.value)).collect();
    let cases: [(&str, Vec<Option<u32>>); 5] = [
        ("endpoint-1 endpoint.weight=9", vec![Some(9), None]),
        ("service endpoint.weight=7", vec![Some(7), Some(7)]),
        ("service endpoint.weight=7\nserve-1 endpoint.weight=8", vec![Some(8), Some(7)]),
        ("serve-1 endpoint.weight=8\nendpoint-1 endpoint.weight=9", vec![Some(9), None]),
        ("upstream-2 endpoint.weight=5", vec![None, Some(5)]),
    ];
    for (text, expected) in cases {
        let case = Case::read(text).apply();
        assert!(case.diagnostics.is_empty(), "{text}:\n{}", case.findings());
        let found: Vec<Option<u32>> = weights(&case);
        assert_eq!(found, expected, "{text}");
        let upstreams: Vec<_> = [1, 2].map(|node| case.serve(node).upstreams[0].weight.map(|it| it.value)).to_vec();
        assert_eq!(upstreams, expected, "callers and sidecars agree: {text}");
    }
}

#[test]
fn fields_stay_as_they_are_without_annotations() {
    let mut case = Case::read("");
    let span = Span::new(case.file, 0, 0);
    case.mesh.services[0].endpoints[0].weight = Some(Spanned::new(9, span));
    assert_eq!(case.apply().serve(1).upstreams[0].weight, None);
}

#[test]
fn a_field_and_an_annotation_that_disagree_are_a_conflict() {
    let text = "service healthcheck.path=/a\nservice circuit-breaker.max-pending=1\nservice fault.inject=\n\
                service fault.abort.percent=5\nservice num-retries=3\nservice timeout=5\n\
                service basic-auth.htpasswd-file=a\nendpoint-1 endpoint.weight=5";
    let mut case = Case::read(text);
    let span = Span::new(case.file, 0, 0);
    let service = &mut case.mesh.services[0];
    service.endpoints[0].weight = Some(Spanned::new(9, span));
    service.timeout = Some(Spanned::new(std::time::Duration::from_secs(1), span));
    let path = Some(Spanned::new("/b".to_owned(), span));
    service.health_check = Some(Box::new(HealthCheck { path, ..HealthCheck::default() }));
    let max_pending = Some(Spanned::new(2, span));
    service.circuit_breaker = Some(Box::new(CircuitBreaker { max_pending, ..CircuitBreaker::default() }));
    let (status, percent) = (Spanned::new(503, span), Spanned::new(Percent::ZERO, span));
    let abort = FaultAbort { status, percent, body: None, set: Vec::new() };
    service.fault = Some(Box::new(Fault { abort: Some(abort), ..Fault::default() }));
    service.retry = Some(Box::new(Retry::of(Spanned::new(1, span))));
    let htpasswd_file = Spanned::new("b".to_owned(), span);
    service.basic_auth =
        Some(Box::new(BasicAuth { realm: None, htpasswd_file, forward_user_header: None, engine: None }));
    let before = service.clone();
    let case = case.apply();
    expect![[r#"
        warning[deprecated]: `num-retries` on service `beta.svc` will go
          5:9
          help: write `retry.attempts`
        error[conflicting-annotation]: an annotation and a field say different things of `timeout` on service `beta.svc`
          6:17 the annotation
          1:1 the field
          help: say it once
        error[conflicting-annotation]: an annotation and a field say different things of `healthcheck.path` on service `beta.svc`
          1:26 the annotation
          1:1 the field
          help: say it once
        error[conflicting-annotation]: an annotation and a field say different things of `circuit-breaker.max-pending` on service `beta.svc`
          2:37 the annotation
          1:1 the field
          help: say it once
        error[conflicting-annotation]: an annotation and a field say different things of `fault` on service `beta.svc`
          3:22 the annotation
          1:1 the field
          help: say it once
        error[conflicting-annotation]: an annotation and a field say different things of `num-retries` on service `beta.svc`
          5:21 the annotation
          1:1 the field
          help: say it once
        error[conflicting-annotation]: an annotation and a field say different things of `basic-auth.htpasswd-file` on service `beta.svc`
          7:34 the annotation
          1:1 the field
          help: say it once
        error[conflicting-annotation]: an annotation and a field say different things of `endpoint.weight` on endpoint `10.0.0.1:3000`
          8:28 the annotation
          1:1 the field
          help: say it once
    "#]].assert_eq(&case.findings());
    let after = case.service();
    assert_eq!((&after.fault, &after.retry, &after.timeout), (&before.fault, &before.retry, &before.timeout));
    assert_eq!((&after.health_check, &after.basic_auth), (&before.health_check, &before.basic_auth));
}

#[test]
fn fields_and_annotations_that_agree_are_no_conflict() {
    let mut case = Case::read("service timeout=1000\nservice healthcheck.port=0\nservice enable-retry=");
    let span = Span::new(case.file, 0, 0);
    let service = &mut case.mesh.services[0];
    service.timeout = Some(Spanned::new(std::time::Duration::from_secs(1), span));
    service.retry = Some(Box::new(Retry::of(Spanned::new(5, span))));
    let case = case.apply();
    assert!(!case.findings().contains("conflicting-annotation"), "{}", case.findings());
    assert_eq!(observed(case.service(), "num-retries"), "5");
}

#[test]
fn the_manual_is_the_table() {
    let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/reference/annotations.md");
    expect_file![chapter].assert_eq(&annotation::manual());
}

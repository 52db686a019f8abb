//! Annotations: every key with its values, and how places agree or contradict each other.

use std::collections::BTreeSet;
use std::path::Path;

use expect_test::{Expect, expect, expect_file};
use meshwright_compiler::annotation;
use spec::diagnostic::quote;
use spec::mesh::{
    Address, Annotation, BasicAuth, Calls, CircuitBreaker, Defaults, Endpoint, Fault, FaultAbort, HealthCheck, Mesh,
    Node, Retry, Serve, Service,
};
use spec::units::{Percent, format_duration};
use spec::{Diagnostics, FileId, Name, SourceFile, Sources, Span, Spanned};

use crate::findings::findings;

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
        let annotation = Annotation { key, value: Spanned::new(value.to_owned(), value_span) };
        self.list(place).push(annotation);
    }

    fn list(&mut self, place: &str) -> &mut Vec<Annotation> {
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
    let endpoint = |address: &str, node: Option<&str>| Endpoint {
        address: Spanned::new(Address::parse(address).expect("an address"), span),
        weight: None,
        node: node.map(name),
        annotations: Vec::new(),
    };
    let node = |id: &str, address: &str| Node {
        name: name(id),
        serves: vec![Serve {
            service: name("beta.svc"),
            upstreams: vec![endpoint(address, None)],
            fault: None,
            annotations: Vec::new(),
        }],
        calls: Calls::All(span),
        bind: None,
    };
    let mut service = Service::named(name("beta.svc"));
    service.endpoints = vec![endpoint("10.0.0.1:3000", Some("beta-1")), endpoint("10.0.0.2:3000", Some("beta-2"))];
    Mesh {
        name: name("shop"),
        defaults: Defaults::default(),
        services: vec![service],
        nodes: vec![node("beta-1", "10.0.0.1:3000"), node("beta-2", "10.0.0.2:3000")],
        gateways: Vec::new(),
    }
}

/// What applying the lines reports.
#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&Case::read(text).apply().findings());
}

/// One key: what it needs around it, values it takes (lowest, highest) with what they become, values it does not.
struct Row {
    key: &'static str,
    with: &'static str,
    takes: &'static [(&'static str, &'static str)],
    refuses: &'static [&'static str],
}

const NUMBERS: &[&str] = &["", "0", "4294967296", "-1", "1.5", "ten", "1e3", " 5", "0x10"];
const RETRIES: &[&str] = &["", "4294967296", "-1", "1.5", "ten"];
const LIMITS: &[(&str, &str)] = &[("1", "1"), ("4294967295", "4294967295")];
const DAY: &[(&str, &str)] = &[("1", "1ms"), ("86400000", "24h")];
const MILLIS: &[&str] = &["", "0", "86400001", "-1", "10s", "ten"];
const PERCENTS: &[&str] = &["", "-1", "101", "100.0001", "0.00001", "half"];

const ROWS: &[Row] = &[
    Row {
        key: "healthcheck.path",
        with: "",
        takes: &[("/", "/"), ("/gimme-healthz?deep=1", "/gimme-healthz?deep=1")],
        refuses: &["", "healthz", "/a b", "/a#b", "/ä", "http://10.0.0.1/"],
    },
    Row { key: "healthcheck.interval", with: "", takes: DAY, refuses: MILLIS },
    Row { key: "healthcheck.timeout", with: "", takes: DAY, refuses: MILLIS },
    Row {
        key: "healthcheck.cache",
        with: "",
        takes: &[("0", "0ms"), ("86400000", "24h")],
        refuses: &["", "86400001", "-1", "10s"],
    },
    Row {
        key: "healthcheck.port",
        with: "",
        takes: &[("0", "none"), ("1", "1"), ("65535", "65535")],
        refuses: &["", "65536", "-1", "http"],
    },
    Row {
        key: "healthcheck.expected-status",
        with: "",
        takes: &[("100-101", "100"), ("200-300", "200-299"), ("200-400", "200-399"), ("100-600", "100-599")],
        refuses: &["", "200", "99-200", "200-601", "300-200", "200-200", "2xx", "200-", "-200", "200-299-300"],
    },
    Row { key: "circuit-breaker.max-connections", with: "", takes: LIMITS, refuses: NUMBERS },
    Row { key: "circuit-breaker.max-pending", with: "", takes: LIMITS, refuses: NUMBERS },
    Row { key: "circuit-breaker.max-requests", with: "", takes: LIMITS, refuses: NUMBERS },
    Row {
        key: "circuit-breaker.max-retries",
        with: "",
        takes: &[("0", "0"), ("4294967295", "4294967295")],
        refuses: RETRIES,
    },
    Row {
        key: "endpoint.weight",
        with: "",
        takes: &[("1", "1"), ("128", "128")],
        refuses: &["", "0", "129", "-1", "1.5", "heavy"],
    },
    Row {
        key: "fault.inject",
        with: "service fault.abort.percent=5",
        takes: &[("", "503 5%"), ("true", "503 5%"), ("false", "503 5%")],
        refuses: &[],
    },
    Row {
        key: "fault.delay.percent",
        with: "service fault.inject=",
        takes: &[("0", "30ms 0%"), ("0.0001", "30ms 0.0001%"), ("12.5", "30ms 12.5%"), ("100", "30ms 100%")],
        refuses: PERCENTS,
    },
    Row {
        key: "fault.delay.duration",
        with: "service fault.inject=\nservice fault.delay.percent=10",
        takes: &[("1", "1ms 10%"), ("3600000", "1h 10%")],
        refuses: &["", "0", "3600001", "-1", "30ms", "long"],
    },
    Row {
        key: "fault.abort.percent",
        with: "service fault.inject=",
        takes: &[("0", "503 0%"), ("0.0001", "503 0.0001%"), ("100", "503 100%")],
        refuses: PERCENTS,
    },
    Row {
        key: "fault.abort.code",
        with: "service fault.inject=\nservice fault.abort.percent=10",
        takes: &[("200", "200 10%"), ("583", "583 10%"), ("599", "599 10%")],
        refuses: &["", "199", "600", "-1", "5xx"],
    },
    Row { key: "enable-retry", with: "", takes: &[("", "1"), ("true", "1"), ("false", "1")], refuses: &[] },
    Row {
        key: "num-retries",
        with: "service enable-retry=",
        takes: &[("1", "1"), ("100", "100")],
        refuses: &["", "0", "101", "-1", "many"],
    },
    Row { key: "timeout", with: "", takes: DAY, refuses: MILLIS },
    Row {
        key: "basic-auth.htpasswd-file",
        with: "",
        takes: &[("users.htpasswd", "users.htpasswd @none"), ("a b/ü", "a b/ü @none")],
        refuses: &["", " ", "a\tb"],
    },
    Row {
        key: "basic-auth.realm",
        with: "service basic-auth.htpasswd-file=u",
        takes: &[("shop", "u @shop"), ("Ärger im Laden", "u @Ärger im Laden")],
        refuses: &["", " ", "a\tb"],
    },
];

/// What the model says where a key has its effect.
fn observed(service: &Service, key: &str) -> String {
    let health = service.health_check.clone().unwrap_or_default();
    let limits = service.circuit_breaker.clone().unwrap_or_default();
    let fault = service.fault.clone().unwrap_or(Fault { delay: None, abort: None });
    let time = |duration: std::time::Duration| format_duration(duration);
    let delay = fault.delay.map(|delay| format!("{} {}%", time(delay.duration.value), delay.percent.value));
    let abort = fault.abort.map(|abort| format!("{} {}%", abort.status.value, abort.percent.value));
    let auth = service.basic_auth.as_ref().map(|auth| {
        let realm = auth.realm.as_ref().map_or("none", |realm| realm.value.as_str());
        format!("{} @{realm}", auth.htpasswd_file.value)
    });
    let number = |number: Option<Spanned<u32>>| number.map(|number| number.value.to_string());
    let text = match key {
        "healthcheck.path" => health.path.map(|path| path.value),
        "healthcheck.interval" => health.interval.map(|it| time(it.value)),
        "healthcheck.timeout" => health.timeout.map(|it| time(it.value)),
        "healthcheck.cache" => health.cache.map(|it| time(it.value)),
        "healthcheck.port" => health.port.map(|port| port.value.to_string()),
        "healthcheck.expected-status" => health.expect.map(|range| range.value.to_string()),
        "circuit-breaker.max-connections" => number(limits.max_connections),
        "circuit-breaker.max-pending" => number(limits.max_pending),
        "circuit-breaker.max-requests" => number(limits.max_requests),
        "circuit-breaker.max-retries" => number(limits.max_retries),
        "endpoint.weight" => number(service.endpoints[0].weight),
        "fault.delay.percent" | "fault.delay.duration" => delay,
        "fault.inject" | "fault.abort.percent" | "fault.abort.code" => abort,
        "enable-retry" | "num-retries" => number(service.retry.as_ref().map(|retry| retry.attempts)),
        "timeout" => service.timeout.map(|it| time(it.value)),
        "basic-auth.htpasswd-file" | "basic-auth.realm" => auth,
        other => panic!("no field is known for `{other}`"),
    };
    text.unwrap_or_else(|| "none".to_owned())
}

#[test]
fn every_definition_has_a_row() {
    let defined: Vec<_> = annotation::DEFINITIONS.iter().map(|definition| definition.key).collect();
    let tested: Vec<_> = ROWS.iter().map(|row| row.key).collect();
    assert_eq!(defined, tested);
    assert_eq!(defined.iter().collect::<BTreeSet<_>>().len(), defined.len(), "a key is defined twice");
}

#[test]
fn values_in_range_become_fields() {
    for row in ROWS {
        for (value, expected) in row.takes {
            let case = Case::read(&format!("{}\nservice {}={value}", row.with, row.key)).apply();
            assert!(!case.diagnostics.has_errors(), "{}={value}:\n{}", row.key, case.findings());
            assert_eq!(observed(case.service(), row.key), *expected, "{}={value}", row.key);
        }
    }
}

#[test]
fn values_out_of_range_are_errors_that_name_key_value_service_and_range() {
    for row in ROWS {
        for value in row.refuses {
            let case = Case::read(&format!("{}\nservice {}={value}", row.with, row.key)).apply();
            let found = case.findings();
            assert!(found.contains("error[invalid-annotation]"), "{}={value}:\n{found}", row.key);
            let named = format!("`{}` cannot be `{}` on service `beta.svc`", row.key, quote(value));
            assert!(found.contains(&named), "{found}");
            let definition = annotation::find(row.key).expect("defined");
            assert!(found.contains(&definition.accepts()), "{found}");
        }
    }
}

#[test]
fn a_bad_value_leaves_the_field_as_it_was() {
    for row in ROWS.iter().filter(|row| row.with.is_empty()) {
        for value in row.refuses {
            let case = Case::read(&format!("service {}={value}", row.key)).apply();
            assert_eq!(observed(case.service(), row.key), "none", "{}={value}", row.key);
        }
    }
}

#[test]
fn numeric_defaults_are_values_the_key_takes() {
    let numeric = annotation::DEFINITIONS.iter().filter(|it| it.default.bytes().all(|byte| byte.is_ascii_digit()));
    for definition in numeric {
        let case = Case::read(&format!("service fault.inject=\nservice {}={}", definition.key, definition.default));
        assert!(!case.apply().diagnostics.has_errors(), "{definition:?}");
    }
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
        error[invalid-annotation]: `healthcheck.interval` cannot be `10s` on endpoint `10.0.0.2:3000` of service `beta.svc` of node `beta-2`
          1:33 not accepted
          help: `healthcheck.interval` takes milliseconds, a whole number from 1 to 86400000: write `10000`
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
        let abort = FaultAbort { status: Spanned::new(503, span), percent };
        assert_eq!(case.serve(2).fault, Some(Fault { delay: None, abort: Some(abort) }), "{place}");
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
    service.health_check = Some(HealthCheck { path, ..HealthCheck::default() });
    let max_pending = Some(Spanned::new(2, span));
    service.circuit_breaker = Some(CircuitBreaker { max_pending, ..CircuitBreaker::default() });
    let abort = FaultAbort { status: Spanned::new(503, span), percent: Spanned::new(Percent::ZERO, span) };
    service.fault = Some(Fault { delay: None, abort: Some(abort) });
    service.retry = Some(Retry { attempts: Spanned::new(1, span), on: Vec::new(), per_try_timeout: None });
    let htpasswd_file = Spanned::new("b".to_owned(), span);
    service.basic_auth = Some(BasicAuth { realm: None, htpasswd_file, forward_user_header: None });
    let before = service.clone();
    let case = case.apply();
    expect![[r#"
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
    service.retry = Some(Retry { attempts: Spanned::new(5, span), on: Vec::new(), per_try_timeout: None });
    let case = case.apply();
    assert_eq!(case.findings(), "");
    assert_eq!(observed(case.service(), "num-retries"), "5");
}

#[test]
fn the_manual_is_the_table() {
    let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/reference/annotations.md");
    expect_file![chapter].assert_eq(&annotation::manual());
}

//! Whatever one task says, nobody else suffers.

use meshwright_compiler::import::ecs::Options;
use meshwright_compiler::observation::{TaskDefinition, text};
use proptest::prelude::*;

use super::aws::{fargate, map, observation, running};
use super::{join, join_with};

const OWNED: &str = "ecs { owner \"orders.svc\" family=\"orders\"; }\nnode \"client\" { calls \"orders.svc\"; }";
/// Nobody says who may be what: then who was there first is.
const FREE: &str = "node \"client\" { calls \"orders.svc\"; }";
const OPEN: &str = "ecs { owner \"orders.svc\" family=\"orders\"; }\nservice \"orders.svc\" { timeout \"7s\"; }\n\
                    node \"client\" { calls \"orders.svc\"; }";
const GOOD: &[(&str, &str)] = &[("envoy.service.orders.svc", "app:3000")];

/// The configuration of the good service's callers and of its own sidecar, with one task beside it that came later.
fn beside(mesh: &str, hostile: &[TaskDefinition]) -> (std::collections::BTreeMap<String, String>, Vec<String>) {
    let mut good = fargate("orders:7", GOOD);
    good.tags = map(&[("meshwright.calls", "orders.svc")]);
    let mut tasks = vec![running("t1", &good, "10.0.0.11")];
    for (index, hostile) in hostile.iter().enumerate() {
        let mut task = running(&format!("t{}", index + 2), hostile, &format!("10.0.0.{}", 66 + index));
        task.started_at = Some(2000);
        tasks.push(task);
    }
    let definitions = std::iter::once(good).chain(hostile.iter().cloned()).collect();
    let outcome = join(mesh, &observation(definitions, tasks));
    let mut compiled = outcome.compiled();
    compiled.retain(|path, _| path.starts_with("client/") || path.starts_with("orders/"));
    assert!(compiled.keys().any(|path| path.starts_with("orders/7/")), "{:?}", compiled.keys());
    let reasons = outcome.joined.quarantined.iter().map(|it| format!("{}: {}", it.who, it.reason)).collect();
    (compiled, reasons)
}

#[track_caller]
fn harms_nobody(labels: &[(&str, &str)], reported: bool) {
    let hostile = TaskDefinition { tags: map(&[]), ..fargate("evil:1", labels) };
    let (alone, _) = beside(OWNED, &[fargate("evil:1", &[])]);
    let (compiled, reasons) = beside(OWNED, std::slice::from_ref(&hostile));
    assert!(compiled == alone, "{labels:?}");
    let (open, _) = beside(OPEN, &[fargate("evil:1", &[])]);
    assert!(beside(OPEN, &[hostile]).0 == open, "{labels:?}");
    assert_eq!(!reasons.is_empty(), reported, "{reasons:?}");
    for reason in &reasons {
        assert!(reason.len() < 700 && !reason.contains('\n'), "{reason}");
        let values = labels.iter().map(|(_, value)| *value).filter(|value| value.len() > 8 && !value.contains(':'));
        values.for_each(|value| assert!(!reason.contains(value), "{reason}"));
    }
}

#[test]
fn a_value_of_a_megabyte() {
    harms_nobody(&[("meshwright.service.evil.svc", &"x".repeat(1_000_000))], true);
}

#[test]
fn ten_thousand_labels() {
    let keys: Vec<String> = (0..10_000).map(|it| format!("envoy.service.evil-{it}.svc")).collect();
    let labels: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "app:3000")).collect();
    harms_nobody(&labels, true);
}

#[test]
fn names_that_are_no_names() {
    for name in [
        "a\nb",
        "a: b",
        "{\"a\":1}",
        "%ENVIRONMENT(HOME)%",
        "{{x}}",
        "../../etc",
        "ordеrs.svc",
        "",
        "a b",
        "*",
        "-a",
        "a..b",
    ] {
        harms_nobody(&[(&format!("envoy.service.{name}"), "app:3000")], true);
        harms_nobody(&[(&format!("meshwright.service.{name}"), "app:3000")], true);
    }
}

#[test]
fn a_service_of_another_team() {
    harms_nobody(&[("envoy.service.orders.svc", "app:3000")], true);
    harms_nobody(&[("meshwright.service.ORDERS.svc", "app:3000")], true);
}

#[test]
fn a_name_that_is_another_ones_in_statistics() {
    harms_nobody(&[("meshwright.service.orders_svc", "app:3000")], true);
    harms_nobody(&[("meshwright.service.local_orders.svc", "app:3000")], true);
    harms_nobody(&[("meshwright.service.prometheus_stats", "app:3000")], true);
}

#[test]
fn settings_that_mean_nothing_or_too_much() {
    for (key, value) in [
        ("timeout", "for ever and ever"),
        ("retry.attempts", "a secret value"),
        ("basic-auth.htpasswd-file", "/etc/passwd"),
        ("client-tls.certificate.file.certificate", "/proc/self/environ"),
        ("envoy-overlay.1.file", "overlay.json"),
        ("dns.address", "metadata.google.internal:80"),
        ("header-routing", "not a rule at all"),
        ("request-headers.set.x", "%ENVIRONMENT(AWS_SECRET)% {{x}}"),
    ] {
        let key = format!("meshwright.service.evil.svc.{key}");
        harms_nobody(&[("meshwright.service.evil.svc", "app:3000"), (&key, value)], true);
    }
}

#[test]
fn words_for_the_sidecars_own_ports() {
    harms_nobody(&[("envoy.service.evil.svc", "app:9901")], true);
    harms_nobody(&[("envoy.service.evil.svc", "app:4100")], true);
}

#[test]
fn a_service_that_leads_to_one_that_is_not_there_stays() {
    let labels = [
        ("meshwright.service.a.svc", "app:3000"),
        ("meshwright.service.a.svc.header-routing", "x-canary: on -> b.svc"),
    ];
    let definition = fargate("a:1", &labels);
    let task = running("t1", &definition, "10.0.0.11");
    let outcome = join("node \"client\" { calls \"a.svc\"; }", &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.endpoints(), ["a.svc 10.0.0.11:3000 -> nobody"]);
    assert_eq!(outcome.joined.quarantined, []);
}

fn text_of_labels() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "app:3000",
        "app:4100",
        "orders.svc",
        "*",
        "true",
        "false",
        "5s",
        "-1",
        "a, b",
        "%ENVIRONMENT(X)%",
        "{\"a\": 1}",
        "../x",
        "0",
        "99999999999999999999",
        "x: y -> orders.svc",
        "http",
        "tcp",
        "grpc",
    ]);
    prop_oneof![words.prop_map(str::to_owned), ".{0,40}", "[a-z0-9.:/ -]{0,30}"]
}

fn key_of_labels() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "",
        ".timeout",
        ".protocol",
        ".retry.attempts",
        ".endpoint.weight",
        ".endpoint.priority",
        ".endpoint.zone",
        ".healthcheck.interval",
        ".fault.inject",
        ".fault.abort.percent",
        ".route.1.path-prefix",
        ".route.1.to.1.service",
        ".port",
        ".tls.mode",
        ".subset.v1.labels.a",
        ".default-subset",
        ".header-routing",
        ".failover.1.service",
        ".mirror.1.to",
        ".rate-limit.1.requests",
        ".authorization.rule.1.decision",
        ".load-balancing.policy",
        ".outlier-detection.consecutive-5xx",
    ]);
    let services = prop::sample::select(vec![
        "evil.svc",
        "orders.svc",
        "Orders.svc",
        "orders_svc",
        "orders",
        "client",
        "x",
        "..",
        "a.b.c",
    ]);
    let service = (services, keys, any::<bool>()).prop_map(|(service, key, bents)| match bents {
        true if !key.is_empty() => format!("envoy.service.{service}.annotations{key}"),
        true => format!("envoy.service.{service}"),
        false => format!("meshwright.service.{service}{key}"),
    });
    let others = prop::sample::select(vec![
        "meshwright.node",
        "meshwright.calls",
        "meshwright.sidecar",
        "meshwright.weight",
        "meshwright.x",
    ]);
    prop_oneof![5 => service, 1 => others.prop_map(str::to_owned), 1 => "meshwright\\..{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn labels_of_any_kind(labels in prop::collection::btree_map(key_of_labels(), text_of_labels(), 0..8)) {
        let labels: Vec<(&str, &str)> = labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        for mesh in [OWNED, OPEN] {
            let (alone, _) = beside(mesh, &[fargate("evil:1", &[])]);
            let (compiled, _) = beside(mesh, &[fargate("evil:1", &labels), fargate("evil:2", &labels)]);
            prop_assert_eq!(compiled, alone);
        }
        // Where nobody says whose a service is, others may be one of its endpoints; nobody's words break the mesh.
        beside(FREE, &[fargate("evil:1", &labels), fargate("evil:2", &labels)]);
    }

    #[test]
    fn the_order_of_records_means_nothing(seed in any::<u64>()) {
        let definitions: Vec<TaskDefinition> = (1..5).flat_map(|family| (1..3).map(move |revision| {
            let name = format!("f{family}:{revision}");
            fargate(&name, &[("envoy.service.a.svc", "app:3000"), ("meshwright.service.b.svc", "app:3000")])
        })).collect();
        let tasks = definitions.iter().enumerate().flat_map(|(index, definition)| {
            (0..2).map(move |it| running(&format!("t{index}-{it}"), definition, &format!("10.0.{index}.{}", it + 1)))
        });
        let written = text::write(&observation(definitions.clone(), tasks.collect()));
        let shuffled = shuffle(&written, seed);
        let one = join_with("", &written, &Options::default());
        let other = join_with("", &shuffled, &Options::default());
        prop_assert_eq!(one.kdl(), other.kdl());
        prop_assert_eq!(one.joined, other.joined);
    }
}

/// The same records in another order.
fn shuffle(text: &str, seed: u64) -> String {
    let mut document: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut state = seed | 1;
    for list in ["tasks", "taskDefinitions"] {
        let list = document[list].as_array_mut().unwrap();
        for last in (1..list.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            list.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
        }
    }
    document.to_string()
}

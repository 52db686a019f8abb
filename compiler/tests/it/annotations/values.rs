//! Every annotation with the values it takes and refuses, and what they become.

use std::collections::BTreeSet;
use std::time::Duration;

use meshwright_compiler::annotation;
use spec::Spanned;
use spec::diagnostic::quote;
use spec::mesh::{HeaderMatch, HeaderRouting, HeaderValueMatch, RoutingRule, Service};
use spec::units::format_duration;

use super::Case;

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
const DAY: &[(&str, &str)] = &[("1", "1ms"), ("86400000", "24h"), ("15s", "15s")];
const MILLIS: &[&str] = &["", "0", "86400001", "-1", "10x", "ten"];
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
        refuses: &["", "86400001", "-1", "10x"],
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
        refuses: &["", "0", "3600001", "-1", "30x", "long"],
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
    Row {
        key: "header-routing",
        with: "",
        takes: &[
            ("x-canary: on -> canary.svc", "x-canary=on to canary.svc"),
            ("X-Canary:on->canary.svc", "x-canary=on to canary.svc"),
            ("a: *, b: x: y -> one; c: 1 -> two", "a b=x: y to one, c=1 to two"),
        ],
        refuses: &[
            "",
            "x-canary",
            "x-canary: on",
            "-> canary.svc",
            ": on -> a",
            "x: -> a",
            "x_y: 1 -> a",
            "x: 1 -> a;",
            "x: 1 -> no space",
        ],
    },
];

fn routing(routing: &HeaderRouting) -> String {
    let condition = |header: &HeaderMatch| match &header.value.value {
        HeaderValueMatch::Exact(value) => format!("{}={value}", header.name.value),
        _ => header.name.value.clone(),
    };
    let rule = |rule: &RoutingRule| {
        let conditions: Vec<String> = rule.conditions.headers.iter().map(condition).collect();
        format!("{} to {}", conditions.join(" "), rule.to[0].service.value)
    };
    routing.rules.iter().map(rule).collect::<Vec<_>>().join(", ")
}

/// What the model says where a key has its effect.
pub(super) fn observed(service: &Service, key: &str) -> String {
    let health = service.health_check.clone().unwrap_or_default();
    let limits = service.circuit_breaker.clone().unwrap_or_default();
    let fault = service.fault.clone().unwrap_or_default();
    let time = |duration: Duration| format_duration(duration);
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
        "header-routing" => service.header_routing.as_ref().map(routing),
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

//! The vocabulary: every annotation there is.

use super::definition::{Definition, Kind, Level};

const DAY: u32 = 24 * 3_600_000;
const HOUR: u32 = 3_600_000;

/// Every annotation, in the order of the manual.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        key: "healthcheck.path",
        default: "/healthz",
        level: Level::Service,
        doc: "The path that health checks ask for, and that the sidecar answers from its last result.",
        kind: Kind::Path(|settings| &mut settings.health_check.path),
    },
    Definition {
        key: "healthcheck.interval",
        default: "10000",
        level: Level::Service,
        doc: "Time between two checks of an endpoint.",
        kind: Kind::Millis(1..=DAY, |settings| &mut settings.health_check.interval),
    },
    Definition {
        key: "healthcheck.timeout",
        default: "3000",
        level: Level::Service,
        doc: "A check that takes longer has failed.",
        kind: Kind::Millis(1..=DAY, |settings| &mut settings.health_check.timeout),
    },
    Definition {
        key: "healthcheck.cache",
        default: "30000",
        level: Level::Service,
        doc: "How long the sidecar answers checks from the application's last answer; 0 asks it each time.",
        kind: Kind::Millis(0..=DAY, |settings| &mut settings.health_check.cache),
    },
    Definition {
        key: "healthcheck.port",
        default: "0",
        level: Level::Service,
        doc: "The port on which the application answers checks; 0 is its own port.",
        kind: Kind::Port(|settings| &mut settings.health_check.port),
    },
    Definition {
        key: "healthcheck.expected-status",
        default: "200-400",
        level: Level::Service,
        doc: "Status codes of a good answer. HIGH is excluded, as in Envoy's `Int64Range`: \
              `200-300` is 200 to 299.",
        kind: Kind::Statuses(|settings| &mut settings.health_check.expect),
    },
    Definition {
        key: "circuit-breaker.max-connections",
        default: "1024 (bent: 1000)",
        level: Level::Service,
        doc: "Connections that one caller opens to the service.",
        kind: Kind::Number(1..=u32::MAX, |settings| &mut settings.circuit_breaker.max_connections),
    },
    Definition {
        key: "circuit-breaker.max-pending",
        default: "1024 (bent: 1000)",
        level: Level::Service,
        doc: "Requests of one caller that wait for a connection.",
        kind: Kind::Number(1..=u32::MAX, |settings| &mut settings.circuit_breaker.max_pending),
    },
    Definition {
        key: "circuit-breaker.max-requests",
        default: "1024 (bent: 1000)",
        level: Level::Service,
        doc: "Requests of one caller at the same time.",
        kind: Kind::Number(1..=u32::MAX, |settings| &mut settings.circuit_breaker.max_requests),
    },
    Definition {
        key: "circuit-breaker.max-retries",
        default: "3",
        level: Level::Service,
        doc: "Retries of one caller at the same time; 0 forbids them.",
        kind: Kind::Number(0..=u32::MAX, |settings| &mut settings.circuit_breaker.max_retries),
    },
    Definition {
        key: "endpoint.weight",
        default: "64",
        level: Level::Endpoint,
        doc: "The endpoint's share of requests, relative to the service's other endpoints.",
        kind: Kind::Number(1..=128, |settings| &mut settings.weight),
    },
    Definition {
        key: "fault.inject",
        default: "absent",
        level: Level::Node,
        doc: "Turns faults on. Any value does, even `false`: leave the key out to turn them off.",
        kind: Kind::Presence(|settings| &mut settings.fault.inject),
    },
    Definition {
        key: "fault.delay.percent",
        default: "0",
        level: Level::Node,
        doc: "Share of requests that are delayed.",
        kind: Kind::Percent(|settings| &mut settings.fault.delay_percent),
    },
    Definition {
        key: "fault.delay.duration",
        default: "30",
        level: Level::Node,
        doc: "How long a delayed request waits.",
        kind: Kind::Millis(1..=HOUR, |settings| &mut settings.fault.delay_duration),
    },
    Definition {
        key: "fault.abort.percent",
        default: "0",
        level: Level::Node,
        doc: "Share of requests that are answered with an error instead of reaching the application.",
        kind: Kind::Percent(|settings| &mut settings.fault.abort_percent),
    },
    Definition {
        key: "fault.abort.code",
        default: "503",
        level: Level::Node,
        doc: "Status code of that error.",
        kind: Kind::Status(200..=599, |settings| &mut settings.fault.abort_code),
    },
    Definition {
        key: "enable-retry",
        default: "absent",
        level: Level::Service,
        doc: "Callers try a failed request again. Any value turns it on, even `false`.",
        kind: Kind::Presence(|settings| &mut settings.retry.enable),
    },
    Definition {
        key: "num-retries",
        default: "1",
        level: Level::Service,
        doc: "Tries after the first one. Turns retries on by itself, too.",
        kind: Kind::Number(1..=100, |settings| &mut settings.retry.attempts),
    },
    Definition {
        key: "timeout",
        default: "15000",
        level: Level::Service,
        doc: "Time limit of a request, retries included.",
        kind: Kind::Millis(1..=DAY, |settings| &mut settings.timeout),
    },
    Definition {
        key: "basic-auth.htpasswd-file",
        default: "absent",
        level: Level::Service,
        doc: "Callers need a user and password of this file; its path is relative to the file that names it.",
        kind: Kind::Text(|settings| &mut settings.basic_auth.htpasswd_file),
    },
    Definition {
        key: "basic-auth.realm",
        default: "the name of the mesh",
        level: Level::Service,
        doc: "What a browser shows when it asks for the password.",
        kind: Kind::Text(|settings| &mut settings.basic_auth.realm),
    },
    Definition {
        key: "header-routing",
        default: "absent",
        level: Level::Service,
        doc: "Requests whose headers say so go to another service: `x-canary: on -> canary.svc`. The first rule \
              that matches wins; several conditions of a rule are separated by `,`.",
        kind: Kind::Routing(|settings| &mut settings.header_routing),
    },
];

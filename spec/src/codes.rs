//! Every code a diagnostic can carry. Each has a page in `reference/diagnostics/<slug>.md`.

use crate::diagnostic::Severity;

/// A stable name of one kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    /// Lower-case words joined by `-`; a promise to users who search or suppress by it.
    pub slug: &'static str,
    /// One line: what it says.
    pub summary: &'static str,
    pub kind: Kind,
}

/// Whether users may have another opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What is written has no meaning, Envoy would refuse it, or it would open a door. No configuration changes that.
    Fault,
    /// What is written has a meaning that is seldom meant. Weighs this much unless users say otherwise.
    Rule(Severity),
}

impl Code {
    /// The severity when nobody says otherwise.
    pub const fn severity(self) -> Severity {
        match self.kind {
            Kind::Fault => Severity::Error,
            Kind::Rule(severity) => severity,
        }
    }
}

/// The code of this slug.
pub fn find(slug: &str) -> Option<Code> {
    ALL.iter().copied().find(|code| code.slug == slug)
}

macro_rules! kind {
    (fault) => {
        Kind::Fault
    };
    (rule note) => {
        Kind::Rule(Severity::Note)
    };
    (rule warning) => {
        Kind::Rule(Severity::Warning)
    };
    (rule error) => {
        Kind::Rule(Severity::Error)
    };
}

macro_rules! codes {
    ($($name:ident = $slug:literal $($kind:ident)+: $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code = Code { slug: $slug, summary: $summary, kind: kind!($($kind)+) };)*
        /// Every code, in the order of this file.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

// A new code is a line here, a page in `reference/diagnostics/` and a line in its `index.md`, which a test writes.
//
// It is a `fault` if no configuration should let it pass: the text has no meaning, two places contradict each other,
// Envoy would refuse the result or listen in vain, or a caller could reach what no caller may. Otherwise it is a
// `rule` with the severity it has by default: `error` if hardly anybody can mean it and the compiler can go on all the
// same, `warning` if it deserves a look, `note` if it only explains. A rule's findings are made with `Diagnostic::of`.
// A finding that weighs more than its rule's default, made with `Diagnostic::error`, is as fixed as a fault.
codes! {
    // Reading.
    SYNTAX = "syntax" fault: "the text is not well-formed KDL or YAML";
    TOO_LARGE = "too-large" fault: "the text exceeds a bound on its size, depth or number of values";
    NOT_UTF8 = "not-utf8" fault: "the file is not UTF-8 text";
    UNREADABLE_FILE = "unreadable-file" fault: "a file that the mesh refers to cannot be read, or must not be";
    // Decoding.
    UNKNOWN_FIELD = "unknown-field" fault: "no field or child of this name exists here";
    DUPLICATE_FIELD = "duplicate-field" fault: "a field that can be said once is said twice";
    MISSING_FIELD = "missing-field" fault: "a field that is needed is absent";
    WRONG_TYPE = "wrong-type" fault: "a value of another type is needed here";
    INVALID_VALUE = "invalid-value" fault: "the value is outside what the field accepts, alone or beside another field";
    INVALID_NAME = "invalid-name" fault: "the name has characters or a length that names cannot have";
    INVALID_ADDRESS = "invalid-address" fault: "the address is not an IP address, or not one with a port";
    // Checking.
    DUPLICATE_NAME = "duplicate-name" fault: "two things of one kind have the same name or address";
    UNKNOWN_SERVICE = "unknown-service" fault: "no service has this name";
    UNKNOWN_NODE = "unknown-node" fault: "no node has this name";
    // A caller that would always get 503 is a fault; a service that nobody calls yet is not.
    NO_ENDPOINTS = "no-endpoints" rule warning: "a service that is called has no endpoints";
    AMBIGUOUS_ENDPOINT = "ambiguous-endpoint" fault: "it is not clear which node an endpoint belongs to";
    FOREIGN_ENDPOINT = "foreign-endpoint" fault: "an endpoint names a node that does not serve the service";
    SHARED_ADDRESS = "shared-address" fault: "two nodes have one address, where only one sidecar can listen";
    RESERVED_NAME = "reserved-name" fault: "the name would stand for something else in Envoy too";
    ZERO_WEIGHTS = "zero-weights" fault: "the weights of a split are all zero";
    // The route has no effect, but nothing else suffers: it may be left in on purpose for a while.
    UNREACHABLE_ROUTE = "unreachable-route" rule error: "an earlier route takes every request of this one";
    // A fault, for safety: no comment in a mesh may hand out the credentials of a task.
    FORBIDDEN_ADDRESS = "forbidden-address" fault: "the address would let callers reach metadata or administration";
    RESERVED_HEADER = "reserved-header" fault: "the header is not for users to set: the mesh or HTTP itself needs it";
    // Envoy ignores the longer limit, so the mesh works all the same.
    TIMEOUT_ORDER = "timeout-order" rule error: "the time limit of one try is longer than that of the whole request";
    // A fault: one of the two could not listen.
    PORT_CONFLICT = "port-conflict" fault: "a gateway wants a port that its own Envoy needs";
    // Harmless while a mesh is being written. A block without any meaning is reported as an error nevertheless.
    EMPTY_BLOCK = "empty-block" rule warning: "the block says nothing";
    // Names, references, routes.
    UNKNOWN_SUBSET = "unknown-subset" fault: "the service has no subset of this name";
    EMPTY_SUBSET = "empty-subset" rule warning: "no endpoint has the labels of the subset";
    UNKNOWN_PROVIDER = "unknown-provider" fault: "no provider of certificates or tokens has this name";
    UNKNOWN_FILTER = "unknown-filter" fault: "no wasm filter has this name";
    UNUSED_DEFINITION = "unused-definition" rule warning: "nothing refers to this definition";
    LOCAL_PORT_CONFLICT = "local-port-conflict" fault: "two listeners of one sidecar want the same port";
    MIXED_PROTOCOLS = "mixed-protocols" rule error: "requests of one protocol are sent to services of several";
    PROTOCOL_MISMATCH = "protocol-mismatch" fault: "what is said needs another protocol than the service speaks";
    INDISTINCT_TCP = "indistinct-tcp" fault: "connections that carry no name could be meant for two services";
    TCP_NEEDS_PORT = "tcp-needs-port" fault: "callers have no way to reach a service that has no host names";
    MIXED_DISCOVERY = "mixed-discovery" fault: "endpoints are said in two ways that exclude each other";
    DUPLICATE_ENDPOINT = "duplicate-endpoint" rule warning: "an endpoint is said twice";
    PRIORITY_GAP = "priority-gap" fault: "the priorities of endpoints leave out a number";
    PRIORITY_TIE = "priority-tie" rule warning: "which of two overlapping routes is first is left to their order";
    SHADOWED_HOST = "shadowed-host" rule warning: "a more specific host takes requests that the routes of a wider one name";
    UNREACHABLE_SERVICE = "unreachable-service" rule warning: "nobody calls the service";
    // A fault: requests would go astray, or unprotected.
    NEEDS_SIDECAR = "needs-sidecar" fault: "what only a sidecar can do is asked of a node that has none";
    WITHOUT_SIDECAR = "without-sidecar" rule warning: "what a sidecar would do for callers does not hold for a node that has none";
    IDLE_NODE = "idle-node" rule warning: "the node serves nothing and calls nothing";
    REGEX = "regex" fault: "Envoy's RE2 would refuse the regular expression, or it means something else there";
    REDIRECT_LOOP = "redirect-loop" rule error: "the redirect leads to where it came from";
    REWRITE_WITHOUT_PREFIX = "rewrite-without-prefix" fault: "a prefix is replaced where no prefix is matched";
    REWRITE_THEN_REGEX = "rewrite-then-regex" fault: "a regular expression would have to tell what a gateway's rewrite made of a path";
    UNKNOWN_HOST = "unknown-host" rule warning: "a request leaves for a sidecar with a host that it does not know";
    MIRROR_TO_SELF = "mirror-to-self" rule warning: "copies of requests go where the requests go";
    HASH_WITHOUT_KEY = "hash-without-key" rule error: "the load-balancing policy and its hash keys do not belong together";
    LOCALITY_UNKNOWN = "locality-unknown" rule warning: "locality is asked for where no zone is known";
    UNKNOWN_VARIABLE = "unknown-variable" fault: "no variable has this name";
    INCLUDE_LOOP = "include-loop" fault: "a file includes itself, or too many are included";
    ROUTING_ENGINE = "routing-engine" fault: "no engine can do all that a rule of header routing says";
    VISITOR_COOKIE = "visitor-cookie" fault: "browsers would not keep the cookie, or two rules would share it";
    // Resilience.
    RETRY_WITHOUT_LIMIT = "retry-without-limit" rule warning: "retries have no limit in time or number";
    RETRY_OVERRUN = "retry-overrun" rule warning: "all tries together may take longer than the request";
    RETRY_STORM = "retry-storm" rule warning: "retries along a chain of calls multiply";
    RETRY_VOCABULARY = "retry-vocabulary" fault: "the word belongs to another vocabulary of retry conditions";
    REPLAYED_RETRY = "replayed-retry" rule warning: "a retry sends a signature that may have been seen already";
    UNSAFE_RETRY = "unsafe-retry" rule warning: "requests that change something are tried again after they may have been done";
    TIMEOUT_CHAIN = "timeout-chain" rule warning: "a service waits longer for others than its callers wait for it";
    OUTLIER_WITHOUT_CHOICE = "outlier-without-choice" rule warning: "endpoints are left out where there is only one";
    EJECTION_TIME = "ejection-time" fault: "endpoints are to be left out for longer than the longest time";
    ZERO_LIMIT = "zero-limit" rule error: "a bound of zero lets no request through";
    ROUTE_BUDGET = "route-budget" fault: "a route says a budget, which only a whole service can have";
    FAILOVER_TO_SELF = "failover-to-self" rule warning: "endpoints stand in for themselves, or twice";
    STICKY_FAILOVER = "sticky-failover" fault: "a cookie cannot hold where other services stand in";
    BLIND_FAILOVER = "blind-failover" rule warning: "nobody would notice when to fail over";
    WITHOUT_EFFECT = "without-effect" rule warning: "the setting means nothing beside what else is said";
    HEALTH_CHECK_OVERLAP = "health-check-overlap" rule warning: "a health check may take longer than the time to the next one";
    ENGINE_MISMATCH = "engine-mismatch" fault: "what is said needs another engine than the one that is chosen";
    TOTAL_FAULT = "total-fault" rule warning: "a fault hits every request";
    // Security.
    OPEN_AUTHORIZATION = "open-authorization" rule error: "authorization lets every request pass";
    SHADOWED_ACCESS_RULE = "shadowed-access-rule" rule error: "an earlier rule decides for every request of this one";
    UNPROVEN_CALLER = "unproven-caller" rule error: "a rule names callers that nothing proves";
    SECRET_IN_TEXT = "secret-in-text" rule error: "a secret stands in the text of the mesh";
    PLAINTEXT_CREDENTIALS = "plaintext-credentials" rule warning: "credentials are asked for over connections without encryption";
    MISSING_CERTIFICATE = "missing-certificate" fault: "encryption is asked for without a certificate";
    UNVERIFIED_PEER = "unverified-peer" rule error: "the other side's certificate is not checked";
    PERMISSIVE_TLS = "permissive-tls" rule note: "connections without encryption are accepted too";
    TLS_MISMATCH = "tls-mismatch" rule error: "the two ends of a connection disagree about encryption";
    TLS_VERSIONS = "tls-versions" fault: "the oldest version of TLS is newer than the newest";
    FAIL_OPEN = "fail-open" rule error: "requests pass when a check cannot be made";
    WASM_DIGEST = "wasm-digest" fault: "a wasm module is fetched without a digest, or is not that of its digest";
    WASM_MODULE = "wasm-module" fault: "a wasm module is none that Envoy can run";
    CORS_CREDENTIALS = "cors-credentials" rule error: "every origin may send credentials";
    INSECURE_KEYS = "insecure-keys" rule error: "public keys are fetched without encryption";
    EGRESS_HOSTS = "egress-hosts" fault: "the egress policy and its hosts do not belong together";
    OPEN_EGRESS = "open-egress" rule warning: "everything outside the mesh can be reached";
    // Observability and extensions.
    FORMAT_STRING = "format-string" fault: "Envoy would refuse the format string, or it would show what is secret";
    TRACING_ADDRESS = "tracing-address" fault: "tracing needs the address of its collector";
    INVALID_OVERLAY = "invalid-overlay" fault: "the overlay is not what Envoy accepts there";
    UNEXPLAINED_OVERLAY = "unexplained-overlay" rule note: "an overlay does not say why it is needed";
    DEPRECATED = "deprecated" rule warning: "this is said in a way that will go";
    NOT_COMPILED = "not-compiled" rule warning: "this version checks it and does not compile it yet";
    // Credentials.
    HTPASSWD = "htpasswd" fault: "a line of an htpasswd file cannot be used";
    WEAK_KEY = "weak-key" rule warning: "a key or secret is so short that it could be guessed";
    USER_GROUPS = "user-groups" fault: "a group of users cannot be read, or a user or a group is not there";
    SLOW_PASSWORD_HASH = "slow-password-hash" rule warning: "checking a password stops a worker for long";
    // Annotations.
    UNKNOWN_ANNOTATION = "unknown-annotation" fault: "no annotation has this key";
    INVALID_ANNOTATION = "invalid-annotation" fault: "the value is outside what the annotation accepts";
    CONFLICTING_ANNOTATION = "conflicting-annotation" fault: "two places say different things of one service";
    INEFFECTIVE_ANNOTATION = "ineffective-annotation" rule warning: "the annotation has no effect where it stands, or not the one it seems to have";
    IMPLIED_ANNOTATION = "implied-annotation" rule note: "the annotation takes effect as if another one were there too";
    // Importing.
    // What an importer leaves out or changes is for its reader to judge.
    NOT_MAPPED = "not-mapped" rule warning: "a field of the imported file has no counterpart";
    IMPORTED_DIFFERENTLY = "imported-differently" rule note: "what was imported behaves otherwise than before";
    // What runs.
    UNREADABLE_OBSERVATION = "unreadable-observation" fault: "the record of what runs cannot be read";
    // What a task says wrong is left out, and nobody else suffers: that it is, deserves a look.
    QUARANTINED_TASK = "quarantined-task" rule warning: "what a task says of itself is left out";
    NOT_THE_OWNER = "not-the-owner" rule warning: "a task claims a service that is another's";
    CONTESTED_SERVICE = "contested-service" rule warning: "tasks of several families claim one service";
    AMBIGUOUS_TASK = "ambiguous-task" rule warning: "it is not clear at which port a task listens";
    UNREACHABLE_TASK = "unreachable-task" rule note: "a task runs where nobody can reach it";
    // Task definitions.
    UNREADABLE_TASK_DEFINITION = "unreadable-task-definition" fault: "the task definition cannot be read";
    SIDECAR_CONTAINER = "sidecar-container" rule error: "a task has no sidecar, or not one that can do its work";
    TASK_NETWORK = "task-network" rule error: "the sidecar and the application, or their callers, do not reach each other";
    TASK_PORTS = "task-ports" rule error: "containers and the mesh disagree about ports";
    TASK_INTERCEPTION = "task-interception" rule error: "connections are taken otherwise than the mesh expects";
    TASK_ORDER = "task-order" rule error: "containers do not start in an order in which all requests pass";
    TASK_MEMORY = "task-memory" rule error: "memory or CPU is not enough, or none that ECS has";
    TASK_HEALTH = "task-health" rule warning: "nobody would notice what is wrong with a container";
    FOREIGN_PROXY = "foreign-proxy" rule error: "another mesh takes the same task's connections";
    SECRET_IN_ENVIRONMENT = "secret-in-environment" rule error: "a secret stands in a task definition";
    TASK_OWNER = "task-owner" rule warning: "a task says that it is somebody else";
    TASK_SIZE = "task-size" fault: "the task definition is larger than what ECS takes";
    // Severities and suppressions.
    UNKNOWN_RULE = "unknown-rule" fault: "no rule has this name";
    FIXED_SEVERITY = "fixed-severity" fault: "a fault cannot be allowed, and weighs what it weighs";
    SUPPRESSION_WITHOUT_REASON = "suppression-without-reason" fault: "a rule is switched off without saying why";
    UNUSED_SUPPRESSION = "unused-suppression" rule warning: "a comment allows what is not there";
}

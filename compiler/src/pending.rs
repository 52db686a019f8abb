//! What the language says and lowering does not do yet. It is never left out in silence.

use std::collections::BTreeMap;

use spec::mesh::{PathMatch, Service};
use spec::said::{self, Said};
use spec::shape::Says;
use spec::{Diagnostic, Diagnostics, Mesh, Severity, Span, codes};

/// Fields that lowering does, or that are not for lowering; a `*` takes everything below.
const COMPILED: &[&str] = &[
    "name",
    "variables",
    "include",
    "rules.*",
    "test.*",
    "defaults",
    "defaults.timeout",
    "defaults.access-log",
    "defaults.access-log.format",
    "defaults.retry.*",
    "defaults.circuit-breaker.*",
    "defaults.health-check.*",
    "service",
    "service.name",
    "service.timeout",
    "service.endpoint",
    "service.endpoint.address",
    "service.endpoint.weight",
    "service.endpoint.node",
    "service.health-check.*",
    "service.circuit-breaker.*",
    "service.retry.*",
    "service.route.*",
    "service.fault.*",
    "service.basic-auth.*",
    "service.header-routing.*",
    "node",
    "node.name",
    "node.bind",
    "node.serves.*",
    "node.calls",
    "node.calls.service",
    "gateway",
    "gateway.name",
    "gateway.listen",
    "gateway.listen.port",
    "gateway.bind",
    "gateway.trusted-hops",
    "gateway.timeout",
    "gateway.calls",
    "gateway.calls.service",
    "gateway.host",
    "gateway.host.name",
    "gateway.host.to.*",
    "gateway.host.route.*",
    "gateway.basic-auth.*",
    "gateway.retry.*",
];

/// Last parts of paths below those, which lowering does not do wherever they stand.
const NOT_COMPILED: &[&str] = &[
    "health-check.protocol",
    "health-check.host",
    "health-check.grpc-service",
    "retry.vocabulary",
    "retry.status",
    "retry.per-try-idle-timeout",
    "retry.backoff",
    "retry.budget",
    "retry.avoid-previous-hosts",
    "fault.grpc-abort",
    "fault.response-rate-limit",
    "fault.header",
    "fault.max-active",
    "route.case-sensitive",
    "route.method",
    "route.scheme",
    "route.port",
    "route.query",
    "route.grpc",
    "route.priority",
    "route.idle-timeout",
    "route.websocket",
    "route.rewrite",
    "route.mirror",
    "route.rate-limit",
    "route.cors",
    "route.request-headers",
    "route.response-headers",
    "route.redirect",
    "route.respond",
    "to.subset",
    "to.request-headers",
    "to.response-headers",
    "upstream.priority",
    "upstream.region",
    "upstream.zone",
    "upstream.labels",
];

/// Names every field that is said and not compiled, once, at its first place.
pub fn check(mesh: &Mesh, severity: Severity, diagnostics: &mut Diagnostics) {
    let mut pending: BTreeMap<String, (Span, usize)> = BTreeMap::new();
    // A mesh of ten thousand services says the same few fields again and again.
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    said::visit(mesh, &mut |Said { path, field, text, span }| {
        let key = path.join(".");
        if let Some(instead) = field.deprecated {
            let diagnostic = Diagnostic::of(codes::DEPRECATED, span, format!("`{key}` will go"));
            diagnostics.push(diagnostic.help(format!("write {instead}")));
        }
        let is_block = matches!(field.says, Says::Block(_));
        let compiled = known.get(&key).copied().unwrap_or_else(|| {
            let compiled = is_compiled(&key, is_block);
            known.insert(key.clone(), compiled);
            compiled
        });
        if compiled && !means_more(&key, text) {
            return;
        }
        // Of a block that is not compiled, what stands in it is not worth naming.
        let ancestors = key.match_indices('.').map(|(end, _)| key.split_at(end).0);
        let inside = ancestors.into_iter().any(|ancestor| pending.contains_key(ancestor));
        if !inside {
            pending.entry(key).or_insert((span, 0)).1 += 1;
        }
    });
    for gateway in &mesh.gateways {
        if let Some(second) = gateway.listen.get(1) {
            pending.entry("gateway.listen".to_owned()).or_insert((second.port.span, 0)).1 += 1;
        }
    }
    for span in narrowed_expressions(mesh) {
        pending.entry("service.route.path-regex".to_owned()).or_insert((span, 0)).1 += 1;
    }
    if let Some(test) = mesh.tests.first() {
        let message = "tests are checked, and not run yet";
        diagnostics.push(Diagnostic::of(codes::NOT_COMPILED, test.name.span, message).label("nothing depends on it"));
    }
    for (path, (span, count)) in pending {
        let key = path.rsplit('.').next().unwrap_or(&path);
        let message = format!("`{key}` is checked, and not compiled yet");
        let label = match count {
            1 => format!("`{path}`"),
            _ => format!("`{path}`, said {count} times"),
        };
        let diagnostic = match severity {
            Severity::Error => Diagnostic::error(codes::NOT_COMPILED, span, message),
            _ => Diagnostic::of(codes::NOT_COMPILED, span, message),
        };
        diagnostics.push(diagnostic.label(label).help("leave it out to compile the rest"));
    }
}

/// Regular expressions of services behind a gateway's route that asks for a path of its own: Envoy's routes have one
/// condition on the path, and no expression is made of two.
fn narrowed_expressions(mesh: &Mesh) -> Vec<Span> {
    let services: BTreeMap<String, &Service> = mesh.services.iter().map(|it| (it.name.value.key(), it)).collect();
    let routes = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).flat_map(|host| &host.routes);
    let mut places = Vec::new();
    for route in routes.filter(|route| route.matches.path.is_some()) {
        let [target] = route.targets() else { continue };
        let Some(service) = services.get(&target.service.value.key()) else { continue };
        let paths = service.routes.iter().filter_map(|inner| inner.matches.path.as_ref());
        places.extend(paths.filter(|path| matches!(path.value, PathMatch::Regex(_))).map(|path| path.span));
    }
    places
}

fn is_compiled(path: &str, is_block: bool) -> bool {
    let below = |entry: &str| entry.strip_suffix(".*").is_some_and(|block| starts_with(path, block));
    let listed = COMPILED.iter().any(|entry| *entry == path || below(entry));
    let refused = NOT_COMPILED.iter().any(|tail| ends_with_or_below(path, tail));
    (listed || (is_block && COMPILED.iter().any(|entry| starts_with(entry, path)))) && !refused
}

/// Values of compiled fields that are not compiled.
fn means_more(path: &str, text: Option<&str>) -> bool {
    match (path, text) {
        ("defaults.access-log.format", Some(format)) => format == "text",
        ("gateway.host.name", Some(pattern)) => pattern.contains(':'),
        ("gateway.host.route.path-regex", _) => true,
        _ => false,
    }
}

/// `block` itself, or something in it.
fn starts_with(path: &str, block: &str) -> bool {
    path.strip_prefix(block).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn ends_with_or_below(path: &str, tail: &str) -> bool {
    let mut from = 0;
    while let Some(at) = path.get(from..).and_then(|rest| rest.find(tail)) {
        let start = from + at;
        let begins = start == 0 || path.as_bytes().get(start - 1) == Some(&b'.');
        let end = path.get(start + tail.len()..).unwrap_or("");
        if begins && (end.is_empty() || end.starts_with('.')) {
            return true;
        }
        from = start + 1;
    }
    false
}

//! A `Mesh` to the tree: the decoder's mirror, in the order in which a reader wants it.

use crate::mesh::{
    AccessLog, Annotation, BasicAuth, Calls, CircuitBreaker, Endpoint, Fault, Gateway, GatewayHost, HeaderMatch,
    HeaderRouting, HeaderValueMatch, HealthCheck, Mesh, Node, PathMatch, Retry, Route, Serve, Service, Target,
};
use crate::source::Spanned;
use crate::syntax::out::{Item, Shape};
use crate::units::format_duration;

/// The one top-level item.
pub(crate) fn mesh(mesh: &Mesh) -> Item {
    let mut item = Item::new("mesh", Shape::Block).main("name", mesh.name.value.as_str());
    let defaults = &mesh.defaults;
    if defaults.timeout.is_some() || defaults.access_log.is_some() {
        let access_log = defaults.access_log.as_ref().map(|access_log| match access_log.value {
            AccessLog::Json => "json",
            AccessLog::Off => "off",
        });
        let block = Item::new("defaults", Shape::Block).text("timeout", duration(&defaults.timeout));
        item.push(block.text("access-log", access_log));
    }
    item.extend(mesh.services.iter().map(service));
    item.extend(mesh.nodes.iter().map(node));
    item.extend(mesh.gateways.iter().map(gateway));
    item
}

fn service(service: &Service) -> Item {
    let mut item = Item::new("service", Shape::Named).main("name", service.name.value.as_str());
    item = item.text("timeout", duration(&service.timeout));
    item.extend(service.endpoints.iter().map(|endpoint| self::endpoint("endpoint", endpoint)));
    item.extend(service.health_check.as_ref().map(health_check));
    item.extend(service.circuit_breaker.as_ref().map(circuit_breaker));
    item.extend(service.retry.as_ref().map(retry));
    item.extend(service.routes.iter().map(route));
    item.extend(service.fault.as_ref().map(fault));
    item.extend(service.basic_auth.as_ref().map(basic_auth));
    item.extend(service.header_routing.as_ref().map(header_routing));
    item.extend(annotations(&service.annotations));
    item
}

fn endpoint(key: &'static str, endpoint: &Endpoint) -> Item {
    let mut item = Item::new(key, Shape::Listed)
        .main("address", endpoint.address.value.to_string())
        .number("weight", plain(&endpoint.weight))
        .text("node", endpoint.node.as_ref().map(|node| node.value.as_str()));
    item.extend(annotations(&endpoint.annotations));
    item
}

fn node(node: &Node) -> Item {
    let mut item = Item::new("node", Shape::Named).main("name", node.name.value.as_str());
    item = item.text("bind", text(&node.bind));
    item.extend(node.serves.iter().map(serve));
    item.extend(calls(&node.calls));
    item
}

fn serve(serve: &Serve) -> Item {
    let mut item = Item::new("serves", Shape::Named).main("service", serve.service.value.as_str());
    item.extend(serve.upstreams.iter().map(|upstream| endpoint("upstream", upstream)));
    item.extend(serve.fault.as_ref().map(fault));
    item.extend(annotations(&serve.annotations));
    item
}

fn calls(calls: &Calls) -> Vec<Item> {
    let call = |name: &str| Item::new("calls", Shape::Listed).main("service", name);
    match calls {
        Calls::Listed(names) => names.iter().map(|name| call(name.value.as_str())).collect(),
        Calls::All(_) => vec![Item::new("calls", Shape::Plain).main("service", "*")],
    }
}

fn gateway(gateway: &Gateway) -> Item {
    let mut item = Item::new("gateway", Shape::Named).main("name", gateway.name.value.as_str());
    item = item.number("listen", Some(gateway.listen.value)).text("bind", text(&gateway.bind));
    item = item.number("trusted-hops", plain(&gateway.trusted_hops));
    item = item.text("timeout", duration(&gateway.timeout));
    item.extend(calls(&gateway.calls));
    item.extend(gateway.basic_auth.as_ref().map(basic_auth));
    item.extend(gateway.retry.as_ref().map(retry));
    item.extend(gateway.hosts.iter().map(host));
    item
}

fn host(host: &GatewayHost) -> Item {
    let mut item = Item::new("host", Shape::Named).main("name", host.pattern.value.as_str());
    item.extend(host.routes.iter().map(route));
    item
}

fn route(route: &Route) -> Item {
    let (key, path) = match &route.path.value {
        PathMatch::Prefix(path) => ("path-prefix", path),
        PathMatch::Exact(path) => ("path", path),
    };
    let mut item = Item::new("route", Shape::Listed).text(key, Some(path)).text("timeout", duration(&route.timeout));
    item.extend(route.retry.as_ref().map(retry));
    item.extend(route.headers.iter().map(header));
    item.extend(route.targets.iter().map(target));
    item
}

fn header(header: &HeaderMatch) -> Item {
    let item = Item::new("header", Shape::Listed).main("name", header.name.value.as_str());
    let item = match &header.value {
        HeaderValueMatch::Exact(value) => item.text("exact", Some(value)),
        HeaderValueMatch::Prefix(value) => item.text("prefix", Some(value)),
        HeaderValueMatch::Suffix(value) => item.text("suffix", Some(value)),
        HeaderValueMatch::Present => item.yes("present"),
    };
    if header.invert { item.yes("invert") } else { item }
}

fn target(target: &Target) -> Item {
    let item = Item::new("to", Shape::Listed).main("service", target.service.value.as_str());
    item.number("weight", plain(&target.weight))
}

fn health_check(check: &HealthCheck) -> Item {
    Item::new("health-check", Shape::Plain)
        .text("path", check.path.as_ref().map(|path| path.value.as_str()))
        .text("interval", duration(&check.interval))
        .text("timeout", duration(&check.timeout))
        .text("cache", duration(&check.cache))
        .number("port", plain(&check.port))
        .text("expect", text(&check.expect))
        .number("healthy-threshold", plain(&check.healthy_threshold))
        .number("unhealthy-threshold", plain(&check.unhealthy_threshold))
}

fn circuit_breaker(limits: &CircuitBreaker) -> Item {
    Item::new("circuit-breaker", Shape::Plain)
        .number("max-connections", plain(&limits.max_connections))
        .number("max-pending", plain(&limits.max_pending))
        .number("max-requests", plain(&limits.max_requests))
        .number("max-retries", plain(&limits.max_retries))
}

fn retry(retry: &Retry) -> Item {
    let on: Vec<&str> = retry.on.iter().map(|condition| condition.value.as_str()).collect();
    Item::new("retry", Shape::Plain)
        .number("attempts", Some(retry.attempts.value))
        .text("on", (!on.is_empty()).then(|| on.join(",")))
        .text("per-try-timeout", duration(&retry.per_try_timeout))
}

fn fault(fault: &Fault) -> Item {
    let mut item = Item::new("fault", Shape::Block);
    item.extend(fault.delay.as_ref().map(|delay| {
        let item = Item::new("delay", Shape::Plain).main("duration", format_duration(delay.duration.value));
        item.number("percent", Some(delay.percent.value))
    }));
    item.extend(fault.abort.as_ref().map(|abort| {
        let item = Item::new("abort", Shape::Plain).main_number("status", abort.status.value);
        item.number("percent", Some(abort.percent.value))
    }));
    item
}

fn basic_auth(auth: &BasicAuth) -> Item {
    Item::new("basic-auth", Shape::Plain)
        .text("realm", auth.realm.as_ref().map(|realm| realm.value.as_str()))
        .text("htpasswd-file", Some(&auth.htpasswd_file.value))
        .text("forward-user-header", auth.forward_user_header.as_ref().map(|header| header.value.as_str()))
}

fn header_routing(routing: &HeaderRouting) -> Item {
    let mut item = Item::new("header-routing", Shape::Block);
    item.extend(routing.rules.iter().map(|rule| {
        let mut item = Item::new("rule", Shape::Listed).text("to", Some(rule.to.value.as_str()));
        item.extend(rule.headers.iter().map(header));
        item
    }));
    item
}

/// No block for no annotations.
fn annotations(annotations: &[Annotation]) -> Option<Item> {
    let said = |item: Item, annotation: &Annotation| item.text(&annotation.key.value, Some(&annotation.value.value));
    (!annotations.is_empty()).then(|| annotations.iter().fold(Item::new("annotations", Shape::Block), said))
}

fn duration(duration: &Option<Spanned<std::time::Duration>>) -> Option<String> {
    duration.as_ref().map(|duration| format_duration(duration.value))
}

fn text<T: std::fmt::Display>(value: &Option<Spanned<T>>) -> Option<String> {
    value.as_ref().map(|value| value.value.to_string())
}

fn plain<T: Copy>(value: &Option<Spanned<T>>) -> Option<T> {
    value.as_ref().map(|value| value.value)
}

//! Arbitrary meshes: everything that text can say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use meshwright_spec::mesh::*;
use meshwright_spec::units::{Percent, StatusRange};
use meshwright_spec::{Mesh, Name, SourceFile, Sources, Span, Spanned};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn span() -> Span {
    Span::new(Sources::new().add(SourceFile::public("", "")), 0, 0)
}

fn at<T>(value: T) -> Spanned<T> {
    Spanned::new(value, span())
}

fn maybe<T: Clone + std::fmt::Debug + 'static>(
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<Spanned<T>>> {
    of(strategy.prop_map(at)).boxed()
}

fn name() -> impl Strategy<Value = Spanned<Name>> {
    let words = select(vec!["true", "null", "no", "on", "1", "1e5", "0x1f", "12", "name", "service", "inf", "a"]);
    let text = prop_oneof![words.prop_map(str::to_owned), "[a-zA-Z0-9]([a-z0-9_-]{0,6}[a-z0-9])?(\\.[a-z]{1,3})?"];
    text.prop_filter_map("a name", |text| Name::new(&text).map(at))
}

fn node_name() -> impl Strategy<Value = Spanned<Name>> {
    (name(), of(name())).prop_filter_map("a name", |(first, second)| match second {
        Some(second) => Name::new(&format!("{}/{}", first.value, second.value)).map(at),
        None => Some(first),
    })
}

/// What people write, and what breaks quoting.
fn text() -> impl Strategy<Value = String> {
    let nasty = select(vec![
        "",
        "true",
        "#true",
        "~",
        "null",
        "no",
        "5",
        "-1",
        "1_000",
        "0o7",
        "1e3",
        ".5",
        "\"",
        "\\",
        "a\nb",
        "\t",
        "- a",
        "a: b",
        "a #b",
        "'",
        "{",
        "}",
        "/-",
        "/*",
        "\u{feff}",
        "\u{2028}",
        "\u{7f}",
        "\u{0}",
        "\u{85}",
        "é",
        "\u{10ffff}",
        " a ",
        "\"\"\"",
        "*",
        "&a",
        "!x",
        "%",
        "@",
        "`",
        "|",
        ">",
        "?",
        ":",
        "<<",
        "12:30:45",
        "2020-01-01",
        "\r\n",
    ]);
    prop_oneof![nasty.prop_map(str::to_owned), any::<String>(), "[ -~]{0,12}"]
}

fn line() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(char::is_control, "x")).prop_filter("not empty", |text| !text.is_empty())
}

fn path() -> impl Strategy<Value = String> {
    "/[a-z0-9/._~%:@{}\"\\\\-]{0,8}"
}

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1..5_000_u64,
        (1..600_u64).prop_map(|seconds| seconds * 1_000),
        (1..24_u64).prop_map(|hours| hours * 3_600_000)
    ]
    .prop_map(Duration::from_millis)
}

fn percent() -> impl Strategy<Value = Spanned<Percent>> {
    prop_oneof![0..=1_000_000_u32, (0..=100_u32).prop_map(|whole| whole * 10_000)]
        .prop_filter_map("a share", |share| Percent::from_per_million(share).map(at))
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits))),
    ]
}

fn annotations() -> impl Strategy<Value = Vec<Annotation>> {
    proptest::collection::btree_map(text(), text(), 0..3)
        .prop_map(|map| map.into_iter().map(|(key, value)| Annotation { key: at(key), value: at(value) }).collect())
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let address = (ip(), 1..=u16::MAX).prop_map(|(host, port)| at(Address { host, port }));
    (address, maybe(1..=128_u32), of(node_name()), annotations())
        .prop_map(|(address, weight, node, annotations)| Endpoint { address, weight, node, annotations })
}

fn header() -> impl Strategy<Value = HeaderMatch> {
    let value = prop_oneof![
        text().prop_map(HeaderValueMatch::Exact),
        line().prop_map(HeaderValueMatch::Prefix),
        line().prop_map(HeaderValueMatch::Suffix),
        Just(HeaderValueMatch::Present),
    ];
    ("[a-z0-9!#$%&'*+.^_`|~-]{1,8}", value, any::<bool>()).prop_map(|(name, value, invert)| HeaderMatch {
        name: at(name),
        value,
        invert,
    })
}

fn target() -> impl Strategy<Value = Target> {
    (name(), maybe(any::<u32>())).prop_map(|(service, weight)| Target { service, weight })
}

fn retry() -> impl Strategy<Value = Retry> {
    let on = vec(select(RetryCondition::ALL.to_vec()).prop_map(at), 0..3);
    (1..=u32::MAX, on, maybe(duration())).prop_map(|(attempts, on, per_try_timeout)| Retry {
        attempts: at(attempts),
        on,
        per_try_timeout,
    })
}

fn route() -> impl Strategy<Value = Route> {
    let path = prop_oneof![path().prop_map(PathMatch::Prefix), path().prop_map(PathMatch::Exact)];
    (path, vec(header(), 0..3), vec(target(), 1..3), maybe(duration()), of(retry()))
        .prop_map(|(path, headers, targets, timeout, retry)| Route { path: at(path), headers, targets, timeout, retry })
}

fn fault() -> impl Strategy<Value = Fault> {
    let delay = (1..=3_600_000_u64, percent())
        .prop_map(|(millis, percent)| FaultDelay { duration: at(Duration::from_millis(millis)), percent });
    let abort = (200..=599_u16, percent()).prop_map(|(status, percent)| FaultAbort { status: at(status), percent });
    (of(delay), of(abort))
        .prop_filter("a fault does something", |(delay, abort)| delay.is_some() || abort.is_some())
        .prop_map(|(delay, abort)| Fault { delay, abort })
}

fn basic_auth() -> impl Strategy<Value = BasicAuth> {
    (maybe(line()), line(), maybe("[a-z0-9-]{1,8}")).prop_map(|(realm, file, header)| BasicAuth {
        realm,
        htpasswd_file: at(file),
        forward_user_header: header,
    })
}

fn header_routing() -> impl Strategy<Value = HeaderRouting> {
    let rule = (name(), vec(header(), 1..3)).prop_map(|(to, headers)| RoutingRule { to, headers });
    vec(rule, 1..3).prop_map(|rules| HeaderRouting { rules })
}

fn health_check() -> impl Strategy<Value = HealthCheck> {
    let expect = (100..=599_u16, 1..50_u16)
        .prop_filter_map("a range", |(low, width)| StatusRange::new(low, low.saturating_add(width).min(600)));
    let times = (maybe(duration()), maybe(duration()), maybe(duration()));
    (maybe(path()), times, maybe(1..=u16::MAX), maybe(expect), maybe(1..=u32::MAX), maybe(1..=u32::MAX)).prop_map(
        |(path, (interval, timeout, cache), port, expect, healthy_threshold, unhealthy_threshold)| HealthCheck {
            path,
            interval,
            timeout,
            cache,
            port,
            expect,
            healthy_threshold,
            unhealthy_threshold,
        },
    )
}

fn circuit_breaker() -> impl Strategy<Value = CircuitBreaker> {
    let limit = || maybe(any::<u32>());
    (limit(), limit(), limit(), limit()).prop_map(|(max_connections, max_pending, max_requests, max_retries)| {
        CircuitBreaker { max_connections, max_pending, max_requests, max_retries }
    })
}

fn service() -> impl Strategy<Value = Service> {
    let traffic = (vec(endpoint(), 0..3), vec(route(), 0..2), maybe(duration()), of(retry()));
    let policies = (of(health_check()), of(circuit_breaker()), of(fault()), of(basic_auth()), of(header_routing()));
    (name(), traffic, policies, annotations()).prop_map(
        |(name, (endpoints, routes, timeout, retry), (check, breaker, fault, auth, routing), annotations)| Service {
            name,
            endpoints,
            routes,
            timeout,
            retry,
            health_check: check,
            circuit_breaker: breaker,
            fault,
            basic_auth: auth,
            header_routing: routing,
            annotations,
        },
    )
}

fn calls() -> impl Strategy<Value = Calls> {
    prop_oneof![vec(name(), 0..3).prop_map(Calls::Listed), Just(Calls::All(Spanned::new((), span())))]
}

fn node() -> impl Strategy<Value = Node> {
    let serve = (name(), vec(endpoint(), 0..2), of(fault()), annotations())
        .prop_map(|(service, upstreams, fault, annotations)| Serve { service, upstreams, fault, annotations });
    (node_name(), vec(serve, 0..3), calls(), maybe(ip())).prop_map(|(name, serves, calls, bind)| Node {
        name,
        serves,
        calls,
        bind,
    })
}

fn gateway() -> impl Strategy<Value = Gateway> {
    let pattern = prop_oneof![
        Just("*".to_owned()),
        name().prop_map(|name| format!("*.{}", name.value)),
        name().prop_map(|name| name.value.to_string()),
    ];
    let host = (pattern, vec(route(), 1..3)).prop_map(|(pattern, routes)| GatewayHost { pattern: at(pattern), routes });
    let policies = (of(basic_auth()), maybe(duration()), of(retry()));
    (name(), 1..=u16::MAX, (maybe(ip()), maybe(0..=16_u32)), calls(), vec(host, 0..3), policies).prop_map(
        |(name, listen, (bind, trusted_hops), calls, hosts, (basic_auth, timeout, retry))| Gateway {
            name,
            listen: at(listen),
            bind,
            trusted_hops,
            calls,
            hosts,
            basic_auth,
            timeout,
            retry,
        },
    )
}

/// A mesh without mistakes of its own text; what it refers to need not exist.
pub(crate) fn mesh() -> impl Strategy<Value = Mesh> {
    let access_log = select(vec![AccessLog::Json, AccessLog::Off]);
    let defaults =
        (maybe(duration()), maybe(access_log)).prop_map(|(timeout, access_log)| Defaults { timeout, access_log });
    (name(), defaults, vec(service(), 0..3), vec(node(), 0..3), vec(gateway(), 0..2))
        .prop_map(|(name, defaults, services, nodes, gateways)| Mesh { name, defaults, services, nodes, gateways })
}

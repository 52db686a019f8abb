//! The repeats of a header are joined exactly where a real Envoy joins them.

use meshwright_host::{End, Module, Options};
use policy::Header;

use crate::bootstrap::{Plugin, SDK};
use crate::wire;
use crate::world::World;

/// A guest lists the headers that it sees, in the host and in Envoy, for the same requests.
#[test]
fn repeats_are_joined_exactly_where_envoy_joins_them() {
    let plugin = Plugin { name: "probe".to_owned(), module: SDK, root_id: "sdk-probe", config: String::new() };
    let envoy = World::start(&[plugin]);
    let listener = envoy.listener("probe");
    let module = Module::load(guest_sdk::MODULE).expect("the module loads");
    let mut vm = module.start("sdk-probe", "", Options::default()).expect("it starts");
    let mut differences = Vec::new();
    for name in REPEATED {
        let (by_client, by_guest) = (vec![(*name, "a"), (*name, "b")], vec![("x-probe-repeat", *name)]);
        let mut compared = 0;
        for repeats in [by_client, by_guest] {
            let request = listing(&repeats);
            let outcome = vm.http_request(request.iter().map(|(name, value)| (name, value))).expect("no trap");
            let End::Replied(reply) = outcome.end else { panic!("{name}: {outcome:?}") };
            let response = wire::receive(wire::send(listener, &wire::request(&request)));
            let (in_host, in_envoy) = (values(&reply.body, name), values(&response.body, name));
            // What concerns a single connection Envoy keeps from filters or refuses, unless a filter adds it.
            if in_envoy.join(",") == "a,b" {
                compared += 1;
                if in_host != in_envoy {
                    differences.push((name, in_host, in_envoy));
                }
            }
        }
        assert!(compared > 0, "nothing is learnt of {name}");
    }
    assert!(differences.is_empty(), "name, in the host, in Envoy: {differences:?}");
}

fn listing(headers: &[(&str, &str)]) -> Vec<Header> {
    let request = [(":method", "GET"), (":authority", "shop.svc"), (":path", "/"), ("x-probe-list", "all")];
    let headers = request.iter().chain(headers);
    headers.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// The values of a header out of lines `name: value`.
fn values(listed: &[u8], name: &str) -> Vec<String> {
    let listed = String::from_utf8_lossy(listed);
    let lines = listed.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    lines.map(str::to_owned).collect()
}

const REPEATED: &[&str] = &[
    ":authority",
    ":method",
    ":path",
    ":protocol",
    ":scheme",
    "accept",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "accept-language",
    "accept-post",
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "age",
    "allow",
    "authentication",
    "authorization",
    "b3",
    "baggage",
    "cache-control",
    "capsule-protocol",
    "cdn-loop",
    "cf-connecting-ip",
    "client-ip",
    "connection",
    "content-digest",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "digest",
    "dnt",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-message",
    "grpc-previous-rpc-attempts",
    "grpc-status",
    "grpc-tags-bin",
    "grpc-timeout",
    "grpc-trace-bin",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "mime-version",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "proxy-authorization",
    "proxy-connection",
    "pseudo-x",
    "purpose",
    "range",
    "referer",
    "save-data",
    "sec-ch-ua",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "server",
    "server-timing",
    "set-cookie",
    "signature",
    "signature-input",
    "sw8",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "uber-trace-id",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "want-digest",
    "warning",
    "x-accept-content-transfer-encoding",
    "x-accept-response-streaming",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amzn-oidc-data",
    "x-amzn-trace-id",
    "x-api-key",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-client-ip",
    "x-client-trace-id",
    "x-cloud-trace-context",
    "x-csrf-token",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-trace-id",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-degraded",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-immediate-health-check-fail",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-is-timeout-retry",
    "x-envoy-livenessprobe",
    "x-envoy-local-overloaded",
    "x-envoy-max-retries",
    "x-envoy-original-dst-host",
    "x-envoy-original-host",
    "x-envoy-original-method",
    "x-envoy-original-path",
    "x-envoy-original-url",
    "x-envoy-overloaded",
    "x-envoy-peer-metadata",
    "x-envoy-peer-metadata-id",
    "x-envoy-ratelimited",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-canary",
    "x-envoy-upstream-healthchecked-cluster",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-service-time",
    "x-envoy-upstream-stream-duration-ms",
    "x-forwarded-by",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-grpc-web",
    "x-http-method-override",
    "x-meshwright-route",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-url",
    "x-ot-span-context",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
    "x-rewrite-url",
    "x-scheme",
    "x-user",
    "x-user-agent",
    "x-xsrf-token",
];

//! Rules about endpoints and listeners: where services run, on which ports, and how requests are shared out.

use expect_test::{Expect, expect};

use crate::mesh_findings::{self, places};

#[track_caller]
fn check(slug: &str, text: &str, expected: Expect) {
    expected.assert_eq(&mesh_findings::of(slug, text));
}

#[track_caller]
fn quiet(slug: &str, text: &str) {
    assert_eq!(mesh_findings::of(slug, text), "");
}

/// A service `a.svc` of which this is said.
fn service(says: &str) -> String {
    format!("service \"a.svc\" {{\n{says}\n}}")
}

/// A node `web` of which this is said, beside `a.svc` and `b.svc`.
fn node(says: &str) -> String {
    let services = "service \"a.svc\" { endpoint \"10.0.0.1:80\"; }\nservice \"b.svc\" { endpoint \"10.0.0.2:8080\"; }";
    format!("{services}\nnode \"web\" {{\n{says}\n}}")
}

#[test]
fn two_local_ports_are_one() {
    check(
        "local-port-conflict",
        &node("calls \"a.svc\" local-port=9001\ncalls \"b.svc\" local-port=9001"),
        expect![[r#"
        error[local-port-conflict]: port 9001 is taken by another `local-port`
          6:26 only one of the two could listen here
          5:26 the other one
          help: choose another port
    "#]],
    );
    quiet("local-port-conflict", &node("calls \"a.svc\" local-port=9001\ncalls \"b.svc\" local-port=9002"));
    let apart = "calls \"a.svc\" local-port=9001\ncalls \"b.svc\" local-port=9001 local-address=\"127.0.0.2\"";
    quiet("local-port-conflict", &node(apart));
}

#[test]
fn a_local_port_that_the_sidecar_needs() {
    for port in ["4000", "9901", "15090"] {
        let says = format!("calls \"a.svc\" local-port={port}");
        assert_eq!(places("local-port-conflict", &node(&says)), "error 5:26\n", "{port}");
    }
    assert_eq!(
        places("local-port-conflict", &node("serves \"b.svc\"\ncalls \"a.svc\" local-port=4100")),
        "error 6:26\n"
    );
    let intercepted = "transparent-proxy\ncalls \"a.svc\" local-port=15001";
    assert_eq!(places("local-port-conflict", &node(intercepted)), "error 6:26\n");
    quiet("local-port-conflict", &node("transparent-proxy\ncalls \"a.svc\" local-port=15002"));
}

#[test]
fn a_local_port_where_the_application_listens() {
    check(
        "local-port-conflict",
        &node("serves \"b.svc\"\ncalls \"a.svc\" local-port=8080"),
        expect![[r#"
        error[local-port-conflict]: port 8080 is taken by the application of `b.svc`
          6:26 only one of the two could listen here
          3:28 the other one
          help: choose another port
    "#]],
    );
    quiet("local-port-conflict", &node("serves \"b.svc\"\ncalls \"a.svc\" local-port=8081"));
}

#[test]
fn one_application_may_be_two_services() {
    quiet(
        "local-port-conflict",
        &node("serves \"b.svc\"\nserves \"a.svc\"").replace("10.0.0.1:80\"", "10.0.0.2:8080\""),
    );
}

#[test]
fn an_application_cannot_have_a_port_of_its_sidecar() {
    let text = node("serves \"b.svc\"").replace("8080", "4000");
    assert_eq!(places("local-port-conflict", &text), "error 3:28\n");
}

#[test]
fn ports_of_a_gateway() {
    let gateway = |says: &str| {
        format!("{}\ngateway \"front\" {{\n{says}\nhost \"*\" {{ to \"a.svc\"; }}\n}}", node("calls \"*\""))
    };
    assert_eq!(places("local-port-conflict", &gateway("listen 8080\nlisten 8080")), "error 9:8\n");
    quiet("local-port-conflict", &gateway("listen 8080\nlisten 8443"));
    assert_eq!(places("local-port-conflict", &gateway("listen 9102\nstats { prometheus 9102; }")), "error 8:8\n");
    quiet("local-port-conflict", &gateway("listen 8080\nstats { prometheus 15090; }"));
}

#[test]
fn bytes_that_no_port_leads_to() {
    let redis =
        |says: &str| format!("service \"redis.svc\" {{ protocol \"tcp\"; endpoint \"10.0.0.1:6379\"; {says}; }}");
    let caller = |service: &str, says: &str| format!("{service}\nnode \"web\" {{\n{says}\n}}");
    check(
        "tcp-needs-port",
        &caller(&redis(""), "calls \"redis.svc\""),
        expect![[r#"
        error[tcp-needs-port]: node `web` has no way to reach `redis.svc`
          4:7 bytes carry no host name by which the sidecar could tell the service
          2:9 it speaks `tcp` and has no `port`
          help: write `calls "redis.svc" local-port=PORT`
    "#]],
    );
    quiet("tcp-needs-port", &caller(&redis(""), "calls \"redis.svc\" local-port=6379"));
    quiet("tcp-needs-port", &caller(&redis("port 6379"), "transparent-proxy\ncalls \"redis.svc\""));
    assert_eq!(places("tcp-needs-port", &caller(&redis(""), "transparent-proxy\ncalls \"redis.svc\"")), "error 5:7\n");
}

#[test]
fn endpoints_in_two_ways() {
    check(
        "mixed-discovery",
        &service("endpoint \"10.0.0.1:80\"\ndns \"a.internal:80\""),
        expect![[r#"
        error[mixed-discovery]: `a.svc` has `dns` and an `endpoint`
          3:10 these exclude each other
          4:5 the other way is here
          help: keep one; a second service can have the other, with `failover` or a split between them
    "#]],
    );
    assert_eq!(
        places("mixed-discovery", &service("ecs service=\"a\"\ncloud-map namespace=\"n\" service=\"a\"")),
        "error 4:21\n"
    );
    quiet("mixed-discovery", &service("endpoint \"10.0.0.1:80\"\necs service=\"a\""));
}

#[test]
fn tasks_of_nobody() {
    check(
        "mixed-discovery",
        &service("ecs cluster=\"production\""),
        expect![[r#"
        error[mixed-discovery]: which tasks are endpoints of `a.svc` is not said
          3:1 every task of the cluster would be one
          help: add `service="…"`, the ECS service, or `family="…"`, the task definition family
    "#]],
    );
    quiet("mixed-discovery", &service("ecs cluster=\"production\" family=\"batch\""));
}

#[test]
fn an_endpoint_twice() {
    check(
        "duplicate-endpoint",
        &service("endpoint \"10.0.0.1:80\"\nendpoint \"10.0.0.1:80\""),
        expect![[r#"
        warning[duplicate-endpoint]: `10.0.0.1:80` is said twice
          4:10 it gets a second share of the requests
          3:10 the first one
          help: delete one, or say the share with `weight`
    "#]],
    );
    quiet("duplicate-endpoint", &service("endpoint \"10.0.0.1:80\"\nendpoint \"10.0.0.1:81\""));
}

#[test]
fn priorities_with_a_gap() {
    check(
        "priority-gap",
        &service("endpoint \"10.0.0.1:80\"\nendpoint \"10.0.0.2:80\" priority=2"),
        expect![[r#"
        error[priority-gap]: no endpoint of `a.svc` has priority 1
          4:33 2 comes without 1
          help: count from 0 without a gap: write `priority=1` here
    "#]],
    );
    assert_eq!(places("priority-gap", &service("endpoint \"10.0.0.1:80\" priority=1")), "error 3:33\n");
    quiet("priority-gap", &service("endpoint \"10.0.0.1:80\" priority=1\nendpoint \"10.0.0.2:80\""));
}

#[test]
fn hashes_without_keys_and_keys_without_hashes() {
    let with = |balancing: &str| service(&format!("endpoint \"10.0.0.1:80\"\nload-balancing {balancing}"));
    check(
        "hash-without-key",
        &with("policy=\"maglev\""),
        expect![[r#"
        error[hash-without-key]: this policy takes a hash, and nothing says of what
          4:23 endpoints would be chosen by chance
          help: add `hash-on header="x-user"`, `cookie=`, `query=` or `source-address=#true`
    "#]],
    );
    check(
        "hash-without-key",
        &with("{ hash-on header=\"x-user\"; }"),
        expect![[r#"
        error[hash-without-key]: this policy does not look at hashes
          4:26 this key has no effect
          help: write `policy="ring-hash"` or `policy="maglev"`, or delete `hash-on`
          help: without a `policy` it is `round-robin`
    "#]],
    );
    quiet("hash-without-key", &with("policy=\"ring-hash\" { hash-on header=\"x-user\"; }"));
    quiet("hash-without-key", &with("policy=\"least-request\""));
    assert_eq!(places("hash-without-key", "defaults { load-balancing policy=\"maglev\"; }"), "error 2:34\n");
}

#[test]
fn zones_that_nobody_says() {
    let with = |zone: &str, caller: &str| {
        let says = format!("endpoint \"10.0.0.1:80\" {zone}\nload-balancing {{ locality \"zone-aware\"; }}");
        format!("{}\nnode \"web\" calls=\"a.svc\" {caller}", service(&says))
    };
    check(
        "locality-unknown",
        &with("", "zone=\"z\""),
        expect![[r#"
        warning[locality-unknown]: no endpoint of `a.svc` says its zone
          4:27 requests go everywhere alike
          2:9 the service
          help: add `zone="…"` to the endpoints, or delete `locality`
    "#]],
    );
    check(
        "locality-unknown",
        &with("zone=\"z\"", ""),
        expect![[r#"
        warning[locality-unknown]: no node that calls `a.svc` says its zone
          4:27 requests go everywhere alike
          2:9 the service
          6:6 a caller
          help: add `zone "…"` to the node, or delete `locality`
    "#]],
    );
    quiet("locality-unknown", &with("zone=\"z\"", "zone=\"z\""));
    quiet("locality-unknown", &with("zone=\"z\"", "zone=\"z\"").replace("zone-aware", "off"));
    quiet("locality-unknown", &with("zone=\"z\"", "").replace("zone-aware", "weighted"));
}

#[test]
fn zones_that_defaults_ask_for_are_told_once() {
    let defaults = "defaults { load-balancing { locality \"zone-aware\"; }; }";
    let text = format!("{defaults}\n{}", node("calls \"*\""))
        .replace("10.0.0.1:80\"", "10.0.0.1:80\"; endpoint \"10.0.0.3:80\"");
    let text = text.replace("10.0.0.2:8080\"", "10.0.0.2:8080\"; endpoint \"10.0.0.4:8080\"");
    assert_eq!(places("locality-unknown", &text), "warning 2:38\n");
}

#[test]
fn zones_that_defaults_ask_for_matter_where_there_is_a_choice() {
    let with = |found: &str| {
        let defaults = "defaults { load-balancing { locality \"zone-aware\"; }; }";
        format!("{defaults}\nservice \"a.svc\" {{ {found}; }}\nnode \"web\" calls=\"a.svc\"")
    };
    quiet("locality-unknown", &with("endpoint \"10.0.0.1:80\""));
    quiet("locality-unknown", &with("dns \"a.example:80\" mode=\"logical\""));
    assert_eq!(places("locality-unknown", &with("dns \"a.example:80\"")), "warning 2:38\n");
    assert_eq!(places("locality-unknown", &with("ecs service=\"a\" port=80")), "warning 2:38\n");
}

#[test]
fn a_node_serves_what_is_discovered() {
    let ways = [
        "dns \"a.internal:80\"",
        "ecs service=\"a\" port=80",
        "ecs family=\"a\"",
        "cloud-map namespace=\"n\" service=\"a\"",
    ];
    for way in ways {
        quiet("no-endpoints", &format!("{}\nnode \"a\" serves=\"a.svc\"", service(way)));
    }
}

#[test]
fn a_service_that_is_only_routes_behind_a_gateway() {
    let text = |targets: &str| {
        let services = "service \"a.svc\" { route path-prefix=\"/\" { to \"b.svc\"; }; }\nservice \"b.svc\" { endpoint \"10.0.0.1:80\"; }";
        format!("{services}\ngateway \"front\" listen=80 {{ host \"shop.example\" {{ {targets} }}; }}")
    };
    quiet("no-endpoints", &text("to \"a.svc\""));
    // A split goes to endpoints, whatever routes say.
    assert_eq!(places("no-endpoints", &text("to \"a.svc\"; to \"b.svc\"")), "error 2:9\n");
}

#[test]
fn health_checks_do_not_ask_the_sidecar() {
    assert_eq!(places("forbidden-address", &service("health-check port=9901")), "error 3:19\n");
    quiet("forbidden-address", &service("health-check port=8081"));
}

#[test]
fn bytes_that_could_be_meant_for_two_services() {
    let both = |redis: &str| {
        let services = format!(
            "service \"a.svc\" {{ protocol \"tcp\"; port 6379; {redis}; }}\nservice \"b.svc\" {{ protocol \"tcp\"; port 6379; endpoint \"10.0.0.2:6379\"; }}"
        );
        format!("{services}\nnode \"web\" {{ transparent-proxy; calls \"a.svc\" \"b.svc\"; }}")
    };
    assert_eq!(places("indistinct-tcp", &both("endpoint \"10.0.0.2:6380\"")), "error 4:47\n");
    quiet("indistinct-tcp", &both("endpoint \"10.0.0.1:6379\""));
    quiet("indistinct-tcp", &both("dns \"a.internal:6379\""));
    let served = |protocol: &str| {
        let a = format!("service \"a.svc\" {{ protocol \"{protocol}\"; endpoint \"10.0.0.1:80\"; }}");
        format!(
            "{a}\nservice \"b.svc\" {{ endpoint \"10.0.0.1:81\"; }}\nnode \"web\" {{ serves \"a.svc\" \"b.svc\"; }}"
        )
    };
    assert_eq!(places("indistinct-tcp", &served("tcp")), "error 4:21\n");
    quiet("indistinct-tcp", &served("http"));
}

#[test]
fn an_egress_host_that_is_said_twice() {
    let egress = |hosts: &str| node(&format!("calls \"b.svc\"\negress \"listed\" {{\n{hosts}\n}}"));
    assert_eq!(places("duplicate-name", &egress("host \"x.example\"\nhost \"X.example\" port=443")), "error 8:6\n");
    assert_eq!(places("duplicate-name", &egress("host \"B.svc\"")), "error 7:6\n");
    quiet("duplicate-name", &egress("host \"x.example\"\nhost \"x.example\" port=80"));
}

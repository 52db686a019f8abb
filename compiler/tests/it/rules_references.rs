//! Rules about names: what they refer to, and what nobody refers to.

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

/// Two services: `a.svc` with subset `v2`, and `b.svc`, of which this is said.
fn two(says: &str) -> String {
    format!(
        r#"service "a.svc" {{
endpoint "10.0.0.1:80" {{ labels {{ version "v2"; }}; }}
subset "v2" {{ labels {{ version "v2"; }}; }}
default-subset "v2"
}}
service "b.svc" {{
endpoint "10.0.0.2:80"
{says}
}}"#
    )
}

#[test]
fn a_subset_that_does_not_exist() {
    check(
        "unknown-subset",
        &two("route path-prefix=\"/\" { to \"a.svc\" subset=\"v3\"; }"),
        expect![[r#"
        error[unknown-subset]: `a.svc` has no subset `v3`
          9:43 no endpoint is chosen by this name
          2:9 the service
          help: did you mean `v2`?
    "#]],
    );
    quiet("unknown-subset", &two("route path-prefix=\"/\" { to \"a.svc\" subset=\"v2\"; }"));
}

#[test]
fn subsets_are_known_wherever_they_are_named() {
    for says in [
        "failover \"a.svc\" subset=\"x\"",
        "mirror to=\"a.svc\" subset=\"x\"",
        "default-subset \"x\"",
        "route path-prefix=\"/\" {\nto \"b.svc\"\nmirror to=\"a.svc\" subset=\"x\"\n}",
    ] {
        assert_eq!(places("unknown-subset", &two(says)).lines().count(), 1, "{says}");
    }
}

#[test]
fn a_subset_without_endpoints() {
    let subset = "subset \"v1\" { labels { version \"v1\"; }; }\ndefault-subset \"v1\"";
    check(
        "empty-subset",
        &two(subset),
        expect![[r#"
        warning[empty-subset]: no endpoint of `b.svc` belongs to subset `v1`
          9:8 no endpoint has all of its labels
          7:9 the service
          help: give an endpoint all `labels` of the subset, or delete the subset
    "#]],
    );
    quiet("empty-subset", &two("default-subset \"v2\""));
    let found = "service \"a.svc\" {\necs service=\"a\"\nsubset \"v1\" { labels { version \"v1\"; }; }\n}";
    quiet("empty-subset", found);
    let dns = "service \"a.svc\" {\ndns \"a.internal:80\"\nsubset \"v1\" { labels { version \"v1\"; }; }\n}";
    assert_eq!(places("empty-subset", dns), "warning 4:8\n");
}

#[test]
fn providers_that_do_not_exist() {
    let jwt = "jwt-provider \"login\" { jwks-url \"https://idp.example/keys\"; }\n";
    check(
        "unknown-provider",
        &format!("{jwt}{}", two("jwt provider=\"logn\"")),
        expect![[r#"
        error[unknown-provider]: no jwt provider is called `logn`
          10:14 this name stands for nothing
          help: say at the top what `jwt-provider "logn"` is
          help: did you mean `login`?
    "#]],
    );
    quiet("unknown-provider", &format!("{jwt}{}", two("jwt provider=\"login\"")));
    let ca = "certificate-provider \"ca\" { folder \"/certs\"; }\n";
    let tls = "tls {\ncertificate provider=\"ca\"\nclient ca-provider=\"cb\"\n}";
    assert_eq!(places("unknown-provider", &format!("{ca}{}", two(tls))), "error 12:8\n");
}

#[test]
fn tokens_without_a_provider() {
    check(
        "unknown-provider",
        &two("jwt optional=#true"),
        expect![[r#"
        error[unknown-provider]: no provider of tokens is named
          9:1 nobody's tokens would be believed
          help: write `jwt provider="NAME"`, and say at the top what `jwt-provider "NAME"` is
    "#]],
    );
}

#[test]
fn a_wasm_filter_that_does_not_exist() {
    let filter = "wasm-filter \"audit\" file=\"audit.wasm\"\n";
    check(
        "unknown-filter",
        &format!("{filter}{}", two("filter \"audt\"")),
        expect![[r#"
        error[unknown-filter]: no wasm filter is called `audt`
          10:8 this name stands for no module
          help: say at the top what `wasm-filter "audt"` is
          help: did you mean `audit`?
    "#]],
    );
    quiet("unknown-filter", &format!("{filter}{}", two("filter \"audit\"")));
}

#[test]
fn a_name_is_defined_once() {
    let subset = "subset \"v1\" { labels { version \"v1\"; }; }";
    assert_eq!(places("duplicate-name", &two(&format!("{subset}\n{subset}"))), "error 10:8\n");
    quiet("duplicate-name", &two("subset \"v2\" { labels { version \"v2\"; }; }"));
    let filters = "wasm-filter \"audit\" file=\"a.wasm\"\nwasm-filter \"Audit\" file=\"b.wasm\"";
    assert_eq!(places("duplicate-name", filters), "error 3:13\n");
}

#[test]
fn a_gateway_answers_for_a_name_once() {
    let edge = |says: &str| two("") + "\ngateway \"edge\" {\nlisten 8080\n" + says + "\n}\n";
    let host = |name: &str| format!("host \"{name}\" {{ to \"a.svc\"; }}");
    let twice = |one: &str, other: &str| edge(&format!("{}\n{}", host(one), host(other)));
    for (one, other) in [("x.example", "X.example"), ("x.example:8080", "X.example:8080")] {
        assert_eq!(places("duplicate-name", &twice(one, other)), "error 14:6\n", "{one}, {other}");
    }
    quiet("duplicate-name", &twice("x.example", "x.example:8080"));
    quiet("duplicate-name", &twice("x.example:8080", "x.example:8081"));
    // A service is known by its name on every port.
    for name in ["b.svc", "B.svc:8080", "b.svc:9999"] {
        let calls = |calls: &str| edge(&format!("{calls}\n{}", host(name)));
        assert_eq!(places("duplicate-name", &calls("calls \"b.svc\"")), "error 14:6\n", "{name}");
        assert_eq!(places("duplicate-name", &calls("calls \"*\"")), "error 14:6\n", "{name}");
        quiet("duplicate-name", &calls("calls \"a.svc\""));
    }
}

#[test]
fn definitions_that_nobody_uses() {
    let unused = r#"wasm-filter "audit" file="audit.wasm"
jwt-provider "login" { jwks-url "https://idp.example/keys"; }
certificate-provider "ca" { folder "/certs"; }
service "a.svc" {
endpoint "10.0.0.1:80"
subset "all" { labels {}; }
}"#;
    assert_eq!(places("unused-definition", unused), "warning 2:13\nwarning 3:14\nwarning 4:22\nwarning 7:8\n");
    quiet("unused-definition", &two(""));
    let tls = "client-tls { server ca-provider=\"ca\"; }";
    quiet("unused-definition", &format!("certificate-provider \"ca\" {{ folder \"/certs\"; }}\n{}", two(tls)));
}

#[test]
fn unknown_services_are_told_wherever_they_are_named() {
    for says in [
        "mirror to=\"c.svc\"",
        "failover \"c.svc\"",
        "external-auth service=\"c.svc\"",
        "authorization { rule \"allow\" from=\"c.svc\"; }",
        "route path-prefix=\"/\" {\nto \"b.svc\"\nmirror to=\"c.svc\"\n}",
    ] {
        assert_eq!(places("unknown-service", &two(says)).lines().count(), 1, "{says}");
    }
    quiet("unknown-service", &two("mirror to=\"a.svc\"\nfailover \"a.svc\"\nexternal-auth service=\"a.svc\""));
}

#[test]
fn tests_name_nodes_gateways_and_services() {
    let test = |from: &str, to: &str| {
        let request = format!("request from=\"{from}\" url=\"http://b.svc/\"");
        format!("{}\nnode \"web\" calls=\"b.svc\"\ntest \"it\" {{\n{request}\nexpect to=\"{to}\"\n}}", two(""))
    };
    check(
        "unknown-node",
        &test("wep", "b.svc"),
        expect![[r#"
        error[unknown-node]: no node or gateway is called `wep`
          13:14 the request cannot be sent to it
          help: did you mean `web`?
    "#]],
    );
    quiet("unknown-node", &test("web", "b.svc"));
    assert_eq!(places("unknown-service", &test("web", "c.svc")), "error 14:11\n");
}

#[test]
fn a_service_that_nobody_calls() {
    check(
        "unreachable-service",
        &two("}\nnode \"web\" { calls \"b.svc\""),
        expect![[r#"
        warning[unreachable-service]: nobody calls `a.svc`
          2:9 no node, gateway or route leads to it
          help: add `calls "a.svc"` where it is called, or delete it
    "#]],
    );
    quiet("unreachable-service", &two("}\nnode \"web\" { calls \"*\""));
    quiet("unreachable-service", &two("mirror to=\"a.svc\"\n}\nnode \"web\" { calls \"b.svc\""));
}

#[test]
fn services_where_requests_may_begin() {
    quiet("unreachable-service", &two(""));
    quiet("unreachable-service", &two("}\nnode \"a\" {\nserves \"a.svc\"\ncalls \"b.svc\""));
    assert_eq!(
        places("unreachable-service", &two("}\nnode \"a\" serves=\"a.svc\"\nnode \"web\" { calls \"b.svc\"")),
        "warning 2:9\n",
    );
}

#[test]
fn a_node_without_a_task() {
    check(
        "idle-node",
        "node \"web\" zone=\"eu-central-1a\"",
        expect![[r#"
        warning[idle-node]: node `web` serves nothing and calls nothing
          2:6 its sidecar answers 404 to everything
          help: add `serves "SERVICE"` or `calls "SERVICE"`, or delete the node
    "#]],
    );
    quiet("idle-node", "node \"web\" { egress \"listed\" { host \"api.example\"; }; }");
    quiet("idle-node", &two("}\nnode \"web\" { calls \"b.svc\""));
}

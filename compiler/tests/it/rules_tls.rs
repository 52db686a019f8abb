//! Rules about encryption: certificates, both ends of a connection, versions.

use expect_test::expect;

use crate::mesh_findings::{self, MUTUAL, check_rule as check, places, quiet, service, with_ca};

#[test]
fn tls_without_a_certificate_or_an_authority() {
    check(
        "missing-certificate",
        &service("tls mode=\"permissive\""),
        expect![[r#"
        error[missing-certificate]: there is no certificate to accept connections with
          4:1 TLS needs `certificate`
          help: add `certificate provider="NAME"`, or `certificate` with `files`
    "#]],
    );
    check(
        "missing-certificate",
        &with_ca("tls {\ncertificate provider=\"ca\"\nclient subject-alt-name=\"a\"\n}"),
        expect![[r#"
            error[missing-certificate]: callers must show a certificate, and no authority is named
              7:1 any certificate would do, even one that the caller made up
              help: add `ca-provider="NAME"` or `ca-file="…"`
        "#]],
    );
    quiet("missing-certificate", &service("tls mode=\"disabled\""));
}

#[test]
fn a_server_that_is_not_checked() {
    check(
        "unverified-peer",
        &service("client-tls mode=\"strict\""),
        expect![[r#"
        error[unverified-peer]: the server's certificate is not checked
          4:1 any certificate is taken, whoever made it
          help: add `server` with `ca-provider="NAME"` or `ca-file="…"`
    "#]],
    );
    check(
        "unverified-peer",
        &service("client-tls {\nserver subject-alt-name=\"a\"\n}"),
        expect![[r#"
        error[unverified-peer]: the server's certificate is not checked
          5:1 any certificate is taken, whoever made it
          help: add `server` with `ca-provider="NAME"` or `ca-file="…"`
    "#]],
    );
    quiet("unverified-peer", &with_ca("client-tls { server ca-provider=\"ca\"; }"));
    quiet("unverified-peer", &service("client-tls mode=\"disabled\""));
}

#[test]
fn tls_for_a_while() {
    check(
        "permissive-tls",
        &with_ca("tls mode=\"permissive\" {\ncertificate provider=\"ca\"\n}"),
        expect![[r#"
        note[permissive-tls]: connections without encryption pass too
          5:10 for moving services one by one
          help: say `mode="strict"` once every caller encrypts
    "#]],
    );
}

/// A service `a.svc` of which this is said, from line 4 on, and a node that serves it; one that calls it; a provider.
fn two_ends(says: &str, call: &str) -> String {
    let provider = "certificate-provider \"ca\" { folder \"/certs\"; }";
    let caller = format!("node \"web\" {{ calls \"a.svc\" {{ {call}; }}; }}");
    format!("{}\nnode \"a\" serves=\"a.svc\"\n{caller}\n{provider}", service(says))
}

const SERVER: &str = "tls { certificate provider=\"ca\"; }";
const CLIENT: &str = "client-tls { server ca-provider=\"ca\"; }";
const PROVEN: &str = "client-tls { certificate provider=\"ca\"; server ca-provider=\"ca\"; }";

#[test]
fn the_service_requires_encryption_and_its_caller_does_not_encrypt() {
    check(
        "tls-mismatch",
        &two_ends(SERVER, ""),
        expect![[r#"
        error[tls-mismatch]: `a.svc` accepts only encrypted connections, and is called without encryption
          4:1 only encrypted connections are accepted
          7:20 a caller
          help: say `client-tls` with `server`, or `tls mode="permissive"` until every caller encrypts
    "#]],
    );
    check(
        "tls-mismatch",
        &two_ends(&format!("{SERVER}\nclient-tls mode=\"disabled\""), ""),
        expect![[r#"
        error[tls-mismatch]: `a.svc` accepts only encrypted connections, and is called without encryption
          4:1 only encrypted connections are accepted
          5:1 callers do not encrypt
          8:20 a caller
          help: say `client-tls` with `server`, or `tls mode="permissive"` until every caller encrypts
    "#]],
    );
    check(
        "tls-mismatch",
        &two_ends(&format!("{SERVER}\n{CLIENT}"), "client-tls mode=\"disabled\""),
        expect![[r#"
        error[tls-mismatch]: `a.svc` accepts only encrypted connections, and is called without encryption
          8:30 callers do not encrypt
          4:1 only encrypted connections are accepted
          help: say `client-tls` with `server`, or `tls mode="permissive"` until every caller encrypts
    "#]],
    );
}

#[test]
fn the_service_asks_for_a_certificate_and_its_caller_has_none() {
    check(
        "tls-mismatch",
        &two_ends(&format!("{MUTUAL}\n{CLIENT}"), ""),
        expect![[r#"
        error[tls-mismatch]: `a.svc` asks its callers for a certificate, and they show none
          4:34 callers must show a certificate
          5:1 callers have no `certificate`
          8:20 a caller
          help: add `certificate` to `client-tls`
    "#]],
    );
    assert_eq!(places("tls-mismatch", &two_ends(&format!("{MUTUAL}\n{PROVEN}"), CLIENT)), "error 8:30\n");
}

#[test]
fn the_caller_encrypts_and_the_service_does_not() {
    check(
        "tls-mismatch",
        &two_ends(CLIENT, ""),
        expect![[r#"
        error[tls-mismatch]: `a.svc` is called with encryption, and accepts none
          2:9 connections are accepted without encryption
          4:1 callers encrypt
          7:20 a caller
          help: say `tls` with a `certificate`, or `client-tls mode="disabled"`
    "#]],
    );
    check(
        "tls-mismatch",
        &two_ends("", CLIENT),
        expect![[r#"
        error[tls-mismatch]: `a.svc` is called with encryption, and accepts none
          7:30 callers encrypt
          2:9 connections are accepted without encryption
          help: say `tls` with a `certificate`, or `client-tls mode="disabled"`
    "#]],
    );
    quiet("tls-mismatch", &two_ends(&CLIENT.replace("client-tls", "client-tls ports=443"), ""));
}

#[test]
fn two_ends_that_agree_on_encryption() {
    let permissive = |text: &str| text.replace("tls {", "tls mode=\"permissive\" {");
    for (says, call) in [
        (format!("{SERVER}\n{CLIENT}"), ""),
        (format!("{MUTUAL}\n{PROVEN}"), ""),
        (SERVER.to_owned(), CLIENT),
        (format!("{MUTUAL}\n{CLIENT}"), PROVEN),
        (CLIENT.to_owned(), "client-tls mode=\"disabled\""),
        (permissive(SERVER), ""),
        (format!("{}\n{CLIENT}", permissive(MUTUAL)), ""),
        (permissive(CLIENT), ""),
        (format!("{MUTUAL}\n{}", permissive(CLIENT)), ""),
        ("tls mode=\"disabled\"".to_owned(), ""),
    ] {
        assert_eq!(mesh_findings::of("tls-mismatch", &two_ends(&says, call)), "", "{says} {call}");
    }
}

#[test]
fn encryption_towards_services_outside_the_mesh_and_those_that_nobody_calls() {
    let outside = "node \"web\" calls=\"a.svc\"";
    quiet("tls-mismatch", &format!("{}\n{outside}", with_ca(CLIENT)));
    quiet("tls-mismatch", &format!("{}\nnode \"a\" serves=\"a.svc\"", with_ca(SERVER)));
}

#[test]
fn encryption_by_defaults_is_told_once() {
    let services = "service \"a.svc\" { endpoint \"10.0.0.1:80\"; }\nservice \"b.svc\" { endpoint \"10.0.0.2:80\"; }";
    let nodes = "node \"ab\" { serves \"a.svc\" \"b.svc\"; }\nnode \"web\" calls=\"*\"";
    let with = |defaults: &str| {
        let provider = "certificate-provider \"ca\" { folder \"/certs\"; }";
        format!("{provider}\ndefaults {{\n{defaults}\n}}\n{services}\n{nodes}")
    };
    check(
        "tls-mismatch",
        &with(SERVER),
        expect![[r#"
        error[tls-mismatch]: `a.svc` accepts only encrypted connections, and is called without encryption
          4:1 only encrypted connections are accepted
          6:9 the service
          9:18 a caller
          help: say `client-tls` with `server`, or `tls mode="permissive"` until every caller encrypts
    "#]],
    );
    check(
        "tls-mismatch",
        &with(CLIENT),
        expect![[r#"
        error[tls-mismatch]: `a.svc` is called with encryption, and accepts none
          4:1 callers encrypt
          6:9 connections are accepted without encryption
          9:18 a caller
          help: say `tls` with a `certificate`, or `client-tls mode="disabled"`
    "#]],
    );
    quiet("tls-mismatch", &with(&format!("{SERVER}\n{CLIENT}")));
}

#[test]
fn every_way_to_a_service_is_a_call() {
    let with = |caller: &str| {
        let other = "service \"b.svc\" { endpoint \"10.0.0.2:80\"; route path-prefix=\"/a\" { to \"a.svc\"; }; }";
        format!("{}\nnode \"a\" serves=\"a.svc\"\n{other}\n{caller}", with_ca(SERVER))
    };
    quiet("tls-mismatch", &with(""));
    for caller in [
        "node \"web\" calls=\"*\"",
        "node \"web\" calls=\"b.svc\"",
        "gateway \"front\" listen=8080 { calls \"a.svc\"; }",
        "gateway \"front\" listen=8080 { host \"*\" { to \"a.svc\"; }; }",
        "gateway \"front\" listen=8080 { host \"*\" { route path=\"/\" { to \"a.svc\"; }; }; }",
        "gateway \"front\" { listen 8080 protocol=\"tcp\" { to \"a.svc\"; }; }",
    ] {
        assert_eq!(places("tls-mismatch", &with(caller)), "error 5:1\n", "{caller}");
    }
}

#[test]
fn a_call_that_says_how_holds_wherever_the_service_is_reached() {
    let with = |calls: &str| {
        let other = "service \"b.svc\" { endpoint \"10.0.0.2:80\"; route path-prefix=\"/a\" { to \"a.svc\"; }; }";
        format!("{}\nnode \"a\" serves=\"a.svc\"\n{other}\nnode \"web\" {{\n{calls}\n}}", with_ca(SERVER))
    };
    quiet("tls-mismatch", &with(&format!("calls \"b.svc\"\ncalls \"a.svc\" {{ {CLIENT}; }}")));
    quiet("tls-mismatch", &with(&format!("calls \"*\"\ncalls \"a.svc\" {{ {CLIENT}; }}")));
    quiet("tls-mismatch", &with(&format!("calls \"*\" {{ {CLIENT}; }}")));
    assert_eq!(places("tls-mismatch", &with(&format!("calls \"*\" {{ {CLIENT}; }}\ncalls \"a.svc\""))), "error 5:1\n");
    assert_eq!(places("tls-mismatch", &with("calls \"*\" {\nclient-tls mode=\"disabled\"\n}")), "error 11:1\n");
}

#[test]
fn no_version_of_tls_is_left() {
    check(
        "tls-versions",
        &with_ca("tls min-version=\"1.3\" max-version=\"1.2\" {\ncertificate provider=\"ca\"\n}"),
        expect![[r#"
            error[tls-versions]: no version of TLS is left
              5:17 the oldest version that is spoken
              5:35 the newest one
              help: leave out `max-version`
        "#]],
    );
    quiet("tls-versions", &with_ca("tls min-version=\"1.3\" max-version=\"1.3\" {\ncertificate provider=\"ca\"\n}"));
}

/// A gateway with TLS and two hosts, of which the second says this.
fn hosts(listen: &str, says: &str) -> String {
    let own = "certificate { files chain=\"/tls/a.pem\" key=\"/tls/a.key\"; }";
    let hosts = format!("host \"a.example\" {{ {own}; to \"a.svc\"; }}\nhost \"b.example\" {{ {says} to \"a.svc\"; }}");
    format!("{}\ngateway \"g\" {{\nlisten 443 {{ {listen} }}\n{hosts}\n}}", service(""))
}

#[test]
fn a_host_may_have_a_certificate_of_its_own() {
    let own = "certificate { files chain=\"/tls/b.pem\" key=\"/tls/b.key\"; };";
    quiet("missing-certificate", &hosts("tls", own));
    check(
        "missing-certificate",
        &hosts("tls", ""),
        expect![[r#"
        error[missing-certificate]: there is no certificate to accept connections with
          7:14 TLS needs `certificate`
          help: add `certificate provider="NAME"`, or `certificate` with `files`
    "#]],
    );
    check(
        "protocol-mismatch",
        &hosts("", own),
        expect![[r#"
        error[protocol-mismatch]: no listener of gateway `g` speaks TLS
          8:6 nobody ever sees the certificate of this host
          help: add `tls` to a listener, or leave the certificate out
    "#]],
    );
    check(
        "unknown-provider",
        &hosts("tls", "certificate provider=\"nobody\";"),
        expect![[r#"
        error[unknown-provider]: no certificate provider is called `nobody`
          9:32 this name stands for nothing
          help: say at the top what `certificate-provider "nobody"` is
    "#]],
    );
}

#[test]
fn two_services_of_a_node_that_are_asked_for_by_one_name() {
    let mesh = |one: &str, two: &str, certificate: &str| {
        let service = |name: &str, says: &str| {
            let tls = format!("tls {{ certificate {{ files chain=\"/{certificate}\" key=\"/key\"; }}; }}");
            format!("service \"{name}\" {{\nendpoint \"10.0.0.1:80\"\n{tls}\n{says}\n}}\n")
        };
        let other = service("two.svc", two).replace("/chosen", "/other");
        format!("{}{other}node \"both\" {{ serves \"one.svc\" \"two.svc\"; }}", service("one.svc", one))
    };
    let asks = |name: &str| format!("client-tls sni=\"{name}\" {{ server ca-file=\"/ca\"; }}");
    check("tls-mismatch", &mesh(&asks("Two.svc"), "", "chosen"), expect![[r#"
        error[tls-mismatch]: who asks for `Two.svc` does not reach `one.svc`
          5:16 the sidecar of `both` takes it for `two.svc`
          7:9 another service of the same node
          2:9 the service that is called
          help: leave out `sni`, or give each service of the node one of its own
    "#]]);
    check("tls-mismatch", &mesh(&asks("all"), &asks("all"), "chosen"), expect![[r#"
        error[tls-mismatch]: who asks for `all` does not reach `two.svc`
          10:16 the sidecar of `both` takes it for `one.svc`
          2:9 another service of the same node
          7:9 the service that is called
          help: leave out `sni`, or give each service of the node one of its own
    "#]]);
    quiet("tls-mismatch", &mesh(&asks("all"), &asks("all"), "same"));
    quiet("tls-mismatch", &mesh(&asks("one"), &asks("two"), "chosen"));
}

//! Rules about header templates, ids of requests and maintenance; and the same said as annotations.

use std::fmt::Write;

use expect_test::expect;
use meshwright_compiler::{annotation, check as checked, compile};
use policy::sha256;
use spec::{Diagnostics, SourceFile, Sources, Syntax, parse};

use crate::golden::module;
use crate::mesh_findings::{check_rule as check, of, quiet, service};

fn set(value: &str) -> String {
    service(&format!("headers {{ request {{ set \"x-a\" value=\"{value}\"; }}; }}"))
}

#[test]
fn templates_that_cannot_be_read() {
    check(
        "invalid-value",
        &set("{method} {header:}"),
        expect![[r#"
            error[invalid-value]: this is no template
              4:37 `header:` at character 11: a name is expected after the colon
              help: a value is `header:NAME`, `cookie:NAME`, `query:NAME`, or one of `method`, `path`, `authority`, `scheme`, `request-id`, `source-address`, `peer`, `time`, `unix-seconds`, `unix-millis`
        "#]],
    );
    for (template, piece) in [
        ("é{env:HOME}", "`env:HOME` at character 3"),
        ("100%}", "`}` at character 5"),
        ("{path", "`{` at character 1"),
        ("{}", "at character 2"),
    ] {
        assert!(of("invalid-value", &set(template)).contains(piece), "{template}");
    }
    let gateway = "gateway \"front\" {\nlisten 80\nheaders { response { add \"x-a\" value=\"{x}\"; }; }\n}";
    assert!(of("invalid-value", gateway).contains("`x` at character 2"));
}

#[test]
fn templates_that_can_be_read() {
    for template in ["{method} {path}", "100%", "%REQ(x)%", "{{}}", "{header:X-A|{{}", "{query:a b}"] {
        quiet("invalid-value", &set(template));
    }
}

#[test]
fn headers_that_are_nobodys_to_change() {
    check(
        "reserved-header",
        &service(
            "headers {\nrequest { remove \"Host\"; add \"TE\" value=\"a\"; }\nresponse { default \"x-meshwright-a\" value=\"a\"; }\n}",
        ),
        expect![[r#"
            error[reserved-header]: `host` is no header to change
              5:18 HTTP itself needs it at every hop
              help: choose another header
            error[reserved-header]: `te` is no header to change
              5:30 HTTP itself needs it at every hop
              help: choose another header
            error[reserved-header]: `x-meshwright-a` belongs to the mesh
              6:20 others must not set it
              help: choose another header
        "#]],
    );
    quiet("reserved-header", &service("headers { request { remove \"cookie\" \"authorization\"; }; }"));
}

#[test]
fn ids_where_no_id_can_be() {
    check(
        "reserved-header",
        &service("request-id header=\"Cookie\" response-header=\"x-envoy-id\""),
        expect![[r#"
            error[reserved-header]: `cookie` cannot carry an id
              4:19 HTTP, Envoy or the mesh needs it
              help: choose another header
            error[reserved-header]: `x-envoy-id` cannot carry an id
              4:44 HTTP, Envoy or the mesh needs it
              help: choose another header
        "#]],
    );
    quiet("reserved-header", &service("request-id header=\"X-Request-Id\" response-header=\"x-request-id\""));
}

#[test]
fn windows_that_never_are() {
    check(
        "invalid-value",
        &service(
            "maintenance {\nwindow from=\"2026-12-01T12:00:00+01:00\" until=\"2026-12-01T11:00:00Z\"\nweekly from=\"24:00\" until=\"01:00\"\n}",
        ),
        expect![[r#"
            error[invalid-value]: this window is over before it begins
              5:47
              5:13 it begins here
              help: write a later `until`
            error[invalid-value]: no window begins at the end of a day
              6:13
              help: write `from="00:00"` and the day after
        "#]],
    );
    quiet(
        "invalid-value",
        &service("maintenance {\nweekly from=\"23:00\" until=\"01:00\"\nwindow from=\"2026-12-01T12:00:00Z\"\n}"),
    );
}

#[test]
fn secrets_that_everybody_tries() {
    let digest = |text: &str| sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let said = |text: &str| service(&format!("maintenance {{ pass-cookie \"m\" sha256=\"{}\"; }}", digest(text)));
    check(
        "invalid-value",
        &said("true"),
        expect![[r#"
            error[invalid-value]: anybody can guess the value of `m`
              4:38 this is the digest of a word that everybody tries
              help: take the digest of a long random value, as `openssl rand -hex 32` makes it
        "#]],
    );
    quiet("invalid-value", &said("f3a1c8d09e"));
}

#[test]
fn bytes_have_no_headers_ids_and_maintenance() {
    let mut found = String::new();
    for says in ["headers { request { remove \"x-a\"; }; }", "request-id", "maintenance"] {
        let says = format!("protocol \"tcp\"\nport 5432\n{says}");
        let finding = of("protocol-mismatch", &service(&says));
        let _ = writeln!(found, "{}", finding.lines().next().unwrap_or_default());
    }
    expect![[r#"
        error[protocol-mismatch]: a change to headers needs requests, and `a.svc` speaks `tcp`
        error[protocol-mismatch]: a request id needs requests, and `a.svc` speaks `tcp`
        error[protocol-mismatch]: maintenance needs requests, and `a.svc` speaks `tcp`
    "#]]
    .assert_eq(&found);
}

#[test]
fn annotations_say_the_same() {
    let digest = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";
    let blocks = format!(
        r#"
headers {{
    request {{ remove "x-debug"; set "x-called" value="{{method}} {{path}}"; default "x-t" value="none"; }}
    response {{ add "x-served" value="{{time}}"; }}
}}
request-id format="uuid7" header="x-correlation-id" {{ trust-from "10.0.0.0/8"; }}
maintenance {{
    window from="2026-12-01T23:00:00Z"
    weekly from="23:30" until="01:00" {{ day "saturday" "sunday"; }}
    pass-header "x-maintenance" sha256="{digest}"
    retry-after "10m"
    except-path "/status"
}}"#
    );
    let annotations = format!(
        r#"
annotations {{
    "headers.request.remove" "x-debug"
    "headers.request.set.1.name" "x-called"
    "headers.request.set.1.value" "{{method}} {{path}}"
    "headers.request.default.1.name" "x-t"
    "headers.request.default.1.value" "none"
    "headers.response.add.1.name" "x-served"
    "headers.response.add.1.value" "{{time}}"
    "request-id.format" "uuid7"
    "request-id.header" "x-correlation-id"
    "request-id.trust-from" "10.0.0.0/8"
    "maintenance.window.1.from" "2026-12-01T23:00:00Z"
    "maintenance.weekly.1.from" "23:30"
    "maintenance.weekly.1.until" "01:00"
    "maintenance.weekly.1.day" "saturday,sunday"
    "maintenance.pass-header.1.name" "x-maintenance"
    "maintenance.pass-header.1.sha256" "{digest}"
    "maintenance.retry-after" "10m"
    "maintenance.except-path" "/status"
}}"#
    );
    assert_eq!(compiled(&service(&blocks)), compiled(&service(&annotations)));
}

#[track_caller]
fn compiled(text: &str) -> String {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let text = format!("mesh \"shop\" {{\n{text}\nnode \"n\" {{ serves \"a.svc\"; }}\n}}");
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mut mesh = parse(file, Syntax::Kdl, &sources, &mut found).expect("a mesh");
    annotation::apply(&mut mesh, &mut found);
    let mesh = checked(&mesh, &sources, &mut found).unwrap_or_else(|| panic!("{found:?}"));
    let files = compile(&mesh, &module());
    files.into_values().collect()
}

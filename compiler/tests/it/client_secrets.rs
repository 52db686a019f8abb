//! What is found in files of keys and secrets, and what of them reaches Envoy.

use expect_test::{Expect, expect};
use meshwright_compiler::{CheckedMesh, check, report};
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use crate::findings::findings;
use crate::mesh_findings::{places, service};

/// A mesh of one service on one node, of which this is said, with this file.
fn run(says: &str, file: &str) -> (Option<CheckedMesh>, String) {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let text =
        format!("mesh \"shop\" {{\n{}\nnode \"a\" serves=\"a.svc\"\nnode \"b\" calls=\"a.svc\"\n}}", service(says));
    let mesh = sources.add(SourceFile::public("mesh.kdl", text));
    sources.add(SourceFile::secret("secrets".to_owned(), file.to_owned()));
    let mesh = spec::parse(mesh, Syntax::Kdl, &sources, &mut found).expect("a mesh");
    let checked = check(&mesh, &sources, &mut found);
    found.sort();
    let shown = findings(&found, &sources);
    assert!(!shown.contains("hunter2") && !format!("{checked:?}").contains("hunter2"), "{shown}");
    (checked, shown)
}

#[track_caller]
fn finds(says: &str, file: &str, expected: Expect) {
    expected.assert_eq(&run(says, file).1);
}

/// What the report says of policies by this name.
fn engines(policy: &str, says: &str, file: &str) -> String {
    let (checked, shown) = run(says, file);
    let checked = checked.unwrap_or_else(|| panic!("{shown}"));
    let lines = report::report(&checked).into_iter().flat_map(|proxy| proxy.policies);
    let lines = lines.filter(|line| line.policy == policy);
    lines.map(|line| format!("{}: {}\n", line.engine, line.why)).collect()
}

const LONG: &str = "hunter2hunter2hunter2hunter2hunter2";

#[test]
fn every_line_of_a_file_of_keys_that_cannot_be_used_is_named_without_its_key() {
    finds(
        "api-key header=\"x-key\" keys-file=\"secrets\"",
        &format!("# shops\n{LONG}\nshop:{LONG}\nmill:{LONG}\nbank:{{SHA1}}{LONG}\nbakery:hunter2\n"),
        expect![[r#"
            error[invalid-value]: line 2: the line is no `NAME:SECRET`
              2:1
              4:34 the file is named here
              help: write a line `CLIENT:KEY` or `CLIENT:{SHA256}HASH` for each client, and a key of its own
            error[invalid-value]: line 4: `mill` has the key of line 3
              4:1
              4:34 the file is named here
              help: write a line `CLIENT:KEY` or `CLIENT:{SHA256}HASH` for each client, and a key of its own
            error[invalid-value]: line 5: the secret of `bank` begins with a word in braces and is not hashed with `{SHA256}`
              5:1
              4:34 the file is named here
              help: write a line `CLIENT:KEY` or `CLIENT:{SHA256}HASH` for each client, and a key of its own
            warning[weak-key]: line 6: the key of `bakery` is shorter than 16 bytes
              6:1
              4:34 the file is named here
              help: make a key of at least 128 random bits, as `openssl rand -hex 16` does
        "#]],
    );
}

#[test]
fn every_line_of_a_file_of_secrets_that_cannot_be_used_is_named_without_its_secret() {
    finds(
        "hmac-signature secrets-file=\"secrets\"",
        &format!("shop:{LONG}\nshop:{LONG}2\nmill:{{BASE64}}{LONG}!\nbakery:hunter2\n"),
        expect![[r#"
            error[invalid-value]: line 2: `shop` has the id of line 1
              2:1
              4:29 the file is named here
              help: write a line `KEYID:SECRET` or `KEYID:{BASE64}SECRET` for each client, and a secret of its own
            error[invalid-value]: line 3: the secret of `mill` begins with a word in braces and is not followed by base64
              3:1
              4:29 the file is named here
              help: write a line `KEYID:SECRET` or `KEYID:{BASE64}SECRET` for each client, and a secret of its own
            warning[weak-key]: line 4: the secret of `bakery` is shorter than 32 bytes
              4:1
              4:29 the file is named here
              help: make a secret of 256 random bits, as `openssl rand -hex 32` does
        "#]],
    );
}

#[test]
fn a_file_that_names_nobody_is_a_mistake() {
    finds(
        "hmac-signature secrets-file=\"secrets\"",
        "# nobody yet\n",
        expect![[r#"
            error[invalid-value]: `secrets` names nobody: nobody could call
              4:29
              help: write a line `KEYID:SECRET` or `KEYID:{BASE64}SECRET` for each client, and a secret of its own
        "#]],
    );
}

#[test]
fn whoever_may_pass_must_be_in_the_file() {
    let file = format!("shop:{LONG}\n");
    for says in [
        "api-key header=\"x-key\" keys-file=\"secrets\" { client \"shop\" \"mill\"; }",
        "hmac-signature secrets-file=\"secrets\" { client \"shop\" \"mill\"; }",
    ] {
        let (_, shown) = run(says, &file);
        assert!(shown.starts_with("error[invalid-value]: the file has no client `mill`\n"), "{shown}");
        assert_eq!(shown.matches("error").count(), 1, "{shown}");
    }
}

#[test]
fn a_key_stands_somewhere() {
    let text = "mesh \"shop\" { service \"a.svc\" { api-key keys-file=\"k\"; }; }";
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let mesh = sources.add(SourceFile::public("mesh.kdl", text));
    spec::parse(mesh, Syntax::Kdl, &sources, &mut found);
    expect![[r#"
        error[missing-field]: key authentication needs a place where keys stand
          1:33
          help: write `header`, `query` or `cookie`, as in `header="x-api-key"`
    "#]]
    .assert_eq(&findings(&found, &sources));
}

#[test]
fn the_header_of_a_signer_is_no_header_of_others() {
    let says = "hmac-signature secrets-file=\"k\" forward-client-header=\"x-envoy-a\"";
    assert_eq!(places("reserved-header", &service(says)), "error 4:55\n");
}

#[test]
fn a_signature_that_passes_once_is_not_tried_again() {
    let says = |retry: &str, memory: &str| {
        service(&format!("retry attempts=2 {retry}\nhmac-signature secrets-file=\"k\" {memory}"))
    };
    let found = |retry: &str, memory: &str| places("replayed-retry", &says(retry, memory));
    assert_eq!(found("", ""), "warning 4:16\n");
    assert_eq!(found("on=\"connect-failure,reset\"", ""), "warning 4:21\n");
    assert_eq!(found("on=\"connect-failure,refused-stream\"", ""), "");
    assert_eq!(found("", "replay-memory=0"), "");
    let calls = "node \"a\" { calls \"a.svc\" { retry attempts=1; }; }";
    let called = format!("{}\n{calls}", service("hmac-signature secrets-file=\"k\""));
    assert_eq!(places("replayed-retry", &called).lines().count(), 1);
}

#[test]
fn bytes_are_not_signed() {
    let says = "protocol \"tcp\"\nport 80\nhmac-signature secrets-file=\"k\"";
    assert_eq!(places("protocol-mismatch", &service(says)), "error 6:29\n");
}

#[test]
fn the_report_says_who_looks_at_keys_and_why() {
    let file = format!("shop:{LONG}\n");
    let keys = |says: &str| {
        engines("api-key", &format!("api-key header=\"authorization\" keys-file=\"secrets\" {says}"), &file)
    };
    expect![[r#"
        wasm: Envoy's own would have the keys themselves, ours has their hashes
    "#]]
    .assert_eq(&keys(""));
    expect![[r#"
        native: the mesh says so; keys stand in Envoy's configuration as they are
    "#]]
    .assert_eq(&keys("engine=\"native\""));
    expect![[r#"
        wasm: only our filter has `client`
    "#]]
    .assert_eq(&keys("engine=\"native\" client=\"shop\""));
    expect![[r#"
        wasm: only our filter has `scheme`
    "#]]
    .assert_eq(&keys("engine=\"native\" scheme=\"Key\""));
    let hashed = format!("shop:{{SHA256}}{}\n", "0".repeat(64));
    let says = "api-key header=\"x-key\" keys-file=\"secrets\" engine=\"native\"";
    expect![[r#"
        wasm: only our filter has `{SHA256}`
    "#]]
    .assert_eq(&engines("api-key", says, &hashed));
    expect![[r#"
        wasm: Envoy has none
    "#]]
    .assert_eq(&engines("hmac-signature", "hmac-signature secrets-file=\"secrets\"", &file));
}

//! What users can say of rules: on the command line, in comments; and what `rule` tells of them.

use expect_test::{Expect, expect};
use serde_json::Value;

use super::cli::{code, meshwright, text};

/// Two warnings of one rule.
const MESH: &str = r#"mesh "m" {
    service "a" { endpoint "10.0.0.1:80" }
    gateway "back" listen=8081 { calls "a" }
    gateway "front" listen=8080
    gateway "side" listen=8082
}
"#;

/// What `check` finds with these arguments, each by its severity and code, and its exit code.
#[track_caller]
fn check(mesh: &str, arguments: &[&str], expected: Expect) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mesh.kdl"), mesh).expect("it is written");
    let output = meshwright(folder.path(), &[&["check", "mesh.kdl", "--format", "json"], arguments].concat());
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let shown = |list: &str| {
        let findings = report[list].as_array().expect("a list").iter();
        let shown = findings.map(|it| format!("{} {}", it["severity"], it["code"]).replace('"', ""));
        shown.collect::<Vec<_>>().join(", ")
    };
    let allowed = match shown("allowed") {
        none if none.is_empty() => none,
        some => format!("; allowed: {some}"),
    };
    expected.assert_eq(&format!("{}{allowed} ({})", shown("findings"), code(&output)));
}

#[test]
fn the_command_line_weighs_rules() {
    check(MESH, &[], expect!["warning empty-block, warning empty-block (0)"]);
    check(MESH, &["--deny", "empty-block"], expect!["error empty-block, error empty-block (1)"]);
    check(MESH, &["--deny", "warnings"], expect!["error empty-block, error empty-block (1)"]);
    check(MESH, &["--allow", "empty-block"], expect![" (0)"]);
}

#[test]
fn the_mesh_weighs_rules_and_the_command_line_has_the_last_word() {
    let mesh = MESH.replace("    service", "    rules { rule \"empty-block\" level=\"error\" }\n    service");
    check(&mesh, &[], expect!["error empty-block, error empty-block (1)"]);
    check(&mesh, &["--warn", "empty-block"], expect!["warning empty-block, warning empty-block (0)"]);
    let off = mesh.replace("\"error\"", "\"off\" reason=\"drafts\"");
    check(&off, &[], expect![" (0)"]);
}

#[test]
fn the_last_of_several_options_wins() {
    check(
        MESH,
        &["--deny", "warnings", "--warn", "empty-block"],
        expect!["warning empty-block, warning empty-block (0)"],
    );
    check(MESH, &["--warn", "empty-block", "--deny", "warnings"], expect!["error empty-block, error empty-block (1)"]);
    check(
        MESH,
        &["--allow", "empty-block", "--deny", "empty-block"],
        expect!["error empty-block, error empty-block (1)"],
    );
    check(MESH, &["--deny", "empty-block", "--allow", "empty-block"], expect![" (0)"]);
}

#[test]
fn an_error_of_a_rule_can_be_lowered() {
    let route = "endpoint \"10.0.0.1:80\"; route { to \"a\" }; route path=\"/x\" { to \"a\" }";
    let mesh = MESH
        .replace("endpoint \"10.0.0.1:80\"", route)
        .replace("listen=8080", "listen=8080 { calls \"a\" }")
        .replace("listen=8082", "listen=8082 { calls \"a\" }");
    check(&mesh, &[], expect!["error unreachable-route (1)"]);
    check(&mesh, &["--warn", "unreachable-route"], expect!["warning unreachable-route (0)"]);
    check(&mesh, &["--allow", "unreachable-route"], expect![" (0)"]);
}

#[test]
fn comments_allow_findings() {
    let allowed = MESH.replace("8080\n", "8080 // meshwright: allow empty-block: soon\n");
    check(&allowed, &[], expect!["warning empty-block; allowed: warning empty-block (0)"]);
    let unused = MESH.replace("8080\n", "8080 // meshwright: allow unreachable-route: soon\n");
    check(&unused, &["--allow", "empty-block"], expect!["warning unused-suppression (0)"]);
    let unused_beside_a_fault = unused.replace("10.0.0.1:80", "10.0.0.1");
    check(&unused_beside_a_fault, &["--allow", "empty-block"], expect!["error invalid-address (1)"]);
}

#[test]
fn text_says_how_many_findings_are_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mesh = MESH.replace("8080\n", "8080 // meshwright: allow empty-block: soon\n");
    std::fs::write(folder.path().join("mesh.kdl"), mesh).expect("it is written");
    let output = meshwright(folder.path(), &["check", "mesh.kdl"]);
    let findings = text(&output.stderr);
    assert!(findings.ends_with("1 finding allowed in the text\n"), "{findings}");
    assert!(!findings.contains("front"), "{findings}");
}

#[test]
fn compile_refuses_what_is_denied() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mesh.kdl"), MESH).expect("it is written");
    let output = meshwright(folder.path(), &["compile", "mesh.kdl", "-o", "out", "--deny", "empty-block"]);
    assert_eq!(code(&output), 1);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn every_code_is_listed_and_explained() {
    let run = |arguments: &[&str]| text(&meshwright(&std::env::temp_dir(), arguments).stdout);
    let list = run(&["rule"]);
    assert!(!list.contains('\u{1b}'));
    for code in spec::codes::ALL {
        let line = list.lines().find(|line| line.starts_with(&format!("{} ", code.slug))).expect("it is listed");
        assert!(line.ends_with(code.summary), "{line}");
        let page = run(&["rule", code.slug]);
        assert!(page.starts_with(&format!("# {}\n", code.slug)), "{page}");
        assert!(run(&["rule", "--all"]).contains(&page));
    }
    let rules: Value = serde_json::from_str(&run(&["rule", "--format", "json"])).expect("JSON");
    assert_eq!(rules["rules"].as_array().map(Vec::len), Some(spec::codes::ALL.len()));
}

#[test]
fn a_misspelt_code_gets_a_suggestion() {
    let output = meshwright(&std::env::temp_dir(), &["rule", "unreachable-rout"]);
    expect![[r#"
        error: no rule is called `unreachable-rout`; did you mean `unreachable-route`?
    "#]]
    .assert_eq(&text(&output.stderr));
}

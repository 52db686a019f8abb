//! What users are told about their mistakes in YAML.

use expect_test::{Expect, expect};
use meshwright_spec::{Color, Diagnostics, SourceFile, Sources, Syntax, parse, render};

#[track_caller]
fn check(text: &str, expected: Expect) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh.yaml", text));
    let mut diagnostics = Diagnostics::new();
    parse(file, Syntax::Yaml, &sources, &mut diagnostics);
    expected.assert_eq(&render(&diagnostics, &sources, Color::Plain));
}

#[test]
fn a_misspelt_field_is_recognised() {
    check(
        r"mesh: shop
sevrice:
  a.svc: {}
",
        expect![[r#"
    error[unknown-field]: the mesh has no field `sevrice`
     --> mesh.yaml:2:1
      |
    2 | sevrice:
      | ^^^^^^^
      |
      = help: did you mean `service`?

"#]],
    );
}

#[test]
fn a_number_is_no_duration() {
    check(
        r"mesh: shop
defaults: {timeout: 15}
",
        expect![[r#"
    error[wrong-type]: expected a duration such as `15s`, found the number `15`
     --> mesh.yaml:2:21
      |
    2 | defaults: {timeout: 15}
      |                     ^^

"#]],
    );
}

#[test]
fn a_key_said_twice_names_both_places() {
    check(
        r"mesh: shop
service:
  a.svc: {timeout: 1s}
  a.svc: {timeout: 2s}
",
        expect![[r#"
    error[duplicate-field]: `a.svc` is said twice
     --> mesh.yaml:4:3
      |
    3 |   a.svc: {timeout: 1s}
      |   ----- first here
    4 |   a.svc: {timeout: 2s}
      |   ^^^^^ again here

"#]],
    );
}

#[test]
fn a_list_is_not_one_thing() {
    check(
        r"mesh: shop
service:
  a.svc:
    retry:
      - attempts: 1
",
        expect![[r#"
    error[wrong-type]: `retry` is one thing, found a list
     --> mesh.yaml:5:9
      |
    5 |       - attempts: 1
      |         ^^^^^^^^
      |
      = help: write `retry:` with the one value, without `-` or brackets

"#]],
    );
}

#[test]
fn nothing_is_no_duration() {
    check(
        r"mesh: shop
defaults:
  timeout:
",
        expect![[r#"
    error[wrong-type]: expected a duration such as `15s`, found no value
     --> mesh.yaml:3:3
      |
    3 |   timeout:
      |   ^^^^^^^

"#]],
    );
}

#[test]
fn an_open_bracket_is_named() {
    check(
        r"mesh: shop
node: [
",
        expect![[r#"
    error[syntax]: unclosed bracket '['
     --> mesh.yaml:2:7
      |
    2 | node: [
      |       ^

"#]],
    );
}

#[test]
fn a_tab_does_not_indent() {
    check(
        r"mesh: shop
node:
	alpha:
",
        expect![[r#"
    error[syntax]: tabs disallowed within this context (block indentation)
     --> mesh.yaml:3:2
      |
    3 |     alpha:
      |     ^

"#]],
    );
}

#[test]
fn an_unknown_alias_is_named() {
    check(
        r"mesh: shop
node: *nodes
",
        expect![[r#"
    error[syntax]: no anchor `&nodes` stands before this alias
     --> mesh.yaml:2:7
      |
    2 | node: *nodes
      |       ^^^^^^

"#]],
    );
}

#[test]
fn a_tag_is_refused() {
    check(
        r"mesh: !Sub shop
",
        expect![[r#"
    error[syntax]: the tag `!Sub` has no meaning here
     --> mesh.yaml:1:12
      |
    1 | mesh: !Sub shop
      |            ^^^^
      |
      = help: leave the tag out

"#]],
    );
}

#[test]
fn the_file_is_a_mapping() {
    check(
        r"- mesh: shop
",
        expect![[r#"
    error[wrong-type]: the file is not a mapping
     --> mesh.yaml:1:1
      |
    1 | - mesh: shop
      | ^
      |
      = help: begin with `mesh: NAME`

"#]],
    );
}

#[test]
fn one_mesh_a_file() {
    check(
        r"mesh: shop
---
mesh: other
",
        expect![[r#"
    error[syntax]: the file has more than one document
     --> mesh.yaml:2:1
      |
    2 | ---
      | ^^^

"#]],
    );
}

#[test]
fn an_endpoint_is_an_address() {
    check(
        r"mesh: shop
service:
  a.svc:
    endpoint: [10.0.0.1]
",
        expect![[r#"
    error[invalid-address]: `10.0.0.1` is not an address
     --> mesh.yaml:4:16
      |
    4 |     endpoint: [10.0.0.1]
      |                ^^^^^^^^
      |
      = help: write an IP address and a port, as in `10.0.0.1:8080` or `[fd00::1]:8080`

"#]],
    );
}

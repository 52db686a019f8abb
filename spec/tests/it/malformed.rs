//! What users are told about their mistakes.

use expect_test::{Expect, expect};
use meshwright_spec::{Color, Diagnostics, SourceFile, Sources, Syntax, parse, render};

#[track_caller]
fn kdl(text: &str, expected: Expect) {
    check(text, "mesh.kdl", Syntax::Kdl, expected);
}

#[track_caller]
fn yaml(text: &str, expected: Expect) {
    check(text, "mesh.yaml", Syntax::Yaml, expected);
}

#[track_caller]
fn check(text: &str, name: &str, syntax: Syntax, expected: Expect) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public(name, text));
    let mut diagnostics = Diagnostics::new();
    parse(file, syntax, &sources, &mut diagnostics);
    expected.assert_eq(&render(&diagnostics, &sources, Color::Plain));
}

#[test]
fn a_misspelt_field_is_recognised() {
    kdl(r#"mesh "shop" {
    service "a.svc" {
        endpont "10.0.0.1:80"
    }
}
"#, expect![[""]]);
}

#[test]
fn a_field_unlike_any_other_gets_the_list() {
    kdl(r#"mesh "shop" {
    defaults { frobnicate 1 }
}
"#, expect![[""]]);
}

#[test]
fn a_field_said_twice_names_both_places() {
    kdl(r#"mesh "shop" {
    defaults {
        timeout "1s"
        timeout "2s"
    }
}
"#, expect![[""]]);
}

#[test]
fn a_property_said_twice_names_both_places() {
    kdl(r#"mesh "shop" {
    service "a.svc" { health-check port=1 port=2 }
}
"#, expect![[""]]);
}

#[test]
fn a_duration_says_what_it_found() {
    kdl(r#"mesh "shop" {
    defaults { timeout "15 seconds" }
}
"#, expect![[""]]);
}

#[test]
fn a_duration_is_not_a_number() {
    kdl(r#"mesh "shop" {
    defaults { timeout 15 }
}
"#, expect![[""]]);
}

#[test]
fn a_duration_without_quotes_is_explained() {
    kdl(r#"mesh "shop" {
    defaults { timeout 15s }
}
"#, expect![[""]]);
}

#[test]
fn a_keyword_without_its_sign_is_explained() {
    kdl(r#"mesh "shop" {
    service "a.svc" {
        route { header "x" present=true; to "b.svc" }
    }
}
"#, expect![[""]]);
}

#[test]
fn every_mistake_is_reported_in_the_order_of_the_text() {
    kdl(r#"mesh "shop" {
    service "a b" {
        endpoint "localhost:80" weight=0
        retry on="gateway-err" attempts=0
        route path="admin" { to }
        fault { delay "50ms"; abort 99 percent=200 }
    }
}
"#, expect![[""]]);
}

#[test]
fn a_gateway_needs_a_port() {
    kdl(r#"mesh "shop" {
    gateway "front" { host "shop.example:80" { to "a.svc" } }
}
"#, expect![[""]]);
}

#[test]
fn a_block_that_does_not_end_is_named() {
    kdl(r#"mesh "shop" {
    service "a.svc" {
}
"#, expect![[""]]);
}

#[test]
fn a_brace_too_many_is_named() {
    kdl(r#"mesh "shop" {
}
}
"#, expect![[""]]);
}

#[test]
fn a_string_that_does_not_end_costs_one_line() {
    kdl(r#"mesh "shop" {
    service "a.svc
    defaults { timeut "1s" }
}
"#, expect![[""]]);
}

#[test]
fn a_comment_that_does_not_end_is_named() {
    kdl(r#"mesh "shop" /* the shop
"#, expect![[""]]);
}

#[test]
fn a_block_needs_a_name() {
    kdl(r#"mesh "shop" {
    { timeout "1s" }
}
"#, expect![[""]]);
}

#[test]
fn a_type_annotation_is_refused() {
    kdl(r#"mesh "shop" {
    gateway "front" listen=(u8)80
}
"#, expect![[""]]);
}

#[test]
fn a_rule_needs_a_header() {
    kdl(r#"mesh "shop" {
    service "a.svc" { header-routing { rule to="b.svc" } }
}
"#, expect![[""]]);
}

#[test]
fn a_star_stands_alone() {
    kdl(r#"mesh "shop" {
    node "n" { calls "*" "a.svc" }
}
"#, expect![[""]]);
}

#[test]
fn a_header_is_compared_in_one_way() {
    kdl(r#"mesh "shop" {
    service "a.svc" { route { header "x" exact="1" prefix="2"; to "b.svc" } }
}
"#, expect![[""]]);
}

#[test]
fn nothing_is_no_mesh() {
    kdl(r"", expect![[""]]);
}

#[test]
fn yaml_a_misspelt_field_is_recognised() {
    yaml(r"mesh: shop
sevrice:
  a.svc: {}
", expect![[""]]);
}

#[test]
fn yaml_a_number_is_no_duration() {
    yaml(r"mesh: shop
defaults: {timeout: 15}
", expect![[""]]);
}

#[test]
fn yaml_a_key_said_twice_names_both_places() {
    yaml(r"mesh: shop
service:
  a.svc: {timeout: 1s}
  a.svc: {timeout: 2s}
", expect![[""]]);
}

#[test]
fn yaml_a_list_is_not_one_thing() {
    yaml(r"mesh: shop
service:
  a.svc:
    retry:
      - attempts: 1
", expect![[""]]);
}

#[test]
fn yaml_nothing_is_no_duration() {
    yaml(r"mesh: shop
defaults:
  timeout:
", expect![[""]]);
}

#[test]
fn yaml_an_open_bracket_is_named() {
    yaml(r"mesh: shop
node: [
", expect![[""]]);
}

#[test]
fn yaml_a_tab_does_not_indent() {
    yaml(r"mesh: shop
node:
	alpha:
", expect![[""]]);
}

#[test]
fn yaml_an_unknown_alias_is_named() {
    yaml(r"mesh: shop
node: *nodes
", expect![[""]]);
}

#[test]
fn yaml_a_tag_is_refused() {
    yaml(r"mesh: !Sub shop
", expect![[""]]);
}

#[test]
fn yaml_the_file_is_a_mapping() {
    yaml(r"- mesh: shop
", expect![[""]]);
}

#[test]
fn yaml_one_mesh_a_file() {
    yaml(r"mesh: shop
---
mesh: other
", expect![[""]]);
}

#[test]
fn yaml_an_endpoint_is_an_address() {
    yaml(r"mesh: shop
service:
  a.svc:
    endpoint: [10.0.0.1]
", expect![[""]]);
}

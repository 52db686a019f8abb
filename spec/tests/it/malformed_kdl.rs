//! What users are told about their mistakes in KDL.

use expect_test::{Expect, expect};
use meshwright_spec::{Color, Diagnostics, SourceFile, Sources, Syntax, parse, render};

#[track_caller]
fn check(text: &str, expected: Expect) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mut diagnostics = Diagnostics::new();
    parse(file, Syntax::Kdl, &sources, &mut diagnostics);
    expected.assert_eq(&render(&diagnostics, &sources, Color::Plain));
}

#[test]
fn a_misspelt_field_is_recognised() {
    check(
        r#"mesh "shop" {
    service "a.svc" {
        endpont "10.0.0.1:80"
    }
}
"#,
        expect![[r#"
    error[unknown-field]: a service has no field `endpont`
     --> mesh.kdl:3:9
      |
    3 |         endpont "10.0.0.1:80"
      |         ^^^^^^^
      |
      = help: did you mean `endpoint`?

"#]],
    );
}

#[test]
fn a_field_unlike_any_other_gets_the_list() {
    check(
        r#"mesh "shop" {
    defaults { frobnicate 1 }
}
"#,
        expect![[r#"
            error[unknown-field]: a defaults block has no field `frobnicate`
             --> mesh.kdl:2:16
              |
            2 |     defaults { frobnicate 1 }
              |                ^^^^^^^^^^
              |
              = help: it can have `timeout`, `idle-timeout`, `access-log`, `tracing`, `stats`, `retry`, `circuit-breaker`, `connection-pool`, `outlier-detection`, `health-check`, `load-balancing`, `tls`, `client-tls`, `authorization`, `egress`

        "#]],
    );
}

#[test]
fn quotes_that_are_wrong_are_told() {
    check(
        r#"mesh "shop" {
    gateway "front" {
        listen "8080"
        host "a.example" {
            route case-sensitive="true" { respond 200; }
        }
    }
    defaults { tls min-version=1.3; }
}
"#,
        expect![[r#"
            error[wrong-type]: expected a port such as `8080`, found the text `8080`
             --> mesh.kdl:3:16
              |
            3 |         listen "8080"
              |                ^^^^^^
              |
              = help: write the number without quotes

            error[wrong-type]: expected a boolean, found the text `true`
             --> mesh.kdl:5:34
              |
            5 |             route case-sensitive="true" { respond 200; }
              |                                  ^^^^^^
              |
              = help: write `#true` or `#false` in KDL, `true` or `false` in YAML

            error[wrong-type]: expected `1.2`, `1.3`, found the number `1.3`
             --> mesh.kdl:8:32
              |
            8 |     defaults { tls min-version=1.3; }
              |                                ^^^
              |
              = help: write it in quotes

        "#]],
    );
}

#[test]
fn what_says_nothing_is_told_in_whole_sentences() {
    check(
        "mesh \"shop\" {\n    service \"a\" { cors; route path=\"/\"; inbound color=1; }\n}\n",
        expect![[r#"
            error[empty-block]: a set of cross-origin rules that says nothing
             --> mesh.kdl:2:19
              |
            2 |     service "a" { cors; route path="/"; inbound color=1; }
              |                   ^^^^
              |
              = help: write at least one of `allow-origin`, `allow-origin-regex`, `allow-method`, `allow-header`, `expose-header`, `allow-credentials` and `max-age`

            error[missing-field]: a route needs an outcome
             --> mesh.kdl:2:25
              |
            2 |     service "a" { cors; route path="/"; inbound color=1; }
              |                         ^^^^^
              |
              = help: write one of `to`, `redirect` and `respond`

            error[unknown-field]: a set of inbound limits has no field `color`
             --> mesh.kdl:2:49
              |
            2 |     service "a" { cors; route path="/"; inbound color=1; }
              |                                                 ^^^^^
              |
              = help: it can have `timeout`, `idle-timeout`, `max-connections`, `max-pending`, `max-requests`, `max-request-bytes`

        "#]],
    );
}

#[test]
fn a_field_said_twice_names_both_places() {
    check(
        r#"mesh "shop" {
    defaults {
        timeout "1s"
        timeout "2s"
    }
}
"#,
        expect![[r#"
    error[duplicate-field]: `timeout` is said twice
     --> mesh.kdl:4:9
      |
    3 |         timeout "1s"
      |         ------- first here
    4 |         timeout "2s"
      |         ^^^^^^^ again here

"#]],
    );
}

#[test]
fn a_property_said_twice_names_both_places() {
    check(
        r#"mesh "shop" {
    service "a.svc" { health-check port=1 port=2 }
}
"#,
        expect![[r#"
    error[duplicate-field]: `port` is said twice
     --> mesh.kdl:2:43
      |
    2 |     service "a.svc" { health-check port=1 port=2 }
      |                                    ----   ^^^^ again here
      |                                    |
      |                                    first here

"#]],
    );
}

#[test]
fn a_duration_says_what_it_found() {
    check(
        r#"mesh "shop" {
    defaults { timeout "15 seconds" }
}
"#,
        expect![[r#"
    error[wrong-type]: expected a duration such as `15s`, found `15 seconds`
     --> mesh.kdl:2:24
      |
    2 |     defaults { timeout "15 seconds" }
      |                        ^^^^^^^^^^^^

"#]],
    );
}

#[test]
fn a_duration_is_not_a_number() {
    check(
        r#"mesh "shop" {
    defaults { timeout 15 }
}
"#,
        expect![[r#"
    error[wrong-type]: expected a duration such as `15s`, found the number `15`
     --> mesh.kdl:2:24
      |
    2 |     defaults { timeout 15 }
      |                        ^^

"#]],
    );
}

#[test]
fn a_duration_without_quotes_is_explained() {
    check(
        r#"mesh "shop" {
    defaults { timeout 15s }
}
"#,
        expect![[r#"
    error[syntax]: `15s` is neither a number nor text in quotes
     --> mesh.kdl:2:24
      |
    2 |     defaults { timeout 15s }
      |                        ^^^
      |
      = help: text that begins with a digit needs quotes: `"15s"`

"#]],
    );
}

#[test]
fn a_keyword_without_its_sign_is_explained() {
    check(
        r#"mesh "shop" {
    service "a.svc" {
        route { header "x" present=true; to "b.svc" }
    }
}
"#,
        expect![[r#"
    error[syntax]: `true` is a keyword without its `#`
     --> mesh.kdl:3:36
      |
    3 |         route { header "x" present=true; to "b.svc" }
      |                                    ^^^^
      |
      = help: write `#true`, or `"true"` for the text

"#]],
    );
}

#[test]
fn every_mistake_is_reported_in_the_order_of_the_text() {
    check(
        r#"mesh "shop" {
    service "a b" {
        endpoint "localhost:80" weight=0
        retry on="gateway-err" attempts=0
        route path="admin" { to }
        fault { delay "50ms"; abort 99 percent=200 }
    }
}
"#,
        expect![[r#"
            error[invalid-name]: `a b` cannot be a name here
             --> mesh.kdl:2:13
              |
            2 |     service "a b" {
              |             ^^^^^
              |
              = help: a name has ASCII letters, digits, `.`, `_` and `-`, at most 253; a letter or digit is first and last

            error[invalid-address]: `localhost:80` is not an address
             --> mesh.kdl:3:18
              |
            3 |         endpoint "localhost:80" weight=0
              |                  ^^^^^^^^^^^^^^
              |
              = help: write an IP address and a port, as in `10.0.0.1:8080` or `[fd00::1]:8080`

            error[invalid-value]: `0` is not between 1 and 128
             --> mesh.kdl:3:40
              |
            3 |         endpoint "localhost:80" weight=0
              |                                        ^

            error[invalid-value]: `gateway-err` is no retry condition
             --> mesh.kdl:4:18
              |
            4 |         retry on="gateway-err" attempts=0
              |                  ^^^^^^^^^^^^^
              |
              = help: did you mean `gateway-error`?

            error[invalid-value]: `0` is less than 1
             --> mesh.kdl:4:41
              |
            4 |         retry on="gateway-err" attempts=0
              |                                         ^

            error[invalid-value]: `admin` is not a path
             --> mesh.kdl:5:20
              |
            5 |         route path="admin" { to }
              |                    ^^^^^^^
              |
              = help: a path begins with `/`

            error[missing-field]: a target needs a name
             --> mesh.kdl:5:30
              |
            5 |         route path="admin" { to }
              |                              ^^

            error[missing-field]: a delay needs `percent`: a share such as `15` or `0.5`
             --> mesh.kdl:6:17
              |
            6 |         fault { delay "50ms"; abort 99 percent=200 }
              |                 ^^^^^

            error[invalid-value]: `99` is not between 200 and 599
             --> mesh.kdl:6:37
              |
            6 |         fault { delay "50ms"; abort 99 percent=200 }
              |                                     ^^

            error[invalid-value]: `200` is not a share
             --> mesh.kdl:6:48
              |
            6 |         fault { delay "50ms"; abort 99 percent=200 }
              |                                                ^^^
              |
              = help: write 0 to 100 with at most four decimals, as in `12.5`

        "#]],
    );
}

#[test]
fn a_gateway_needs_a_port() {
    check(
        r#"mesh "shop" {
    gateway "front" { host "shop.example:80" { to "a.svc" } }
}
"#,
        expect![[r#"
            error[missing-field]: a gateway needs `listen`: a port such as `8080`
             --> mesh.kdl:2:13
              |
            2 |     gateway "front" { host "shop.example:80" { to "a.svc" } }
              |             ^^^^^^^

        "#]],
    );
}

#[test]
fn a_block_that_does_not_end_is_named() {
    check(
        r#"mesh "shop" {
    service "a.svc" {
}
"#,
        expect![[r#"
    error[syntax]: this `{` is never closed
     --> mesh.kdl:1:13
      |
    1 | mesh "shop" {
      |             ^
      |
      = help: write `}` where the block ends

"#]],
    );
}

#[test]
fn a_brace_too_many_is_named() {
    check(
        r#"mesh "shop" {
}
}
"#,
        expect![[r#"
    error[syntax]: this `}` closes nothing
     --> mesh.kdl:3:1
      |
    3 | }
      | ^

"#]],
    );
}

#[test]
fn a_string_that_does_not_end_costs_one_line() {
    check(
        r#"mesh "shop" {
    service "a.svc
    defaults { timeut "1s" }
}
"#,
        expect![[r#"
    error[syntax]: this string does not end on its line
     --> mesh.kdl:2:13
      |
    2 |     service "a.svc
      |             ^^^^^^
      |
      = help: write the closing quote, or `"""` before and after text of several lines

    error[unknown-field]: a defaults block has no field `timeut`
     --> mesh.kdl:3:16
      |
    3 |     defaults { timeut "1s" }
      |                ^^^^^^
      |
      = help: did you mean `timeout`?

"#]],
    );
}

#[test]
fn a_comment_that_does_not_end_is_named() {
    check(
        r#"mesh "shop" /* the shop
"#,
        expect![[r#"
            error[syntax]: this comment is never closed
             --> mesh.kdl:1:13
              |
            1 | mesh "shop" /* the shop
              |             ^^

        "#]],
    );
}

#[test]
fn a_block_needs_a_name() {
    check(
        r#"mesh "shop" {
    { timeout "1s" }
}
"#,
        expect![[r#"
    error[syntax]: this block has no name
     --> mesh.kdl:2:5
      |
    2 |     { timeout "1s" }
      |     ^
      |
      = help: write the name before `{`, on the same line

"#]],
    );
}

#[test]
fn a_type_annotation_is_refused() {
    check(
        r#"mesh "shop" {
    gateway "front" listen=(u8)80
}
"#,
        expect![[r#"
    error[syntax]: the type annotation `(u8)` has no meaning here
     --> mesh.kdl:2:32
      |
    2 |     gateway "front" listen=(u8)80
      |                                ^^
      |
      = help: leave the annotation out

"#]],
    );
}

#[test]
fn a_rule_needs_a_condition() {
    check(
        r#"mesh "shop" {
    service "a.svc" { header-routing { rule to="b.svc" } }
}
"#,
        expect![[r#"
            error[missing-field]: this rule would take every request: it has no condition
             --> mesh.kdl:2:40
              |
            2 |     service "a.svc" { header-routing { rule to="b.svc" } }
              |                                        ^^^^
              |
              = help: write `header "x-canary" exact="on"` in it, or `percent 10`

        "#]],
    );
}

#[test]
fn a_star_can_stand_beside_names_that_say_more() {
    check(
        r#"mesh "shop" {
    node "n" { calls "*" "a.svc" }
}
"#,
        expect![""],
    );
}

#[test]
fn a_header_is_compared_in_one_way() {
    check(
        r#"mesh "shop" {
    service "a.svc" { route { header "x" exact="1" prefix="2"; to "b.svc" } }
}
"#,
        expect![[r#"
            error[invalid-value]: a header match has one comparison, not several
             --> mesh.kdl:2:52
              |
            2 |     service "a.svc" { route { header "x" exact="1" prefix="2"; to "b.svc" } }
              |                                          -----     ^^^^^^
              |                                          |
              |                                          another one, here
              |
              = help: write one of `exact`, `prefix`, `suffix`, `contains`, `regex`, `range` and `present`

        "#]],
    );
}

#[test]
fn nothing_is_no_mesh() {
    check(
        r"",
        expect![[r#"
        error[missing-field]: the file has no mesh
         --> mesh.kdl:1:1
          |
        1 |
          | ^
          |
          = help: write `mesh "NAME" { }` in KDL, `mesh: NAME` in YAML

    "#]],
    );
}

#[test]
fn a_place_is_made_of_whole_characters() {
    check(
        "mesh \"m\" {\n}é \"x\"\n",
        expect![[r#"
        error[syntax]: a new node begins here
         --> mesh.kdl:2:2
          |
        2 | }é "x"
          |  ^
          |
          = help: write it on a new line, or write `;` before it

        error[unknown-field]: the mesh has no field `é`
         --> mesh.kdl:2:2
          |
        2 | }é "x"
          |  ^
          |
          = help: it can have `name`, `variables`, `include`, `trust-domain`, `rules`, `defaults`, `certificate-provider`, `jwt-provider`, `wasm-filter`, `ecs`, `service`, `node`, `gateway`, `envoy-overlay`, `test`

    "#]],
    );
}

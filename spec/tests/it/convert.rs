//! Converting changes how a mesh is written, never what it says.

use expect_test::{Expect, expect};
use meshwright_spec::{Color, Diagnostics, SourceFile, Sources, Syntax, convert, print, render};
use proptest::prelude::*;

use crate::generate;
use crate::round_trip::read;

fn converted(text: &str, from: Syntax, to: Syntax) -> (Option<String>, String) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut diagnostics = Diagnostics::new();
    let result = convert(file, from, to, &sources, &mut diagnostics);
    (result, render(&diagnostics, &sources, Color::Plain))
}

#[track_caller]
fn check(from: Syntax, text: &str, expected: Expect) {
    let to = if from == Syntax::Kdl { Syntax::Yaml } else { Syntax::Kdl };
    let (result, report) = converted(text, from, to);
    expected.assert_eq(&format!("{}{report}", result.unwrap_or_default()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn what_is_converted_says_the_same(document in prop_oneof![generate::document(), generate::changed_document()]) {
        let yaml = generate::yaml(&document);
        let Ok(mesh) = read(&yaml, Syntax::Yaml) else { return Ok(()) };
        let kdl = print(&mesh, Syntax::Kdl);
        for (text, from) in [(&yaml, Syntax::Yaml), (&kdl, Syntax::Kdl)] {
            for to in [Syntax::Kdl, Syntax::Yaml] {
                let (result, report) = converted(text, from, to);
                let result = result.ok_or_else(|| TestCaseError::fail(format!("{report}\n{text}")))?;
                let again = read(&result, to).map_err(|report| TestCaseError::fail(format!("{report}\n{text}")))?;
                prop_assert_eq!(&again, &mesh, "{}\n{}", text, result);
                let (twice, _) = converted(&result, to, to);
                prop_assert_eq!(twice, Some(result));
            }
        }
    }
}

#[test]
fn every_accepted_form_becomes_the_one_that_is_printed() {
    check(
        Syntax::Yaml,
        "{mesh: {name: m, gateway: {front: {calls: [b, {service: c, timeout: 1s}], listen: 0x50}}, \
         service: [{name: a, retry: {on: 'reset, 5xx', attempts: 2}, annotations: {n: 1.50}}, b], \
         node: {x: {serves: a, bind: 10.0.0.1}}}}",
        expect![[r#"
            mesh "m" {
                service "a" {
                    retry attempts=2 {
                        on "reset" "5xx"
                    }
                    annotations {
                        n "1.50"
                    }
                }

                service "b"

                node "x" {
                    bind "10.0.0.1"
                    serves "a"
                }

                gateway "front" {
                    listen 80
                    calls "b"
                    calls "c" {
                        timeout "1s"
                    }
                }
            }
        "#]],
    );
    check(
        Syntax::Kdl,
        "mesh \"m\" { service \"a\" \"b\"; node \"x\" { calls \"a\" \"b\"; }
         service \"c\" port=8_080 { retry attempts=0b10; annotations { k 0x10; l #true; }; }; }",
        expect![[r#"
            mesh: m
            service:
              a: {}
              b: {}
              c:
                port: 8080
                retry:
                  attempts: 2
                annotations:
                  k: "0x10"
                  l: "true"
            node:
              x:
                calls:
                  - a
                  - b
        "#]],
    );
}

#[test]
fn variables_and_includes_stay_as_they_are() {
    check(
        Syntax::Yaml,
        "mesh: m\nvariables: {p: 80}\ninclude: [b.yaml]\n\
         service: {'${name}': {port: '${p}', timeout: '${elsewhere}', route: {path: '/$${x}', to: '${name}'}}}\n",
        expect![[r#"
            mesh "m" {
                variables {
                    p "80"
                }

                include "b.yaml"

                service "${name}" {
                    port "${p}"
                    timeout "${elsewhere}"
                    route path="/$${x}" {
                        to "${name}"
                    }
                }
            }
        "#]],
    );
}

#[test]
fn lost_comments_are_counted() {
    check(
        Syntax::Kdl,
        "// one\nmesh \"m\" /* two */ {\n    service \"a\" // three\n}\n",
        expect![[r#"
            mesh: m
            service:
              - a
            warning[not-mapped]: 3 comments are not carried over
             --> mesh:1:1
              |
            1 | // one
              | ^^^^^^

        "#]],
    );
}

#[test]
fn nothing_is_converted_that_has_errors() {
    check(
        Syntax::Yaml,
        "{mesh: m, service: {a: {prot: 80}}}",
        expect![[r#"
            error[unknown-field]: a service has no field `prot`
             --> mesh:1:25
              |
            1 | {mesh: m, service: {a: {prot: 80}}}
              |                         ^^^^
              |
              = help: did you mean `port`?

        "#]],
    );
}

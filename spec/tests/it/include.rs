//! A mesh in several files: each is read once, none from outside the folder, and variables reach them all.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use meshwright_spec::load::{FileError, Files, load};
use meshwright_spec::{Color, Diagnostics, Sources, Syntax, Variables, print, render};

/// Files by path.
struct Folder<'a>(BTreeMap<&'a str, &'a str>);

impl Files for Folder<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let text = self.0.get(path).ok_or_else(|| FileError::new(path, "no such file"))?;
        Ok(text.as_bytes().to_vec())
    }
}

/// Loads `shop/mesh.kdl` out of these files, and gives the report and the mesh as KDL.
#[track_caller]
fn check(files: &[(&str, &str)], expected: Expect) {
    check_with(files, Variables::default(), expected);
}

#[track_caller]
fn check_with(files: &[(&str, &str)], variables: Variables, expected: Expect) {
    let folder = Folder(files.iter().copied().collect());
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let loaded = load("shop/mesh.kdl", Syntax::Kdl, variables, &folder, &mut sources, &mut found);
    let mesh = loaded.mesh.map_or_else(|| "no mesh\n".to_owned(), |mesh| print(&mesh, Syntax::Kdl));
    let mesh = if found.has_errors() { String::new() } else { mesh };
    expected.assert_eq(&format!("{}{mesh}", render(&found, &sources, Color::Plain)));
}

#[test]
fn what_is_included_stands_where_the_rest_stands_whatever_its_syntax() {
    check(
        &[
            ("shop/mesh.kdl", "mesh \"shop\" { include \"services/beta.yaml\" \"gamma.kdl\"\n service \"alpha\" }"),
            ("shop/services/beta.yaml", "include: more.kdl\nservice:\n  beta: {timeout: 2s}\n"),
            ("shop/services/more.kdl", "service \"delta\"\n"),
            ("shop/gamma.kdl", "service \"gamma\"\nnode \"g\" serves=\"gamma\"\n"),
        ],
        expect![[r#"
            mesh "shop" {
                service "alpha"

                service "beta" {
                    timeout "2s"
                }

                service "delta"

                service "gamma"

                node "g" {
                    serves "gamma"
                }
            }
        "#]],
    );
}

#[test]
fn a_circle_of_inclusions_ends_and_names_both_places() {
    check(
        &[
            ("shop/mesh.kdl", "mesh \"shop\" {\n include \"a.kdl\"\n}"),
            ("shop/a.kdl", "include \"b.kdl\""),
            ("shop/b.kdl", "include \"a.kdl\" \"mesh.kdl\""),
        ],
        expect![[r#"
            error[include-loop]: `shop/a.kdl` is part of this mesh already
             --> shop/b.kdl:1:9
              |
            1 | include "a.kdl" "mesh.kdl"
              |         ^^^^^^^
              |
             ::: shop/mesh.kdl:2:10
              |
            2 |  include "a.kdl"
              |          ------- it is included here
              |
              = help: include each file once

            error[include-loop]: `shop/mesh.kdl` is part of this mesh already
             --> shop/b.kdl:1:17
              |
            1 | include "a.kdl" "mesh.kdl"
              |                 ^^^^^^^^^^ it is the mesh's own file
              |
              = help: leave it out

        "#]],
    );
}

#[test]
fn no_inclusion_leads_out_of_the_folder() {
    for path in ["../secret.kdl", "/etc/passwd.kdl", "a/../../b.kdl", "", "a\\..\\b.kdl"] {
        let text = format!("mesh \"shop\" {{\n include {path:?}\n}}");
        let folder = Folder(BTreeMap::from([("shop/mesh.kdl", text.as_str()), ("secret.kdl", "service \"x\"")]));
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        load("shop/mesh.kdl", Syntax::Kdl, Variables::default(), &folder, &mut sources, &mut found);
        let codes: Vec<&str> = found.iter().map(|it| it.code.slug).collect();
        assert!(matches!(codes.as_slice(), ["unreadable-file" | "wrong-type"]), "{path}: {codes:?}");
    }
}

#[test]
fn mistakes_are_found_in_every_file() {
    check(
        &[
            ("shop/mesh.kdl", "mesh \"shop\" {\n include \"a.kdl\" \"b.txt\" \"none.kdl\"\n node \"n\" color=1\n}"),
            ("shop/a.kdl", "mesh \"other\"\ndefaults { timeout \"1s\" }\nservce \"x\"\n"),
        ],
        expect![[r#"
            error[unknown-field]: a node has no field `color`
             --> shop/mesh.kdl:3:11
              |
            3 |  node "n" color=1
              |           ^^^^^
              |
              = help: it can have `name`, `bind`, `region`, `zone`, `proxyless`, `serves`, `calls`, `transparent-proxy`, `egress`, `access-log`, `tracing`, `stats`, `filter`, `envoy-overlay`

            error[unknown-field]: an included file says what is in the mesh, not the mesh itself
             --> shop/a.kdl:1:1
              |
            1 | mesh "other"
              | ^^^^
              |
              = help: leave out `mesh`: write its services, nodes and gateways at the top

            error[unknown-field]: `defaults` holds for the whole mesh
             --> shop/a.kdl:2:1
              |
            2 | defaults { timeout "1s" }
              | ^^^^^^^^ this file is only a part of it
              |
              = help: say `defaults` in the file of the mesh

            error[unknown-field]: an included file has no field `servce`
             --> shop/a.kdl:3:1
              |
            3 | servce "x"
              | ^^^^^^
              |
              = help: did you mean `service`?

            error[unreadable-file]: `shop/b.txt` is neither KDL nor YAML
             --> shop/mesh.kdl:2:18
              |
            2 |  include "a.kdl" "b.txt" "none.kdl"
              |                  ^^^^^^^
              |
              = help: name a file that ends with `.kdl` or `.yaml`

            error[unreadable-file]: `shop/none.kdl` cannot be read: no such file
             --> shop/mesh.kdl:2:26
              |
            2 |  include "a.kdl" "b.txt" "none.kdl"
              |                          ^^^^^^^^^^
              |
              = help: put the file beside the one that includes it, or correct `include`

        "#]],
    );
}

#[test]
fn a_variable_is_whatever_its_field_wants() {
    check(
        &[
            (
                "shop/mesh.kdl",
                r#"mesh "shop" {
                    variables { domain "svc.local"; share 5; wait "2s"; on #true }
                    include "${domain}.kdl"
                    service "beta.${domain}" {
                        timeout "${wait}"
                        endpoint "10.0.0.1:80" weight="${share}"
                        basic-auth realm="costs $${share}" htpasswd-file="x"
                        route path-prefix="/" case-sensitive="${on}" { to "beta.${domain}" }
                    }
                }"#,
            ),
            ("shop/svc.local.kdl", "service \"gamma.${domain}\""),
        ],
        expect![[r#"
            mesh "shop" {
                service "beta.svc.local" {
                    timeout "2s"
                    endpoint "10.0.0.1:80" weight=5
                    route path-prefix="/" case-sensitive=#true {
                        to "beta.svc.local"
                    }
                    basic-auth realm="costs $${share}" htpasswd-file="x"
                }

                service "gamma.svc.local"
            }
        "#]],
    );
}

#[test]
fn a_variable_may_hold_those_above_it() {
    check(
        &[(
            "shop/mesh.kdl",
            r#"mesh "shop" {
                variables { region "eu"; domain "${region}.svc"; price "$${region}" }
                service "beta.${domain}" {
                    basic-auth realm="${price}" htpasswd-file="x"
                }
            }"#,
        )],
        expect![[r#"
            mesh "shop" {
                service "beta.eu.svc" {
                    basic-auth realm="$${region}" htpasswd-file="x"
                }
            }
        "#]],
    );
    check(
        &[("shop/mesh.kdl", "mesh \"shop\" {\n variables { a \"${b}\"; b \"${b}\" }\n service \"x\"\n}")],
        expect![[r#"
            error[unknown-variable]: no variable is called `b`
             --> shop/mesh.kdl:2:16
              |
            2 |  variables { a "${b}"; b "${b}" }
              |                ^^^^^^
              |
              = help: say `b` above what refers to it

            error[unknown-variable]: no variable is called `b`
             --> shop/mesh.kdl:2:26
              |
            2 |  variables { a "${b}"; b "${b}" }
              |                          ^^^^^^
              |
              = help: say `b` above what refers to it

        "#]],
    );
}

#[test]
fn an_included_file_is_no_mesh() {
    check(
        &[
            ("shop/mesh.kdl", "mesh \"shop\" {\n include \"a.yaml\"\n}"),
            ("shop/a.yaml", "service: {x: {}}\nname: other\ntrust-domain: a.b\ndefaults:\n  timeout: 1s\n"),
        ],
        expect![[r#"
            error[unknown-field]: an included file says what is in the mesh, not the mesh itself
             --> shop/a.yaml:2:1
              |
            2 | name: other
              | ^^^^
              |
              = help: leave out `name`: write its services, nodes and gateways at the top

            error[unknown-field]: `trust-domain` holds for the whole mesh
             --> shop/a.yaml:3:1
              |
            3 | trust-domain: a.b
              | ^^^^^^^^^^^^ this file is only a part of it
              |
              = help: say `trust-domain` in the file of the mesh

            error[unknown-field]: `defaults` holds for the whole mesh
             --> shop/a.yaml:4:1
              |
            4 | defaults:
              | ^^^^^^^^ this file is only a part of it
              |
              = help: say `defaults` in the file of the mesh

        "#]],
    );
}

#[test]
fn what_is_given_from_outside_holds() {
    let variables = Variables::fixed([("wait".to_owned(), "9s".to_owned())]);
    check_with(
        &[("shop/mesh.kdl", "mesh \"shop\" {\n variables { wait \"2s\" }\n service \"a\" timeout=\"${wait}\"\n}")],
        variables,
        expect![[r#"
            mesh "shop" {
                service "a" {
                    timeout "9s"
                }
            }
        "#]],
    );
}

#[test]
fn a_reference_to_nothing_is_one_mistake() {
    check(
        &[(
            "shop/mesh.kdl",
            "mesh \"shop\" {\n variables { wait \"2s\" }\n service \"a\" timeout=\"${wiat}\"\n service \"${\"\n}",
        )],
        expect![[r#"
            error[unknown-variable]: no variable is called `wiat`
             --> shop/mesh.kdl:3:22
              |
            3 |  service "a" timeout="${wiat}"
              |                      ^^^^^^^^^
              |
              = help: did you mean `wait`?

            error[unknown-variable]: `${` begins a reference to a variable, and none follows
             --> shop/mesh.kdl:4:10
              |
            4 |  service "${"
              |          ^^^^
              |
              = help: write `${NAME}`, or `$${` for the characters themselves

        "#]],
    );
}

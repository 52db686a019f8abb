//! Rules about header routing: what its engines can do, and which cookies browsers keep.

use expect_test::{Expect, expect};

use crate::mesh_findings::{self, places};

#[track_caller]
fn check(slug: &str, text: &str, expected: Expect) {
    expected.assert_eq(&mesh_findings::of(slug, text));
}

/// A service `a.svc` with this header routing, beside `b.svc`.
fn routing(says: &str) -> String {
    let services = "service \"b.svc\" { endpoint \"10.0.0.2:80\"; }\nservice \"a.svc\" { endpoint \"10.0.0.1:80\"";
    format!("{services}\nheader-routing {{\n{says}\n}}\n}}")
}

#[test]
fn a_rule_is_for_one_engine() {
    check(
        "routing-engine",
        &routing("rule to=\"b.svc\" { header \"x-a\" regex=\"a+\"; sticky header=\"x-user\"; }"),
        expect![[r#"
            error[routing-engine]: the route table cannot do `sticky`
              5:51 only our filter can
              5:32 only Envoy compares this
              help: write the condition without a regular expression
        "#]],
    );
    check(
        "routing-engine",
        &routing("rule to=\"b.svc\" { header \"x-a\" exact=\"a\"; dry-run #true; }\nengine \"native\""),
        expect![[r#"
            error[routing-engine]: the route table cannot do `dry-run`
              5:51 only our filter can
              6:8 the engine
              help: leave out `engine "native"`, or this
        "#]],
    );
    for ours in [
        "visitor-cookie \"a\"",
        "sticky source-address=#true",
        "cookie \"a\" present=#true",
        "cookie \"a\" range=\"1..2\"",
        "any { cookie \"a\" exact=\"1\" invert=#true; }",
    ] {
        let rule = format!("rule to=\"b.svc\" {{ percent 1; {ours}; }}");
        assert_eq!(places("routing-engine", &routing(&rule)), "", "{ours}");
        assert_ne!(places("routing-engine", &routing(&format!("{rule}\nengine \"native\""))), "", "{ours}");
    }
    for both in ["cookie \"a\" exact=\"1\"", "query \"a\" present=#true", "method \"GET\"", "dry-run #false"] {
        let rule = format!("rule to=\"b.svc\" {{ percent 1; {both}; }}\nengine \"native\"");
        assert_eq!(places("routing-engine", &routing(&rule)), "", "{both}");
    }
}

#[test]
fn combinations_have_a_bound() {
    let group = "any { header \"x-a\" exact=\"1\"; header \"x-b\" exact=\"1\"; }\n";
    let rule = |groups: usize| routing(&format!("rule to=\"b.svc\" {{\n{}}}\nengine \"native\"", group.repeat(groups)));
    assert_eq!(places("routing-engine", &rule(5)), "");
    assert_ne!(places("routing-engine", &rule(6)), "");
}

#[test]
fn the_route_table_throws_one_dice() {
    check(
        "routing-engine",
        &routing("rule to=\"b.svc\" { percent 10; }\nrule to=\"b.svc\" { percent 20; }\nengine \"native\""),
        expect![[r#"
            error[routing-engine]: the route table throws one dice for both shares
              6:27 whoever the first rule did not take, this one may never take
              5:27 the first share
              7:8 the engine
              help: let our filter decide, or write one rule with several targets and their weights
        "#]],
    );
    let whole = "rule to=\"b.svc\" { percent 10; }\nrule to=\"b.svc\" { percent 100; }\nengine \"native\"";
    assert_eq!(places("routing-engine", &routing(whole)), "");
}

#[test]
fn browsers_must_keep_the_cookie() {
    let rule = |cookie: &str| routing(&format!("rule to=\"b.svc\" {{ percent 1; visitor-cookie {cookie}; }}"));
    check(
        "visitor-cookie",
        &rule("\"a\" same-site=\"none\""),
        expect![[r#"
        error[visitor-cookie]: browsers do not keep `a`
          5:59 of other sites only what is `secure`
          help: add `secure=#true`
    "#]],
    );
    check(
        "visitor-cookie",
        &rule("\"__Host-a\" secure=#true path=\"/a\""),
        expect![[r#"
        error[visitor-cookie]: browsers do not keep `__host-a`
          5:74 such a name is only for the path `/`
          help: leave out `path`
    "#]],
    );
    assert_ne!(places("visitor-cookie", &rule("\"__secure-a\"")), "");
    for kept in ["\"a\"", "\"a\" same-site=\"none\" secure=#true", "\"__Host-a\" secure=#true path=\"/\""] {
        assert_eq!(places("visitor-cookie", &rule(kept)), "", "{kept}");
    }
}

#[test]
fn each_rule_has_a_cookie_of_its_own() {
    let rule = "rule to=\"b.svc\" { percent 1; visitor-cookie \"a\"; }";
    check(
        "visitor-cookie",
        &routing(&format!("{rule}\n{rule}")),
        expect![[r#"
        error[visitor-cookie]: two rules keep `a`
          6:45 each would forget what the other one decided
          5:45 the other rule
          help: give each rule a cookie of its own
    "#]],
    );
}

#[test]
fn targets_of_rules_are_targets() {
    let split = "rule { percent 1; to \"b.svc\" weight=0; to \"a.svc\" weight=0; }";
    assert_eq!(places("zero-weights", &routing(split)), "error 5:37\n");
    assert_eq!(places("unknown-subset", &routing("rule { percent 1; to \"b.svc\" subset=\"v9\"; }")), "error 5:37\n");
}

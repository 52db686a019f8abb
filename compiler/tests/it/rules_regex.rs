//! Regular expressions: those that Envoy takes as they read, and those that it refuses or reads otherwise.
//!
//! The table was held against Envoy 1.40 and RE2 themselves: whatever is right here, Envoy loads.

use expect_test::{Expect, expect};

use crate::mesh_findings::{self, places};

#[track_caller]
fn check(says: &str, expected: Expect) {
    expected.assert_eq(&mesh_findings::of("regex", &service(says)));
}

fn service(says: &str) -> String {
    format!("service \"a.svc\" {{\nendpoint \"10.0.0.1:80\"\n{says}\n}}")
}

fn path(pattern: &str) -> String {
    service(&format!("route path-regex=##\"{pattern}\"## {{ to \"a.svc\"; }}"))
}

#[test]
fn patterns_that_envoy_takes() {
    for pattern in include_str!("../regex_taken.txt").lines() {
        assert_eq!(mesh_findings::of("regex", &path(pattern)), "", "{pattern}");
    }
}

#[test]
fn patterns_that_envoy_refuses_or_reads_otherwise() {
    for pattern in [
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        "(?<!a)b",
        r"(a)\1",
        "(?>a)",
        "a++",
        "a**",
        "a{2}{3}",
        "(?x)a b",
        "(?u)a",
        "(?R)a",
        r"\u0041",
        r"\u{41}",
        r"\U00000041",
        r"\x{e9}",
        r"\xe9",
        r"\pL",
        r"\p{Greek}",
        r"[\pL]",
        "[é]",
        "é+",
        "[a-é]",
        "[a&&b]",
        "[a--b]",
        "[a~~b]",
        "[a[b]]",
        r"\b{start}",
        r"\<a",
        r"a\>",
        r"\b{end-half}",
        "a{,2}",
        "a{ 2 }",
        "a{2, 3}",
        "a{1001}",
        "x{97}",
        "[^/]{60}",
        r"\C",
        r"\Qa\E",
        r"\Z",
        r"\R",
        r"\h",
        r"\K",
        r"\X",
        "(?P=n)",
        "(?|a)",
        "(?P<é>a)",
        "(?P<a.b>c)",
        "(a",
        "a)",
        "[a",
        "[z-a]",
        "*a",
        "a{5,2}",
        "(?P<n>a)(?P<n>b)",
        "(?#c)a",
        r"\e",
        r"\0",
        "[[:foo:]]",
    ] {
        assert_eq!(
            mesh_findings::of("regex", &path(pattern)).lines().filter(|line| line.starts_with("error")).count(),
            1,
            "{pattern}"
        );
    }
}

#[test]
fn what_is_wrong_is_said() {
    check(
        "route path-regex=\"/(?!internal).*\" { to \"a.svc\"; }",
        expect![[r#"
        error[regex]: Envoy does not take the regular expression `/(?!internal).*`
          4:7 look-around, including look-ahead and look-behind, is not supported
          help: RE2 does not look around: use a second condition, or `invert`
    "#]],
    );
    check(
        "route path-regex=\"/[a-z]{200}\" { to \"a.svc\"; }",
        expect![[r#"
        error[regex]: Envoy does not take the regular expression `/[a-z]{200}`
          4:7 as a program it may have 205 steps, and Envoy loads at most 100
          help: make it shorter: a large `{n}` counts as often as it says; several routes may do
    "#]],
    );
    check(
        "route path-regex=\"/[é]\" { to \"a.svc\"; }",
        expect![[r#"
        error[regex]: Envoy does not take the regular expression `/[é]`
          4:7 Envoy compares bytes, and this character is several
          help: write alternatives instead: `(?:é|ü)`
    "#]],
    );
}

#[test]
fn every_field_is_looked_at() {
    for says in [
        "route {\nheader \"x-a\" regex=\"a**\"\nto \"a.svc\"\n}",
        "route {\nquery \"x\" regex=\"a**\"\nto \"a.svc\"\n}",
        "route path-prefix=\"/\" {\nrewrite { regex \"a**\" substitution=\"b\"; }\nto \"a.svc\"\n}",
        "cors { allow-origin-regex \"a**\"; }",
        "authorization { rule \"allow\" path-regex=\"a**\"; }",
        "header-routing { rule to=\"a.svc\" { header \"x-a\" regex=\"a**\"; }; }",
        "fault {\nabort 503 percent=1\nheader \"x-a\" regex=\"a**\"\n}",
    ] {
        assert_eq!(places("regex", &service(says)).lines().count(), 1, "{says}");
    }
}

#[test]
fn case_is_part_of_the_expression() {
    check(
        "route {\nheader \"x-a\" regex=\"a\" ignore-case=#true\nto \"a.svc\"\n}",
        expect![[r#"
        error[regex]: `ignore-case` has no effect on a regular expression
          5:36 the case of letters would matter all the same
          5:14 the regular expression
          help: begin the regular expression with `(?i)`
    "#]],
    );
}

#[test]
fn substitutions_name_groups_that_there_are() {
    let rewrite = |substitution: &str| {
        format!(
            "route path-prefix=\"/\" {{\nrewrite {{ regex \"/(a)/(b)\" substitution=#\"{substitution}\"#; }}\nto \"a.svc\"\n}}"
        )
    };
    check(
        &rewrite(r"/\3"),
        expect![[r#"
        error[regex]: nothing can be replaced by `/\3`
          5:41 there is no group 3
          5:17 the regular expression
          help: put what it stands for into `(…)`
    "#]],
    );
    assert_eq!(mesh_findings::of("regex", &service(&rewrite(r"/\2/\1\\"))), "");
}

#[test]
fn letters_of_both_cases_count_where_case_does_not_matter() {
    let route = |says: &str| format!("route path-regex=\"/[^abcdefghij]{{40}}k\" {says} {{ to \"a.svc\"; }}");
    check(&route(""), expect![[r#""#]]);
    check(
        &route("case-sensitive=#false"),
        expect![[r#"
        error[regex]: Envoy does not take the regular expression `(?i)/[^abcdefghij]{40}k`
          4:7 as a program it may have 126 steps, and Envoy loads at most 100
          help: make it shorter: a large `{n}` counts as often as it says; several routes may do
    "#]],
    );
}

//! Levels that a mesh gives to rules.

use expect_test::{Expect, expect};
use meshwright_spec::mesh::{Level, RuleLevel};
use meshwright_spec::{Diagnostic, Diagnostics, SourceFile, Sources, Span, Spanned, Syntax, codes, severity};

/// Settings, then what becomes of a note, a warning and two errors.
#[track_caller]
fn check(settings: &[(&str, Level, Option<&str>)], expected: Expect) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", ""));
    let span = Span::new(file, 0, 0);
    let rules: Vec<RuleLevel> = settings
        .iter()
        .map(|(code, level, reason)| RuleLevel {
            code: Spanned::new((*code).to_owned(), span),
            level: Spanned::new(*level, span),
            reason: reason.map(|reason| Spanned::new(reason.to_owned(), span)),
        })
        .collect();
    let mut found: Diagnostics =
        [codes::IMPLIED_ANNOTATION, codes::EMPTY_BLOCK, codes::UNREACHABLE_ROUTE, codes::SYNTAX]
            .map(|code| Diagnostic::of(code, span, "as by default"))
            .into_iter()
            .collect();
    found.push(Diagnostic::error(codes::EMPTY_BLOCK, span, "worse than by default"));
    let levels = severity::levels(&rules, &mut found);
    let mut shown = String::new();
    for it in severity::apply(&levels, found).iter() {
        shown.push_str(&format!("{:?} {}: {}\n", it.severity, it.code.slug, it.message));
    }
    expected.assert_eq(&shown);
}

#[test]
fn rules_weigh_what_the_mesh_says() {
    check(
        &[
            ("implied-annotation", Level::Off, Some("known")),
            ("empty-block", Level::Error, None),
            ("unreachable-route", Level::Note, None),
        ],
        expect![[r#"
            Error empty-block: as by default
            Note unreachable-route: as by default
            Error syntax: as by default
            Error empty-block: worse than by default
        "#]],
    );
}

#[test]
fn faults_and_what_is_worse_than_its_rule_stay_errors() {
    check(
        &[("empty-block", Level::Off, Some("draft")), ("syntax", Level::Warning, None)],
        expect![[r#"
            Note implied-annotation: as by default
            Error unreachable-route: as by default
            Error syntax: as by default
            Error empty-block: worse than by default
            Error fixed-severity: `syntax` is not a matter of opinion
        "#]],
    );
}

#[test]
fn settings_without_reason_or_rule_are_mistakes() {
    check(
        &[
            ("unreachable-route", Level::Off, Some(" ")),
            ("implied-anotation", Level::Off, None),
            ("unreachable-route", Level::Error, None),
        ],
        expect![[r#"
            Note implied-annotation: as by default
            Warning empty-block: as by default
            Error unreachable-route: as by default
            Error syntax: as by default
            Error empty-block: worse than by default
            Error suppression-without-reason: `unreachable-route` is switched off without a reason
            Error unknown-rule: no rule is called `implied-anotation`
            Error duplicate-name: the level of `unreachable-route` is said twice
        "#]],
    );
}

#[test]
fn both_syntaxes_say_levels() {
    let kdl = "mesh \"m\" {\n  rules {\n    rule \"unreachable-route\" level=\"warning\"\n    rule \"empty-block\" level=\"off\" reason=\"later\"\n    rule \"syntax\" level=\"note\"\n    rule \"emty-block\" level=\"error\"\n  }\n}\n";
    let yaml = "mesh: m\nrules:\n  rule:\n    unreachable-route: {level: warning}\n    empty-block: {level: off, reason: later}\n    syntax: {level: note}\n    emty-block: {level: error}\n";
    for (text, syntax) in [(kdl, Syntax::Kdl), (yaml, Syntax::Yaml)] {
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        let file = sources.add(SourceFile::public("mesh", text));
        let mesh = meshwright_spec::parse(file, syntax, &sources, &mut found).unwrap();
        assert!(found.is_empty(), "{text}");
        let levels = severity::levels(&mesh.rules.levels, &mut found);
        let said: Vec<_> = levels.iter().map(|(code, level)| (code.slug, *level)).collect();
        assert_eq!(said, [("empty-block", Level::Off), ("unreachable-route", Level::Warning)]);
        let mistakes: Vec<_> =
            found.iter().map(|it| (it.code.slug, sources.position(it.span().unwrap()).line)).collect();
        let line = if syntax == Syntax::Kdl { 5 } else { 6 };
        assert_eq!(mistakes, [("fixed-severity", line), ("unknown-rule", line + 1)]);
    }
}

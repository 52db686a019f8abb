//! What comments allow, and what they cannot.

use expect_test::{Expect, expect};
use meshwright_spec::{Diagnostic, Diagnostics, SourceFile, Sources, Span, Syntax, codes, suppress};

/// A warning of `empty-block` at every `?`, and of nothing else.
#[track_caller]
fn check(syntax: Syntax, text: &str, expected: Expect) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut found: Diagnostics = text
        .match_indices('?')
        .map(|(at, _)| Diagnostic::of(codes::EMPTY_BLOCK, Span::new(file, at, at + 1), "says nothing"))
        .collect();
    let suppressions = suppress::find(file, syntax, &sources, &mut found);
    let judged = suppress::apply(&suppressions, &sources, found);
    let mut shown = String::new();
    for found in judged.findings.iter().chain(judged.unused.iter()) {
        shown.push_str(&line(found, &sources, text));
    }
    for allowed in &judged.allowed {
        let finding = line(&allowed.finding, &sources, text);
        shown.push_str(&format!("allowed because {}: {finding}", allowed.reason));
    }
    expected.assert_eq(&shown);
}

fn line(found: &Diagnostic, sources: &Sources, text: &str) -> String {
    let span = found.span().unwrap();
    let place = sources.position(span);
    let marked = &text[span.start as usize..span.end as usize];
    format!("{}:{} {} `{marked}`: {}\n", place.line, place.column, found.code.slug, found.message)
}

#[track_caller]
fn kdl(text: &str, expected: Expect) {
    check(Syntax::Kdl, text, expected);
}

#[track_caller]
fn yaml(text: &str, expected: Expect) {
    check(Syntax::Yaml, text, expected);
}

#[test]
fn the_line_before_and_the_end_of_the_line() {
    kdl(
        "// meshwright: allow empty-block: soon\na ?\nb ? // meshwright: allow empty-block: later: much\nc ?\n",
        expect![[r#"
            4:3 empty-block `?`: says nothing
            allowed because soon: 2:3 empty-block `?`: says nothing
            allowed because later: much: 3:3 empty-block `?`: says nothing
        "#]],
    );
    yaml(
        "# meshwright: allow empty-block: soon\na: ?x\nb: ?x # meshwright: allow empty-block: later\nc: ?x\n",
        expect![[r#"
            4:4 empty-block `?`: says nothing
            allowed because soon: 2:4 empty-block `?`: says nothing
            allowed because later: 3:4 empty-block `?`: says nothing
        "#]],
    );
}

#[test]
fn other_comments_and_empty_lines_may_stand_between() {
    kdl(
        "// meshwright: allow no-endpoints, empty-block: soon\n\n  // about a\n  /* and\n more */ a ?\n",
        expect![[r#"
            1:22 unused-suppression `no-endpoints`: `no-endpoints` does not occur where a comment allows it
            allowed because soon: 5:12 empty-block `?`: says nothing
        "#]],
    );
}

#[test]
fn text_in_strings_is_no_comment() {
    kdl(
        concat!(
            "a \"// meshwright: allow empty-block: x\" ?\n",
            "b #\"\"// meshwright: allow empty-block: x\"# ?\n",
            "c \"\"\"\n// meshwright: allow empty-block: x\n\\\"\"\" ?\n\"\"\" ?\n",
            "d ##\"\"\"\n// meshwright: allow empty-block: x\n\"\"\"# ?\n\"\"\"## ?\n",
            "/* // meshwright: allow empty-block: x */ e ?\n",
            "f \"\\\"// meshwright: allow empty-block: x\" ?\n",
        ),
        expect![[r#"
            1:41 empty-block `?`: says nothing
            2:44 empty-block `?`: says nothing
            5:6 empty-block `?`: says nothing
            6:5 empty-block `?`: says nothing
            9:6 empty-block `?`: says nothing
            10:7 empty-block `?`: says nothing
            11:45 empty-block `?`: says nothing
            12:43 empty-block `?`: says nothing
        "#]],
    );
    yaml(
        concat!(
            "a: \"? # meshwright: allow empty-block: x\"\n",
            "b: '? # meshwright: allow empty-block: x'\n",
            "c: |\n  ? # meshwright: allow empty-block: x\n",
            "d: >-\n  # meshwright: allow empty-block: x\n  ?\n",
            "e: a?# meshwright: allow empty-block: x\n",
        ),
        expect![[r#"
            1:5 empty-block `?`: says nothing
            2:5 empty-block `?`: says nothing
            4:3 empty-block `?`: says nothing
            7:3 empty-block `?`: says nothing
            8:5 empty-block `?`: says nothing
        "#]],
    );
}

#[test]
fn what_is_wrong_with_a_suppression_is_reported() {
    kdl(
        concat!(
            "a ? // meshwright: allow empty-block\n",
            "b ? // meshwright: allow emptyblock: x\n",
            "c ? // meshwright: allow syntax, empty-block: x\n",
            "d   // meshwright: allow empty-block: x\n",
            "e ? // meshwright: allow : x\n",
            "f ? // meshwright: allowed\n",
            "g ? // see meshwright: allow empty-block: x\n",
        ),
        expect![[r#"
            2:3 empty-block `?`: says nothing
            5:3 empty-block `?`: says nothing
            6:3 empty-block `?`: says nothing
            7:3 empty-block `?`: says nothing
            1:8 suppression-without-reason `meshwright: allow empty-block`: a finding is allowed without a reason
            2:26 unknown-rule `emptyblock`: no rule is called `emptyblock`
            3:26 fixed-severity `syntax`: `syntax` is not a matter of opinion
            5:26 unknown-rule ``: no rule is called ``
            4:26 unused-suppression `empty-block`: `empty-block` does not occur where a comment allows it
            allowed because : 1:3 empty-block `?`: says nothing
            allowed because x: 3:3 empty-block `?`: says nothing
        "#]],
    );
}

#[test]
fn an_error_of_a_warning_rule_is_not_allowed() {
    let text = "a // meshwright: allow empty-block: x\n";
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut found = Diagnostics::new();
    found.push(Diagnostic::error(codes::EMPTY_BLOCK, Span::new(file, 0, 1), "means nothing at all"));
    let suppressions = suppress::find(file, Syntax::Kdl, &sources, &mut found);
    assert!(suppress::apply(&suppressions, &sources, found).findings.has_errors());
}

#[test]
fn texts_made_to_take_long_do_not() {
    let many = |piece: &str| format!("// meshwright:\n{}", piece.repeat(2_000_000 / piece.len()));
    for piece in
        ["/**/", "// meshwright: allow empty-block: x\n", "// meshwright: allow x: x\n", "##\"x ", "/*", "\"", " \n"]
    {
        for syntax in [Syntax::Kdl, Syntax::Yaml] {
            let mut sources = Sources::new();
            let file = sources.add(SourceFile::public("mesh", many(piece)));
            let mut found = Diagnostics::new();
            let suppressions = suppress::find(file, syntax, &sources, &mut found);
            let judged = suppress::apply(&suppressions, &sources, found);
            assert!(judged.findings.iter().count() <= 1_001, "{piece}");
        }
    }
}

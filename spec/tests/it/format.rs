//! `fmt` changes the layout and nothing else.

use expect_test::{Expect, expect};
use meshwright_spec::{Color, Diagnostics, SourceFile, Sources, Syntax, format, parse, print, render};
use proptest::prelude::*;

use crate::generate;

fn formatted(text: &str, syntax: Syntax) -> (Option<String>, String) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut diagnostics = Diagnostics::new();
    let formatted = format(text, syntax, file, &mut diagnostics);
    (formatted, render(&diagnostics, &sources, Color::Plain))
}

#[track_caller]
fn check(text: &str, syntax: Syntax, expected: Expect) {
    let (formatted, report) = formatted(text, syntax);
    expected.assert_eq(&format!("{}{report}", formatted.unwrap_or_default()));
}

/// What the text says: the mesh, and the codes of what is wrong with it.
fn meaning(text: &str, syntax: Syntax) -> (Option<String>, Vec<&'static str>) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = parse(file, syntax, &sources, &mut diagnostics);
    (mesh.map(|mesh| print(&mesh, syntax)), diagnostics.iter().map(|found| found.code.slug).collect())
}

#[track_caller]
fn laws(text: &str, syntax: Syntax) {
    let (Some(once), _) = formatted(text, syntax) else { return };
    assert_eq!(meaning(&once, syntax), meaning(text, syntax), "{text:?} became {once:?}");
    assert_eq!(formatted(&once, syntax).0.as_deref(), Some(once.as_str()), "{text:?}");
}

#[test]
fn kdl_is_indented_and_keeps_its_comments() {
    check(
        "\n\n// about\nmesh   \"shop\"{// the shop\n\n\n\n  service \"a.svc\"   timeout = \"1s\" {\n\tendpoint \"10.0.0.1:80\" /* why */ weight=5;endpoint \"10.0.0.2:80\"   \n/- node {\n}\n\n}\n node \"n\" \\ // more\n serves=\"a.svc\"\n\n}",
        Syntax::Kdl,
        expect![[r#"
            // about
            mesh "shop" { // the shop
                service "a.svc" timeout="1s" {
                    endpoint "10.0.0.1:80" /* why */ weight=5; endpoint "10.0.0.2:80"
                    /- node {
                    }
                }
                node "n" \ // more
                    serves="a.svc"
            }
        "#]],
    );
}

#[test]
fn texts_of_several_lines_stay_as_they_are() {
    check(
        "mesh \"shop\" {\nservice \"a.svc\" { realm \"\"\"\n      a\n    b\n    \"\"\" }\n}\n",
        Syntax::Kdl,
        expect![[r#"
            mesh "shop" {
                service "a.svc" { realm """
                  a
                b
                """ }
            }
        "#]],
    );
}

#[test]
fn yaml_is_indented_and_keeps_its_comments() {
    check(
        "# about\nmesh:   shop   # the shop\nservice:\n      a.svc:\n          timeout:   1s\n\n\n          endpoint: ['10.0.0.1:80',   \"10.0.0.2:80\"] # two\n      # b\n      b.svc:   {}\n",
        Syntax::Yaml,
        expect![[r#"
            # about
            mesh: shop # the shop
            service:
              a.svc:
                timeout: 1s

                endpoint: ["10.0.0.1:80", "10.0.0.2:80"] # two
              # b
              b.svc: {}
        "#]],
    );
}

#[test]
fn a_mistake_of_syntax_is_reported() {
    let (formatted, report) = formatted("mesh \"shop\" {", Syntax::Kdl);
    assert_eq!(formatted, None);
    assert!(report.contains("this `{` is never closed"), "{report}");
}

#[test]
fn what_is_wrong_otherwise_is_no_obstacle() {
    check(
        "sevrice   1",
        Syntax::Kdl,
        expect![[r#"
        sevrice 1
    "#]],
    );
}

#[test]
fn empty_files_stay_empty() {
    check("\n \n", Syntax::Kdl, expect![""]);
    check("\n \n", Syntax::Yaml, expect![""]);
}

/// A text of words that carry meaning, with all sorts of space between them.
fn words(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(words), 0..24).prop_map(|words| words.concat())
}

const KDL: &[&str] = &[
    "a",
    "b",
    "{",
    "}",
    "{",
    "}",
    " ",
    " ",
    "  ",
    "\n",
    "\n",
    "\r\n",
    "\n\n\n",
    ";",
    "=",
    "=1",
    "1",
    "\"x\"",
    "#\"y\"#",
    "// c\n",
    "/* d */",
    "/*\n e */",
    "/-",
    "\\\n",
    "\\ // f\n",
    "\"\"\"\n  g\n  \"\"\"",
    "#true",
    "\t",
    "\u{feff}",
    "mesh \"m\"",
    "\u{85}",
    "\u{a0}",
];

const YAML: &[&str] = &[
    "a",
    "b:",
    "c: ",
    " ",
    "  ",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n- ",
    "\n  - ",
    "\r\n",
    "\n\n\n",
    "# c\n",
    " # d\n",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    "'x'",
    "\"y\"",
    "\"y\\\n  z\"",
    "|\n  e\n",
    ">-\n  f\n  g\n",
    "&h ",
    "*h",
    "<<: *h",
    "? ",
    ": ",
    "---\n",
    "~",
    "1",
    "\t",
    "mesh: m\n",
    "!!str ",
    "%YAML 1.2\n",
    "\u{feff}",
    "- ",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_kdl_keeps_its_meaning(text in words(KDL)) {
        laws(&text, Syntax::Kdl);
    }

    #[test]
    fn any_yaml_keeps_its_meaning(text in words(YAML)) {
        laws(&text, Syntax::Yaml);
    }

    #[test]
    fn printed_meshes_keep_their_meaning(mesh in generate::mesh()) {
        for syntax in [Syntax::Kdl, Syntax::Yaml] {
            let text = print(&mesh, syntax);
            prop_assert!(formatted(&text, syntax).1.is_empty(), "{}{}", formatted(&text, syntax).1, text);
            laws(&text, syntax);
        }
    }
}

#[test]
fn yaml_beyond_what_the_library_counts_is_left_as_it_is() {
    let text = format!("mesh:\n{}name: a\n", " ".repeat(64));
    let (formatted, report) = formatted(&text, Syntax::Yaml);
    assert_eq!(formatted.as_ref(), Some(&text));
    assert!(report.contains("left as it is"), "{report}");
}

//! What is read as plain is what the library reads.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Diagnostics;
use crate::syntax::comments::{Comment, comments_of_library};
use crate::syntax::yaml::read_any;

/// Whether the text is plain; if it is, the library must read the same.
#[track_caller]
fn compare(text: &str) -> bool {
    let file = Sources::new().add(SourceFile::public("mesh.yaml", text));
    let Some(plain) = read_plain(text, file) else { return false };
    let mut diagnostics = Diagnostics::new();
    let any = read_any(text, file, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{text:?} {diagnostics:?}");
    assert_eq!(format!("{plain:?}"), format!("{any:?}"), "{text:?}");
    let place = |comment: &Comment<'_>| comment.start..comment.end;
    let comments: Vec<_> = comments_of_library(text).iter().map(place).collect();
    assert_eq!(plain_comments(text), Some(comments), "{text:?}");
    true
}

#[test]
fn what_people_write_is_plain() {
    for text in [
        "mesh: shop\nservice:\n  a: {endpoint: [\"10.0.0.1:80\"], timeout: 5s} # said\n",
        "---\n# shop\nmesh: shop\n\nservice:\n  a:\n    endpoint:\n    - 10.0.0.1:80\n    - address: '10.0.0.2:80'\n      weight: 5\n",
        "mesh: \"größer\" # –\nnode:\n  n:\n    calls: [a, \"*\"]\n    serves: []\n    bind:\n",
        "a:\n  - {b: 1, c: [x, y]}\n  -   d: -1.5\n      e: true\n  - f",
    ] {
        assert!(compare(text), "{text}");
    }
}

#[test]
fn what_is_unusual_is_left_to_the_library() {
    for text in [
        "",
        "a",
        "- a\n",
        "a: b\n c\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !t b\n",
        "a: |\n b\n",
        "a: >\n b\n",
        "a: \"b\\n\"\n",
        "a: 'it''s'\n",
        "a: b: c\n",
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "a:\tb\n",
        "a: b\r\n",
        "? a\n: b\n",
        "a: [b,\n c]\n",
        "a: [[b]]\n",
        "a:\n  - - b\n",
        "a:\n  -\n    b: c\n",
        "<<: {a: b}\n",
        "~: b\n",
        "a: \"b\" c\n",
        "a: b\n---\nc: d\n",
        "a: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a: [b: c]\n",
        "a: {b}\n",
        "a: [b, ]\n",
        " a: b\n",
        "a:\n  b: c\n d: e\n",
        "a: [null]\n",
        "a: \u{85}\n",
        "\u{feff}a: b\n",
        "a: b\u{3000}\n",
    ] {
        assert!(!compare(text), "{text:?}");
    }
}

#[test]
fn the_corpora_are_read_as_the_library_reads_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plain = 0;
    for folder in
        ["fuzz/corpus/yaml", "fuzz/corpus/decode", "fuzz/corpus/format", "../examples/hello", "../examples/shop"]
    {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder") {
            let Ok(text) = std::fs::read_to_string(entry.expect("an entry").path()) else { continue };
            plain += usize::from(compare(&text));
            // Every corpus that says which syntax it means does so in its first byte.
            plain += usize::from(text.get(1..).is_some_and(compare));
        }
    }
    assert!(plain > 0, "nothing was plain");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn what_is_read_as_plain_is_what_the_library_reads(
        lines in proptest::collection::vec(
            (
                0..4usize,
                "(- ){0,2}",
                "[ab]{1,2}:|[ab]{1,2}|\"a\":|'b':|a b:|1:|-1:|null:|",
                " ?",
                "[ab0-9.:#-]{1,4}|\"[ab #:{]{0,3}\"|'[ab #:,]{0,2}'|a #b|a: b|#a|--- ?|\\.\\.\\.|true|null|~|0x1f|1e3|\\.5|\
                 \\{\\}|\\[\\]|\\{a: [ab1]\\}|\\[a, ?b\\]|\\[\\{a: b\\}, 1\\]|\\{a: \\[b\\], 'b': \"c\"\\}|\\{a:b\\}|é|b\u{a0}|[*&!|>%@`?,]a?|",
                " ?(#c)?",
            ),
            1..6,
        ),
        end in "\n?",
    ) {
        let line = |(indent, dashes, key, space, value, rest): &(usize, String, String, String, String, String)| {
            format!("{}{dashes}{key}{space}{value}{rest}", " ".repeat(*indent))
        };
        compare(&(lines.iter().map(line).collect::<Vec<_>>().join("\n") + &end));
    }

    #[test]
    fn nearly_plain_meshes_are_read_as_the_library_reads_them(
        places in proptest::collection::vec((0.0..1.0f64, "[a:# \n'\"{},\\[\\]-]{0,2}"), 0..4),
    ) {
        let mut text = String::from(
            "mesh: shop\nservice:\n  a.svc:\n    endpoint:\n      - address: \"10.0.0.1:80\" # first\n        weight: 5\n\
             \x20     - 10.0.0.2:80\n    route:\n    - path-prefix: /x\n      to: [a.svc, {service: b, weight: 1}]\n\
             \x20 b: {endpoint: '10.0.0.3:80'}\nnode:\n  n: {calls: \"*\"}\n",
        );
        for (place, piece) in places {
            let at = (place * text.len() as f64) as usize;
            text.insert_str(text.floor_char_boundary(at), &piece);
        }
        compare(&text);
    }
}

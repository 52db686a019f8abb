//! Whatever the bytes, reading ends soon with a diagnostic: no panic, no overflow of the stack.

mod shapes;

use std::fmt::Write;

use meshwright_spec::mesh::Call;
use meshwright_spec::{Color, Diagnostics, SourceFile, Sources, Syntax, parse, print, render};
use proptest::prelude::*;

use crate::generate;

/// The codes of everything found. Runs on the stack of a Tokio worker, and renders what was found.
fn codes(text: &str, syntax: Syntax) -> Vec<&'static str> {
    let text = text.to_owned();
    let read = move || {
        let mut sources = Sources::new();
        let file = sources.add(SourceFile::public("mesh", text));
        let mut diagnostics = Diagnostics::new();
        if let Some(mesh) = parse(file, syntax, &sources, &mut diagnostics) {
            print(&mesh, syntax);
        }
        render(&diagnostics, &sources, Color::Plain);
        diagnostics.iter().map(|diagnostic| diagnostic.code.slug).collect()
    };
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(read);
    thread.expect("a thread").join().expect("no panic")
}

#[track_caller]
fn refused(text: &str, syntax: Syntax, code: &str) {
    let codes = codes(text, syntax);
    assert!(codes.contains(&code), "{codes:?}");
}

#[test]
fn nested_braces_are_bounded() {
    refused(&"a {".repeat(317), Syntax::Kdl, "too-large");
    refused(&format!("{}{}", "a {".repeat(100_000), "}".repeat(100_000)), Syntax::Kdl, "too-large");
}

#[test]
fn nested_comments_are_bounded() {
    refused(&"/*".repeat(100_000), Syntax::Kdl, "too-large");
}

#[test]
fn slashdashes_are_bounded() {
    refused(&"/-".repeat(100_000), Syntax::Kdl, "too-large");
    refused(&"/- a {".repeat(100_000), Syntax::Kdl, "too-large");
}

#[test]
fn mistakes_that_close_their_braces_do_not_nest() {
    refused(&"a {\n b= = }\n".repeat(5_000), Syntax::Kdl, "too-large");
    refused(&"a {\n b 1.}\n".repeat(5_000), Syntax::Kdl, "too-large");
    refused(&"a {\n b \"x }\n}\n".repeat(5_000), Syntax::Kdl, "too-large");
}

#[test]
fn braces_behind_a_mistake_in_a_string_do_not_nest() {
    for depth in [64, 100, 10_000] {
        let braces = "b {".repeat(depth);
        let code = if depth > 64 { "too-large" } else { "syntax" };
        refused(&format!("a \"\\q {braces}\""), Syntax::Kdl, code);
    }
    refused(&format!("a \"x\n{}", "b {".repeat(10_000)), Syntax::Kdl, "too-large");
}

#[test]
fn mistakes_on_one_line_do_not_pile_up() {
    for unit in ["=", "a=", "= ", "\"a\"=", "(a ", ") ", ".1 ", "/ ", "\"\\q\" "] {
        refused(&unit.repeat(590 / unit.len()), Syntax::Kdl, "syntax");
        refused(&unit.repeat(10_000), Syntax::Kdl, "too-large");
        refused(&format!("a \"\\q {}\"", unit.replace('"', "").repeat(10_000)), Syntax::Kdl, "too-large");
    }
}

#[test]
fn long_lines_without_mistakes_are_read() {
    let names: Vec<String> = (0..300).map(|index| format!("service-{index}.svc")).collect();
    let escaped = format!("\\n{}", "x".repeat(500));
    let value = "{[(= ".repeat(60) + &"long ".repeat(1_000);
    let text = format!(
        "mesh \"shop\" {{\n node \"n\" {{ calls \"{}\" }}\n service \"a.svc\" {{ annotations a=\"{value}\" b=\"{escaped}\" }}\n}}",
        names.join("\" \"")
    );
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = parse(file, Syntax::Kdl, &sources, &mut diagnostics).expect("a mesh");
    assert_eq!(render(&diagnostics, &sources, Color::Plain), "");
    let said: Vec<&str> =
        mesh.services[0].annotations.iter().map(|annotation| annotation.value.value.as_str()).collect();
    assert_eq!(said, [value, format!("\n{}", "x".repeat(500))]);
    let called = Call::listed(&mesh.nodes[0].calls);
    assert!(called.map(|name| name.value.as_str()).eq(names.iter().map(String::as_str)));
}

#[test]
fn deep_yaml_is_bounded() {
    refused(&"[".repeat(100_000), Syntax::Yaml, "too-large");
    refused(&"{a: ".repeat(100_000), Syntax::Yaml, "too-large");
    let mut indented = String::new();
    for depth in 0..500 {
        writeln!(indented, "{}a:", " ".repeat(depth)).expect("text");
    }
    refused(&indented, Syntax::Yaml, "too-large");
}

#[test]
fn aliases_cannot_multiply() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", vec![alias; 10].join(", ")).expect("text");
    }
    refused(&bomb, Syntax::Yaml, "too-large");
}

#[test]
fn aliases_of_a_long_text_are_bounded() {
    let text = "x".repeat(4_000_000);
    refused(&format!("a: &a '{text}'\nb: [{}]\n", "*a,".repeat(100_000)), Syntax::Yaml, "too-large");
    refused(&format!("a: &a {{? '{text}' : 1}}\nb: [{}]\n", "*a,".repeat(100_000)), Syntax::Yaml, "too-large");
}

#[test]
fn a_list_under_a_long_key_is_refused() {
    let text = format!("? '{}'\n: [{}]\n", "x".repeat(2_000_000), "x,".repeat(400_000));
    refused(&text, Syntax::Yaml, "too-large");
}

#[test]
fn aliases_cannot_nest_deeper_than_brackets() {
    let chain =
        (0..200).fold("a0: &a0 [x]\n".to_owned(), |text, level| format!("{text}a{0}: &a{0} [*a{level}]\n", level + 1));
    refused(&chain, Syntax::Yaml, "too-large");
}

#[test]
fn anchors_inside_anchors_are_bounded() {
    let anchors = (0..60).fold(String::new(), |text, level| format!("{text}&b{level} ["));
    let text = format!("a: {anchors}{}{}", "x,".repeat(100_000), "]".repeat(60));
    refused(&text, Syntax::Yaml, "too-large");
}

#[test]
fn ten_thousand_services_that_share_a_base_are_read() {
    let base = "timeout: 1s, retry: {attempts: 2, per-try-timeout: 1s}, health-check: {path: /up}";
    let mut text = format!("mesh: shop\nservice:\n  s0.svc: &base {{{base}}}\n");
    for index in 1..10_000 {
        writeln!(text, "  s{index}.svc: {{<<: *base, endpoint: ['10.0.0.1:80', '10.0.0.2:80']}}").expect("text");
    }
    assert!(!codes(&text, Syntax::Yaml).contains(&"too-large"));
}

#[test]
fn an_alias_of_itself_is_refused() {
    refused("mesh: shop\nservice: &self\n  a.svc: *self\n", Syntax::Yaml, "syntax");
}

#[test]
fn long_garbage_is_read_in_one_go() {
    for unit in ["}", "{", "\"", "a\n", "a=", ";", "\\", "#", "(", "- ", "a: ", "&a ", "\u{0}", "é", "  "] {
        let text = unit.repeat(1_000_000 / unit.len());
        for syntax in [Syntax::Kdl, Syntax::Yaml] {
            codes(&text, syntax);
        }
    }
}

#[test]
fn a_file_beyond_the_bound_is_not_read() {
    let text = " ".repeat(5_000_001);
    refused(&text, Syntax::Kdl, "too-large");
    refused(&text, Syntax::Yaml, "too-large");
}

#[test]
fn shapes_of_every_kind_are_answered() {
    for (_, make) in shapes::KDL {
        codes(&make(10_000), Syntax::Kdl);
    }
    for (_, make) in shapes::YAML {
        codes(&make(10_000), Syntax::Yaml);
    }
}

#[test]
fn many_raw_strings_on_one_line_are_read_once() {
    codes(&"#\"".repeat(1_000_000), Syntax::Kdl);
}

#[test]
fn what_the_library_is_given_is_bounded_in_all() {
    refused(&"a 0x1F 0b11\n".repeat(100_000), Syntax::Kdl, "too-large");
}

/// A change to a text: at a place, so much is left out and something put in.
fn mutated(text: &str, changes: &[(usize, usize, String)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, length, new) in changes {
        let start = at % (characters.len() + 1);
        let end = (start + length).min(characters.len());
        characters.splice(start..end, new.chars());
    }
    characters.into_iter().collect()
}

fn change() -> impl Strategy<Value = (usize, usize, String)> {
    let new = prop_oneof![
        Just(String::new()),
        "[{}\\[\\]()\"'\\\\/#*&!|>:;=,\n \t<~-]{1,3}",
        any::<char>().prop_map(String::from),
    ];
    (any::<usize>(), 0..4_usize, new)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        codes(&text, Syntax::Kdl);
        codes(&text, Syntax::Yaml);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        codes(&text, Syntax::Kdl);
        codes(&text, Syntax::Yaml);
    }

    #[test]
    fn no_change_to_a_mesh_makes_it_panic(
        mesh in generate::mesh(),
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        for syntax in [Syntax::Kdl, Syntax::Yaml] {
            codes(&mutated(&print(&mesh, syntax), &changes), syntax);
        }
    }
}

#[test]
fn variables_do_not_multiply_a_file() {
    let uses: String = (0..1_000).map(|index| format!("k{index} \"${{a}}\"\n")).collect();
    let text = "x".repeat(1_000_000);
    refused(
        &format!("mesh \"m\" {{\nvariables {{ a \"{text}\" }}\nservice \"s\" {{\nannotations {{\n{uses}}}\n}}\n}}"),
        Syntax::Kdl,
        "too-large",
    );
    let doubled: String = (1..60).map(|index| format!("v{index} \"${{v{0}}}${{v{0}}}\"\n", index - 1)).collect();
    refused(&format!("mesh \"m\" {{\nvariables {{ v0 \"x\"\n{doubled}}}\n}}"), Syntax::Kdl, "too-large");
}

#[test]
fn a_thousand_mistakes_are_shown_and_the_rest_counted() {
    let text = format!("mesh \"m\" {{\n{}}}\n", "node \"a\" bind=1\n".repeat(3_000));
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    parse(file, Syntax::Kdl, &sources, &mut found);
    assert_eq!(found.iter().count(), 1_001);
    let last = found.iter().last().expect("one");
    assert_eq!(last.message, "2000 more findings in this file are not shown");
}

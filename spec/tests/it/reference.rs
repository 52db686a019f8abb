//! The manual's page on the language says what the reader does.

use meshwright_spec::{Color, Diagnostics, Mesh, SourceFile, Sources, Syntax, parse, render};

#[track_caller]
fn read(text: &str, syntax: Syntax) -> Mesh {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("language.md", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = parse(file, syntax, &sources, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{}", render(&diagnostics, &sources, Color::Plain));
    mesh.expect("a mesh")
}

#[test]
fn each_block_of_the_page_says_the_same_in_both_syntaxes() {
    let page = include_str!("../../reference/language.md");
    let mut blocks = page.split("```").skip(1).step_by(2);
    let mut pairs = 0;
    while let Some(first) = blocks.next() {
        let kdl = first.strip_prefix("kdl\n").expect("a KDL block");
        let yaml = blocks.next().and_then(|second| second.strip_prefix("yaml\n")).expect("its YAML twin");
        assert_eq!(read(kdl, Syntax::Kdl), read(yaml, Syntax::Yaml));
        pairs += 1;
    }
    assert!(pairs > 0);
}

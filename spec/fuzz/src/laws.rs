//! What holds of every input, whatever its bytes: nothing here panics.

use meshwright_spec::{Color, Diagnostics, Mesh, Severity, SourceFile, Sources, Syntax, format, parse, print, render};

use crate::generate;

/// Reads KDL. What was found is shown; a mesh without mistakes is the same in both syntaxes.
pub(crate) fn kdl(bytes: &[u8]) {
    reads(bytes, Syntax::Kdl);
}

/// Reads YAML, as [`kdl`] does.
pub(crate) fn yaml(bytes: &[u8]) {
    reads(bytes, Syntax::Yaml);
}

/// The bytes choose a document among those of the language: it is the same in both syntaxes.
pub(crate) fn decode(bytes: &[u8]) {
    let text = generate::yaml(&generate::document_of(bytes));
    let (mesh, errors) = read(&text, Syntax::Yaml);
    if let (Some(mesh), 0) = (mesh, errors) {
        survives(&mesh);
    }
}

/// The first byte chooses the syntax of the others. Formatting changes neither what they say nor itself.
pub(crate) fn layout(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let syntax = if choice % 2 == 0 { Syntax::Kdl } else { Syntax::Yaml };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(once) = formatted(text, syntax) else { return };
    assert_eq!(formatted(&once, syntax).as_ref(), Some(&once), "{text:?} is formatted differently again");
    let (before, after) = (read(text, syntax), read(&once, syntax));
    assert_eq!(before, after, "{text:?} says something else as {once:?}");
}

fn reads(bytes: &[u8], syntax: Syntax) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let (Some(mesh), 0) = read(text, syntax) {
        survives(&mesh);
    }
}

/// The mesh of a text, and how many mistakes it has. Every place is one of the text.
fn read(text: &str, syntax: Syntax) -> (Option<Mesh>, usize) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = parse(file, syntax, &sources, &mut diagnostics);
    for label in diagnostics.iter().flat_map(|found| &found.labels) {
        let (start, end) = (label.span.start as usize, label.span.end as usize);
        assert!(text.get(start..end).is_some(), "{start}..{end} is no place of {text:?}");
    }
    render(&diagnostics, &sources, Color::Plain);
    (mesh, diagnostics.count(Severity::Error))
}

fn survives(mesh: &Mesh) {
    for syntax in [Syntax::Kdl, Syntax::Yaml] {
        let text = print(mesh, syntax);
        let (again, errors) = read(&text, syntax);
        assert_eq!(errors, 0, "what was printed has mistakes: {text}");
        assert_eq!(again.as_ref(), Some(mesh), "what was printed reads otherwise: {text}");
    }
}

fn formatted(text: &str, syntax: Syntax) -> Option<String> {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    format(text, syntax, file, &mut Diagnostics::new())
}

//! KDL, YAML and the model say the same.

use meshwright_spec::{Color, Diagnostics, Mesh, Severity, SourceFile, Sources, Syntax, parse, print, render};
use proptest::prelude::*;

use crate::generate;

fn read(text: &str, syntax: Syntax) -> Result<Mesh, String> {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = parse(file, syntax, &sources, &mut diagnostics);
    match mesh {
        Some(mesh) if diagnostics.count(Severity::Error) == 0 => Ok(mesh),
        _ => Err(render(&diagnostics, &sources, Color::Plain)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn what_is_printed_reads_back_equal_in_both_syntaxes(mesh in generate::mesh()) {
        for syntax in [Syntax::Kdl, Syntax::Yaml] {
            let text = print(&mesh, syntax);
            match read(&text, syntax) {
                Ok(again) => {
                    prop_assert_eq!(&again, &mesh, "{}", text);
                    prop_assert_eq!(print(&again, syntax), text);
                }
                Err(report) => prop_assert!(false, "{report}\n{text}"),
            }
        }
    }
}

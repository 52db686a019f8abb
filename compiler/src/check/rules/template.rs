//! A template is one that our filter can fill, and fills with what may be shown.

use policy::{LONGEST_TEMPLATE, Template};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (edits, _) in everywhere::templated_edits(mesh) {
        for header in edits.set.iter().chain(&edits.add).chain(&edits.default) {
            diagnostics.extend(mistake(&header.value));
        }
    }
}

fn mistake(text: &Spanned<String>) -> Option<Diagnostic> {
    let refused =
        |label: String| Diagnostic::error(codes::INVALID_VALUE, text.span, "this is no template").label(label);
    let error = match Template::parse(&text.value) {
        Err(error) => error,
        Ok(_) if text.value.len() > LONGEST_TEMPLATE => {
            return Some(refused(format!("it is longer than {LONGEST_TEMPLATE} bytes")));
        }
        Ok(_) => return None,
    };
    let piece = text.value.get(error.at.clone()).unwrap_or_default();
    let place = text.value.get(..error.at.start).map_or(0, |before| before.chars().count()) + 1;
    let label = match piece {
        "" => format!("at character {place}: {}", error.kind.message()),
        piece => format!("`{piece}` at character {place}: {}", error.kind.message()),
    };
    let known = Template::words().collect::<Vec<_>>().join("`, `");
    Some(refused(label).help(format!("a value is `header:NAME`, `cookie:NAME`, `query:NAME`, or one of `{known}`")))
}

//! "Did you mean …?" for names of the mesh.

use spec::{Diagnostic, Diagnostics};

/// Findings before there are no more suggestions: whoever has as many has another problem, and each suggestion looks at
/// every name there is.
const MAX_SUGGESTED: usize = 100;

/// Adds the nearest candidate as help, if one is near and not too much was found so far.
pub(crate) fn did_you_mean<'a>(
    diagnostic: Diagnostic,
    wanted: &str,
    candidates: impl Iterator<Item = &'a str>,
    found: &Diagnostics,
) -> Diagnostic {
    if found.iter().nth(MAX_SUGGESTED).is_some() {
        return diagnostic;
    }
    match spec::suggest::closest(wanted, candidates) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

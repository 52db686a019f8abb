//! "Did you mean …?" for names of the mesh.

use spec::Diagnostic;

/// Adds the nearest candidate as help, if one is near.
pub(crate) fn did_you_mean<'a>(
    diagnostic: Diagnostic,
    wanted: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    match spec::suggest::closest(wanted, candidates) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

//! What the fuzz targets call; `tests/it/fuzz.rs` calls the same laws on every file of the corpora.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/generate.rs"]
mod generate;
mod laws;

/// Any text as KDL.
pub fn kdl(bytes: &[u8]) {
    laws::kdl(bytes);
}

/// Any text as YAML.
pub fn yaml(bytes: &[u8]) {
    laws::yaml(bytes);
}

/// A document of the language, in both syntaxes.
pub fn decode(bytes: &[u8]) {
    laws::decode(bytes);
}

/// Any text, formatted.
pub fn format(bytes: &[u8]) {
    laws::layout(bytes);
}

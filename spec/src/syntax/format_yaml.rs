//! YAML text in the layout of `pretty_yaml`.
//!
//! The text is one that our reader took: its depth and size are bounded, which the library needs.

use pretty_yaml::config::{FormatOptions, LanguageOptions, LayoutOptions};

/// Comments and texts take a tenth of a kilobyte for each byte.
pub(crate) const MAX_BYTES: usize = 1_000_000;

/// The library keeps the columns in which blocks begin as bits of a word, and counts wrongly beyond it.
const MAX_INDENT: usize = 60;

/// Two spaces for each level, lists and mappings of one line as they are. `None` when the library does not understand
/// the text, has more than one opinion on it, or cannot count so far.
pub(crate) fn format(text: &str) -> Option<String> {
    // A block begins behind spaces and the signs of the lists and mappings around it.
    let indent =
        |line: &str| line.chars().take_while(|at| at.is_whitespace() || at.is_control() || "-?:".contains(*at)).count();
    if text.split('\n').any(|line| indent(line) > MAX_INDENT) {
        return None;
    }
    let once = lay_out(text)?;
    let twice = lay_out(&once)?;
    if once == twice {
        return Some(once);
    }
    let thrice = lay_out(&twice)?;
    (twice == thrice).then_some(twice)
}

fn lay_out(text: &str) -> Option<String> {
    let layout = LayoutOptions { print_width: 100, ..LayoutOptions::default() };
    let language =
        LanguageOptions { brace_spacing: false, trim_trailing_whitespaces: true, ..LanguageOptions::default() };
    let formatted = pretty_yaml::format_text(text, &FormatOptions { layout, language }).ok()?;
    // An empty text stays empty: the library makes a line of it.
    let empty = formatted.chars().all(|character| character.is_whitespace() || character == '\u{feff}');
    Some(if empty { String::new() } else { formatted })
}

//! How one text is written so that no reader of YAML takes it for anything else.

use std::borrow::Cow;
use std::fmt::Write;

/// The words that some version of YAML reads as a boolean, a null or a number, in lower case.
const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];

/// The text as it is where that is safe, otherwise in quotes. Never more than one line.
pub(crate) fn on_one_line(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let needs_escapes = text.chars().any(needs_escape);
    if !needs_escapes && text.contains(['"', '\\']) {
        return Cow::Owned(format!("'{}'", text.replace('\'', "''")));
    }
    Cow::Owned(double_quoted(text))
}

/// `|` or `|-` for a text of several lines that a literal block keeps to the letter.
pub(crate) fn block_header(text: &str) -> Option<&'static str> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let several_lines = text.contains('\n') && !body.is_empty();
    let kept = |line: &str| line.is_empty() || !(line.trim_ascii().is_empty() || line.starts_with('\t'));
    let safe = several_lines
        && !text.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && text.split('\n').all(kept)
        && !text.chars().any(|character| needs_escape(character) && !matches!(character, '\n' | '\t'));
    match (safe, text.ends_with('\n')) {
        (false, _) => None,
        (true, true) => Some("|"),
        (true, false) => Some("|-"),
    }
}

/// A decimal with a point and a signed exponent: the one form that is a number everywhere.
pub(crate) fn float(value: f64) -> String {
    let text = format!("{value:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// Deliberately narrow: quotes that are not needed do no harm.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    let starts_as_text = first.is_ascii_alphanumeric() || matches!(first, b'_' | b'/' | b'$' | b'^' | b'(');
    starts_as_text
        && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && !matches!(last, b' ' | b':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        && !(first.is_ascii_digit() && bytes.iter().all(|byte| occurs_in_numbers(*byte)))
}

/// Digits of any base, signs, groups, fractions, exponents, sexagesimals, dates and times.
fn occurs_in_numbers(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
        || matches!(byte, b'_' | b',' | b'.' | b'+' | b'-' | b':' | b' ')
        || matches!(byte.to_ascii_lowercase(), b'x' | b'o' | b't' | b'z')
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            character if needs_escape(character) => {
                let code = u32::from(character);
                let written = match code {
                    0..=0xff => write!(quoted, "\\x{code:02x}"),
                    0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
                written.expect("a string takes every write");
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Controls, line breaks of YAML 1.1, byte order marks and what Unicode never assigns.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
        || u32::from(character) & 0xfffe == 0xfffe
}

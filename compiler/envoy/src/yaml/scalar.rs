//! How one text is written so that no reader of YAML takes it for anything else.

use std::fmt::Write;

/// The words that some version of YAML reads as a boolean, a null or a number, in lower case.
const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];

const LONGEST_WORD: usize = 5;

/// Adds the text as it is where that is safe, otherwise in quotes. Never more than one line.
pub(crate) fn on_one_line(text: &str, out: &mut String) {
    let class = Class::of(text);
    if is_plain(text, class) {
        return out.push_str(text);
    }
    let needs_escapes = !class.all(PRINTABLE) && text.chars().any(needs_escape);
    let has_quotes = class.any(QUOTED);
    if !needs_escapes && !has_quotes {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else if !needs_escapes {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        double_quoted(text, out);
    }
}

/// As [`on_one_line`], for a text of letters, digits and underscores of which the first is a letter.
pub(crate) fn name(name: &str, out: &mut String) {
    if name.len() > LONGEST_WORD { out.push_str(name) } else { on_one_line(name, out) }
}

/// `|` or `|-` for a text of several lines that a literal block keeps to the letter.
pub(crate) fn block_header(text: &str) -> Option<&'static str> {
    if !text.contains('\n') {
        return None;
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    let kept = |line: &str| line.is_empty() || !(line.trim_ascii().is_empty() || line.starts_with('\t'));
    let safe = !body.is_empty()
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
fn is_plain(text: &str, class: Class) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    let starts_as_text = first.is_ascii_alphanumeric() || matches!(first, b'_' | b'/' | b'$' | b'^' | b'(');
    starts_as_text
        && class.all(PRINTABLE)
        && !matches!(last, b' ' | b':')
        && !(class.any(SPACE) && (text.contains(": ") || text.contains(" #")))
        && !(text.len() <= LONGEST_WORD && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)))
        && !(first.is_ascii_digit() && class.all(NUMERIC))
}

/// A character of ASCII that is not a control.
const PRINTABLE: u8 = 1;
/// Digits of any base, signs, groups, fractions, exponents, sexagesimals, dates and times.
const NUMERIC: u8 = 2;
const SPACE: u8 = 4;
/// What double quotes would have to escape.
const QUOTED: u8 = 8;

const CLASSES: [u8; 256] = classes();

/// What all of a text's bytes are, and what any of them is.
#[derive(Clone, Copy)]
struct Class {
    all: u8,
    any: u8,
}

impl Class {
    fn of(text: &str) -> Self {
        text.bytes().fold(Class { all: u8::MAX, any: 0 }, |class, byte| {
            let of_byte = CLASSES[usize::from(byte)];
            Class { all: class.all & of_byte, any: class.any | of_byte }
        })
    }

    fn all(self, class: u8) -> bool {
        self.all & class != 0
    }

    fn any(self, class: u8) -> bool {
        self.any & class != 0
    }
}

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let character = byte as u8;
        if matches!(character, b' '..=b'~') {
            classes[byte] |= PRINTABLE;
        }
        if character.is_ascii_hexdigit()
            || matches!(character, b'_' | b',' | b'.' | b'+' | b'-' | b':' | b' ')
            || matches!(character.to_ascii_lowercase(), b'x' | b'o' | b't' | b'z')
        {
            classes[byte] |= NUMERIC;
        }
        if character == b' ' {
            classes[byte] |= SPACE;
        }
        if matches!(character, b'"' | b'\\') {
            classes[byte] |= QUOTED;
        }
        byte += 1;
    }
    classes
}

fn double_quoted(text: &str, quoted: &mut String) {
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
}

/// Controls, line breaks of YAML 1.1, byte order marks and what Unicode never assigns.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
        || u32::from(character) & 0xfffe == 0xfffe
}

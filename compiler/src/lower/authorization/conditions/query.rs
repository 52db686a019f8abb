//! Parameters as they are written in the path, one after another.
//!
//! Applications read `%61` as `a`. Characters that callers must escape are therefore taken in either form. Nobody has a
//! reason to escape letters and digits: a query that does so is refused by what refuses, and not what lets pass.

use spec::mesh::{QueryMatch, QueryValueMatch};

use super::{Values, quote};
use crate::envoy::rbac::{Condition, all_of, any_of, header, not, regex};

/// What escapes a letter, a digit, `-`, `.` or `_`, anywhere in a query.
const DISGUISE: &str = r"[^?]*\?.*%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|2[DEde]|5[Ff]).*";

pub(super) fn of(said: &QueryMatch, values: Values) -> Condition {
    let name = written(&said.name.value);
    let ignore_case = said.ignore_case.as_ref().is_some_and(|said| said.value);
    let folded = |pattern: String| if ignore_case { format!("(?i:{pattern})") } else { pattern };
    let value = match &said.value.value {
        QueryValueMatch::Exact(said) if said.is_empty() => "=?".to_owned(),
        QueryValueMatch::Exact(said) => format!("={}", folded(written(said))),
        QueryValueMatch::Prefix(said) => format!("={}[^&]*", folded(written(said))),
        QueryValueMatch::Suffix(said) => format!("=[^&]*{}", folded(written(said))),
        QueryValueMatch::Contains(said) => format!("=[^&]*{}[^&]*", folded(written(said))),
        QueryValueMatch::Regex(said) => format!("=(?:{})", folded(said.clone())),
        QueryValueMatch::Present => "(?:=[^&]*)?".to_owned(),
    };
    let path = |pattern: String| header(":path", regex(pattern), false);
    let once = path(format!(r"[^?]*\?(?:.*&)?{name}{value}(?:&.*)?"));
    let again = path(format!(r"[^?]*\?(?:.*&)?{name}(?:=[^&]*)?&(?:.*&)?{name}(?:[=&].*)?"));
    let disguised = path(DISGUISE.to_owned());
    match values {
        Values::Any => any_of(vec![once, disguised]),
        Values::All => all_of(vec![once, not(any_of(vec![again, disguised]))]),
    }
}

/// A text in whatever way queries write it. What the mesh itself escapes means the character.
fn written(text: &str) -> String {
    let decoded = String::from_utf8(decoded(text)).unwrap_or_else(|_| text.to_owned());
    decoded.chars().map(in_any_way).collect()
}

fn in_any_way(character: char) -> String {
    let plain = quote(&character.to_string());
    match character {
        _ if character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_') => plain,
        ' ' => r"(?:\+|%20)".to_owned(),
        // As it is it would end the parameter.
        '&' => escaped(character),
        _ => format!("(?:{plain}|{})", escaped(character)),
    }
}

/// As `%2F`, in letters of either case.
fn escaped(character: char) -> String {
    let bytes = character.to_string().into_bytes();
    let digits = bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let either = |digit: char| match digit.is_ascii_alphabetic() {
        true => format!("[{digit}{}]", digit.to_ascii_lowercase()),
        false => digit.to_string(),
    };
    digits.chars().map(either).collect()
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let value = digit(0).zip(digit(1)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        match value.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

//! Structured fields (RFC 8941): dictionaries of items and inner lists, as signatures of requests need them.
//!
//! Stricter than the RFC where it forgives: a key that repeats, zeros before a number, a decimal, or more of anything than
//! a request needs makes the whole field invalid. What is valid stands there in its canonical form, but for white space.
//! No crate: those there are need the standard library.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// With or without padding; leftover bits are refused.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// So many members, items or parameters; a field with more is invalid, so that comparing each with each is cheap.
const MOST: usize = 64;

/// A member of a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member<'f> {
    Item(Item<'f>),
    List(Vec<Item<'f>>, Parameters<'f>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item<'f> {
    pub(crate) value: Bare,
    /// As it stands there, which is its canonical form.
    text: &'f [u8],
    pub(crate) parameters: Parameters<'f>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    Integer(i64),
    Text(String),
    /// Nothing here is said by a token.
    Token,
    Bytes(Vec<u8>),
    Boolean(bool),
}

/// In order; no key is there twice.
pub(crate) type Parameters<'f> = Vec<Parameter<'f>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter<'f> {
    pub(crate) key: &'f [u8],
    pub(crate) value: Bare,
    text: &'f [u8],
}

/// Reads a dictionary, in order; no key is there twice. None if any byte of it is wrong.
pub(crate) fn dictionary(field: &[u8]) -> Option<Vec<(&[u8], Member<'_>)>> {
    let mut reader = Reader { rest: field };
    reader.skip(b" ");
    let mut members = Vec::new();
    while !reader.rest.is_empty() {
        let key = reader.key()?;
        if members.len() >= MOST || members.iter().any(|(known, _)| *known == key) {
            return None;
        }
        let member = match reader.take(b'=') {
            true => reader.member()?,
            false => Member::Item(Item { value: TRUE, text: b"?1", parameters: reader.parameters()? }),
        };
        members.push((key, member));
        // White space may stand around commas and at the end.
        reader.skip(b" \t");
        if reader.rest.is_empty() {
            break;
        }
        let more = reader.take(b',');
        reader.skip(b" \t");
        if !more || reader.rest.is_empty() {
            return None;
        }
    }
    Some(members)
}

/// An inner list in its one canonical form.
pub(crate) fn write_list(items: &[Item<'_>], parameters: &[Parameter<'_>]) -> Vec<u8> {
    let mut text = Vec::from(b"(");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        text.extend(item.text);
        write_parameters(&item.parameters, &mut text);
    }
    text.push(b')');
    write_parameters(parameters, &mut text);
    text
}

/// A string in quotes. What it cannot hold is left out.
pub(crate) fn write_text(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars().filter(|character| matches!(character, ' '..='~')) {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

const TRUE: Bare = Bare::Boolean(true);

fn write_parameters(parameters: &[Parameter<'_>], text: &mut Vec<u8>) {
    for parameter in parameters {
        text.push(b';');
        text.extend(parameter.key);
        if parameter.value != TRUE {
            text.push(b'=');
            text.extend(parameter.text);
        }
    }
}

struct Reader<'f> {
    rest: &'f [u8],
}

impl<'f> Reader<'f> {
    fn skip(&mut self, any: &[u8]) {
        self.while_is(|byte| any.contains(&byte));
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.rest.strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn while_is(&mut self, wanted: impl Fn(u8) -> bool) -> &'f [u8] {
        let end = self.rest.iter().position(|byte| !wanted(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        taken
    }

    fn key(&mut self) -> Option<&'f [u8]> {
        let starts = self.rest.first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'*');
        let key = self.while_is(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte));
        starts.then_some(key)
    }

    fn member(&mut self) -> Option<Member<'f>> {
        if !self.take(b'(') {
            return self.item().map(Member::Item);
        }
        let mut items = Vec::new();
        loop {
            self.skip(b" ");
            if self.take(b')') {
                return Some(Member::List(items, self.parameters()?));
            }
            if items.len() >= MOST {
                return None;
            }
            items.push(self.item()?);
            if !matches!(self.rest.first(), Some(b' ' | b')')) {
                return None;
            }
        }
    }

    fn item(&mut self) -> Option<Item<'f>> {
        let (value, text) = self.bare()?;
        Some(Item { value, text, parameters: self.parameters()? })
    }

    fn parameters(&mut self) -> Option<Parameters<'f>> {
        let mut parameters: Parameters<'f> = Vec::new();
        while self.take(b';') {
            self.skip(b" ");
            let key = self.key()?;
            if parameters.len() >= MOST || parameters.iter().any(|known| known.key == key) {
                return None;
            }
            let (value, text) = if self.take(b'=') { self.bare()? } else { (TRUE, &b"?1"[..]) };
            parameters.push(Parameter { key, value, text });
        }
        Some(parameters)
    }

    fn bare(&mut self) -> Option<(Bare, &'f [u8])> {
        let start = self.rest;
        let value = match start.first()? {
            b'"' => self.text().map(Bare::Text)?,
            b':' => self.bytes().map(Bare::Bytes)?,
            b'?' => self.boolean().map(Bare::Boolean)?,
            b'-' | b'0'..=b'9' => self.integer().map(Bare::Integer)?,
            b'*' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.while_is(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte));
                Bare::Token
            }
            _ => return None,
        };
        let length = start.len().checked_sub(self.rest.len())?;
        Some((value, start.get(..length)?))
    }

    fn text(&mut self) -> Option<String> {
        let mut value = String::new();
        self.take(b'"');
        loop {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return Some(value),
                b'\\' => {
                    let (escaped, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    value.push(matches!(escaped, b'"' | b'\\').then_some(char::from(*escaped))?);
                }
                b' '..=b'~' => value.push(char::from(*byte)),
                _ => return None,
            }
        }
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        self.take(b':');
        let encoded = self.while_is(|byte| byte != b':');
        self.take(b':').then_some(())?;
        BASE64.decode(encoded).ok()
    }

    fn boolean(&mut self) -> Option<bool> {
        self.take(b'?');
        if self.take(b'1') {
            return Some(true);
        }
        self.take(b'0').then_some(false)
    }

    /// Zeros before a number are not its canonical form.
    fn integer(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        let digits = self.while_is(|byte| byte.is_ascii_digit());
        let canonical = match digits {
            [] => false,
            [b'0'] => !negative,
            [first, ..] => *first != b'0',
        };
        if !canonical || digits.len() > 15 || self.rest.first() == Some(&b'.') {
            return None;
        }
        let mut value = 0_i64;
        for digit in digits {
            value = value.checked_mul(10)?.checked_add(i64::from(digit.checked_sub(b'0')?))?;
        }
        if negative { value.checked_neg() } else { Some(value) }
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec::Vec;

    use expect_test::{Expect, expect};

    use super::{Bare, Member, dictionary, write_list, write_parameters};

    /// Each member in its canonical form, or `invalid`.
    #[track_caller]
    fn check(field: &str, expected: Expect) {
        let Some(members) = dictionary(field.as_bytes()) else { return expected.assert_eq("invalid") };
        let written = members.iter().map(|(key, member)| {
            let mut text = Vec::new();
            match member {
                Member::List(items, parameters) => text = write_list(items, parameters),
                Member::Item(item) => {
                    text.extend(item.text);
                    write_parameters(&item.parameters, &mut text);
                }
            }
            std::format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(&text))
        });
        expected.assert_eq(&written.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn everything_a_signature_needs_is_read_and_written_canonically() {
        check(
            r#" sig1=( "@method"  "x-a";req );created=12;keyid="a\"\\b"; alg=tok/en, b=:AQI=:;x=?1;y=?0 ,c;d=-7 "#,
            expect![[r#"
                sig1=("@method" "x-a";req);created=12;keyid="a\"\\b";alg=tok/en
                b=:AQI=:;x;y=?0
                c=?1;d=-7"#]],
        );
        check("", expect![[r#""#]]);
        check("a=()", expect!["a=()"]);
    }

    #[test]
    fn any_wrong_byte_makes_all_of_it_invalid() {
        let wrong = [
            "A=1",
            "a=",
            "a=1,",
            "a=1,,b=2",
            "a=1 b=2",
            ",",
            "a=(",
            "a=(1",
            "a=(\"x\"\"y\")",
            "a=\"x",
            "a=\"\\n\"",
            "a=\"\u{7f}\"",
            "a=:AQ",
            "a=:A Q=:",
            "a=:AR==:",
            "a=:%%:",
            "a=?2",
            "a=-",
            "a=1.5",
            "a=1234567890123456",
            "a=@1",
            "a;=1",
            "a;B",
            "a=((1))",
            "a=1;b=(1)",
            "\ta=1",
            "a=1\r\n",
        ];
        for field in wrong {
            assert_eq!(dictionary(field.as_bytes()), None, "{field}");
        }
    }

    #[test]
    fn nothing_repeats() {
        assert_eq!(dictionary(b"a=1, a=2"), None);
        assert_eq!(dictionary(b"a=1;b=1;b=2"), None);
    }

    #[test]
    fn a_field_without_measure_is_invalid() {
        let many = |count: usize| (0..count).map(|it| std::format!("k{it}")).collect::<Vec<_>>();
        assert!(dictionary(many(64).join(",").as_bytes()).is_some());
        assert!(dictionary(many(65).join(",").as_bytes()).is_none());
        assert!(dictionary(std::format!("a=({})", many(65).join(" ")).as_bytes()).is_none());
        assert!(dictionary(std::format!("a=1;{}", many(65).join(";")).as_bytes()).is_none());
    }

    #[test]
    fn bytes_are_read_with_or_without_padding() {
        let read = |field: &[u8]| match dictionary(field).as_deref() {
            Some([(_, Member::Item(item))]) => Some(item.value.clone()),
            _ => None,
        };
        assert_eq!(read(b"a=:AQ==:"), Some(Bare::Bytes([1].into())));
        assert_eq!(read(b"a=:AQ:"), Some(Bare::Bytes([1].into())));
    }
}

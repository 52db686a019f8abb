//! Where keys stand in a request, and the request without one.

use alloc::borrow::{Cow, ToOwned};
use alloc::vec::Vec;

use super::ApiKeySource;
use crate::{HeaderEdit, Headers, Request, SingleHeader};

const AUTHORIZATION: &str = "authorization";
const COOKIE: &str = "cookie";
const PATH: &str = ":path";

/// The places where keys stand.
#[derive(Debug)]
pub(super) struct Sources {
    all: Vec<ApiKeySource>,
    needs: Needs,
}

/// What must be fetched of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Authorization,
    Path,
    Everything,
}

/// A key that a request brings.
pub(super) struct Found<'s> {
    pub(super) key: Vec<u8>,
    pub(super) source: &'s ApiKeySource,
}

/// As much of a request as is needed.
pub(super) struct View {
    authorization: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    headers: Headers,
}

impl Sources {
    pub(super) fn new(mut all: Vec<ApiKeySource>) -> Sources {
        for source in &mut all {
            if let ApiKeySource::Header(header) = source {
                header.name.make_ascii_lowercase();
            }
        }
        let needs = match &*all {
            [ApiKeySource::Header(header)] if header.name == AUTHORIZATION => Needs::Authorization,
            [ApiKeySource::Query(_)] => Needs::Path,
            _ => Needs::Everything,
        };
        Sources { all, needs }
    }

    pub(super) fn view(&self, request: &mut dyn Request) -> View {
        let mut view = View { authorization: None, path: None, headers: Headers::default() };
        match self.needs {
            Needs::Authorization => view.authorization = request.single(SingleHeader::Authorization),
            Needs::Path => view.path = request.single(SingleHeader::Path),
            Needs::Everything => view.headers = request.all(),
        }
        view
    }

    /// Every key that the request brings, in every place: no value is trusted for being the first.
    pub(super) fn keys(&self, view: &View) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        for source in &self.all {
            let mut add = |key: Vec<u8>| found.push(Found { key, source });
            match source {
                ApiKeySource::Header(header) => {
                    for value in view.values(&header.name) {
                        after(header.scheme.as_deref(), value).into_iter().for_each(|key| add(key.to_vec()));
                    }
                }
                ApiKeySource::Query(name) => {
                    let (_, query) = split(view.path());
                    for pair in parameters(query.unwrap_or_default()) {
                        named(pair, name).into_iter().for_each(|key| add(decoded(key).into_owned()));
                    }
                }
                ApiKeySource::Cookie(name) => {
                    for pair in view.cookies() {
                        cookie(pair, name).into_iter().for_each(|key| add(key.to_vec()));
                    }
                }
            }
        }
        found
    }
}

impl View {
    /// The request without what stands in a place. Everything else stays as it is, byte for byte, but that cookies
    /// become one header, which says the same (RFC 9113, 8.2.3).
    pub(super) fn without(&self, source: &ApiKeySource) -> HeaderEdit {
        match source {
            ApiKeySource::Header(header) => HeaderEdit::Remove { name: header.name.clone() },
            ApiKeySource::Query(name) => {
                let (path, query) = split(self.path());
                let mut value = path.to_vec();
                let mut separator = b'?';
                for pair in parameters(query.unwrap_or_default()).filter(|pair| named(pair, name).is_none()) {
                    value.push(separator);
                    value.extend(pair);
                    separator = b'&';
                }
                HeaderEdit::Replace { name: PATH.to_owned(), value }
            }
            ApiKeySource::Cookie(name) => {
                let mut value = Vec::new();
                for pair in self.cookies().filter(|pair| cookie(pair, name).is_none()) {
                    if !value.is_empty() {
                        value.extend(b"; ");
                    }
                    value.extend(pair);
                }
                let name = COOKIE.to_owned();
                if value.is_empty() { HeaderEdit::Remove { name } } else { HeaderEdit::Replace { name, value } }
            }
        }
    }

    fn values<'v>(&'v self, name: &'v str) -> impl Iterator<Item = &'v [u8]> {
        let alone = self.authorization.as_deref().filter(|_| name == AUTHORIZATION);
        alone.into_iter().chain(self.headers.values(name.as_bytes()))
    }

    fn path(&self) -> &[u8] {
        let alone = self.path.as_deref();
        alone.or_else(|| self.headers.values(PATH.as_bytes()).next()).unwrap_or_default()
    }

    fn cookies(&self) -> impl Iterator<Item = &[u8]> {
        let pairs = self.values(COOKIE).flat_map(|header| header.split(|byte| *byte == b';'));
        pairs.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
    }
}

/// What stands behind the word and its spaces, if the value begins with it.
fn after<'v>(scheme: Option<&str>, value: &'v [u8]) -> Option<&'v [u8]> {
    let Some(scheme) = scheme else { return Some(value) };
    let (word, rest) = value.split_at_checked(scheme.len())?;
    let key = rest.strip_prefix(b" ")?;
    word.eq_ignore_ascii_case(scheme.as_bytes()).then(|| key.trim_ascii_start())
}

fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

fn parameters(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|byte| *byte == b'&')
}

/// The value of a parameter with this name, however it is written.
fn named<'q>(pair: &'q [u8], name: &str) -> Option<&'q [u8]> {
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let found = decoded(parts.next().unwrap_or_default());
    (*found == *name.as_bytes()).then(|| parts.next().unwrap_or_default())
}

/// Percent-encoded bytes as themselves; what is no encoding stays.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let digits = (*byte == b'%').then(|| after.split_first_chunk::<2>()).flatten();
        let encoded = digits.and_then(|(digits, after)| Some((hex(*digits)?, after)));
        match encoded {
            Some((encoded, after)) => {
                bytes.push(encoded);
                rest = after;
            }
            None => bytes.push(*byte),
        }
    }
    Cow::Owned(bytes)
}

fn hex(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high?.checked_mul(16)?.checked_add(low?)?).ok()
}

/// The value of a cookie with this name, without its quotes.
fn cookie<'h>(pair: &'h [u8], name: &str) -> Option<&'h [u8]> {
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    if parts.next()?.trim_ascii_end() != name.as_bytes() {
        return None;
    }
    let value = parts.next()?.trim_ascii_start();
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some(quoted.unwrap_or(value))
}

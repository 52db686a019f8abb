//! What a request fills into templates.

use alloc::vec::Vec;

use super::{Source, is_control};
use crate::{Env, Headers, Property, Request, SingleHeader, calendar};

/// The values of one request, each fetched when it is first asked for.
pub struct Values<'r> {
    request: &'r mut dyn Request,
    all: Option<Headers>,
}

impl<'r> Values<'r> {
    /// Of a request of which single headers are enough: fetching all costs as much as two.
    pub fn single(request: &'r mut dyn Request) -> Values<'r> {
        Values { request, all: None }
    }

    /// Of a request of which all headers are needed.
    pub fn all(request: &'r mut dyn Request) -> Values<'r> {
        let all = Some(request.all());
        Values { request, all }
    }

    /// The one value that the request has; none where it has several.
    pub fn get(&mut self, source: &Source, env: &mut dyn Env) -> Option<Vec<u8>> {
        let value = match source {
            Source::Header(name) => only(self.headers().values(name.as_bytes())).map(<[u8]>::to_vec),
            Source::Cookie(name) => cookie(self.headers(), name.as_bytes()),
            Source::Query(name) => query(&self.single_header(SingleHeader::Path)?, name.as_bytes()),
            Source::Method => self.single_header(SingleHeader::Method),
            Source::Path => self.single_header(SingleHeader::Path).map(|target| path(&target)),
            Source::Authority => self.single_header(SingleHeader::Authority),
            Source::Scheme => only(self.headers().values(b":scheme")).map(<[u8]>::to_vec),
            Source::RequestId => self.single_header(SingleHeader::RequestId),
            Source::SourceAddress => self.request.property(Property::SourceAddress).map(|address| host(&address)),
            Source::Peer => self.request.property(Property::PeerUri),
            Source::Time => Some(calendar::rfc3339(env.unix_nanos() / NANOS)),
            Source::UnixSeconds => Some(calendar::decimal(env.unix_nanos() / NANOS)),
            Source::UnixMillis => Some(calendar::decimal(env.unix_nanos() / 1_000_000)),
        };
        value.filter(|value| !value.is_empty() && !value.iter().any(|byte| is_control(*byte)))
    }

    /// All headers.
    pub fn headers(&mut self) -> &Headers {
        self.all.get_or_insert_with(|| self.request.all())
    }

    fn single_header(&mut self, header: SingleHeader) -> Option<Vec<u8>> {
        match &self.all {
            Some(all) => only(all.values(header.name().as_bytes())).map(<[u8]>::to_vec),
            None => self.request.single(header),
        }
    }
}

const NANOS: u64 = 1_000_000_000;

fn only<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Option<&'v [u8]> {
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// The value of the only cookie with this name, in whatever `cookie` header it is.
pub(crate) fn cookie(headers: &Headers, wanted: &[u8]) -> Option<Vec<u8>> {
    let pairs = headers.values(b"cookie").flat_map(|line| line.split(|byte| *byte == b';'));
    let values = pairs.filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(at)?;
        (name.trim_ascii() == wanted).then(|| value.get(1..).unwrap_or_default().trim_ascii())
    });
    only(values).map(<[u8]>::to_vec)
}

/// The decoded value of the only parameter with this name, which is compared decoded, too.
fn query(target: &[u8], wanted: &[u8]) -> Option<Vec<u8>> {
    let target = target.split(|byte| *byte == b'#').next()?;
    let at = target.iter().position(|byte| *byte == b'?')?;
    let query = target.get(at.saturating_add(1)..)?;
    let mut found = None;
    for pair in query.split(|byte| *byte == b'&') {
        let mut sides = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
        if decoded(name) != wanted {
            continue;
        }
        if found.is_some() {
            return None;
        }
        found = Some(decoded(value));
    }
    found
}

/// A part of a query as forms write it: `+` is a space. What is no escape stays as it is.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = tail;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    bytes
}

fn digit(hexadecimal: u8) -> u8 {
    let digit = char::from(hexadecimal).to_digit(16).unwrap_or_default();
    u8::try_from(digit).unwrap_or_default()
}

/// The path without query and fragment.
fn path(target: &[u8]) -> Vec<u8> {
    target.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default().to_vec()
}

/// An address without its port: `10.0.0.1:80`, `[::1]:80`. What is no address with a port stays as it is.
fn host(address: &[u8]) -> Vec<u8> {
    let end = address.iter().rposition(|byte| *byte == b':').unwrap_or(address.len());
    let host = address.get(..end).unwrap_or_default();
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    host.to_vec()
}

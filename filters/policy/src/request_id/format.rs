//! How ids look, are made and are recognised.

use alloc::vec::Vec;

use serde::Serialize;

use crate::{Decode, Env, Invalid};

/// The form of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestIdFormat {
    /// RFC 9562, 5.4: by chance.
    Uuid4,
    /// RFC 9562, 5.7: milliseconds since 1970, then by chance; later ids sort after earlier ones.
    Uuid7,
    /// 26 letters and digits, as `Uuid7` without a version: <https://github.com/ulid/spec>.
    Ulid,
    /// 32 hexadecimal digits by chance.
    Hex,
}

impl Decode for RequestIdFormat {
    fn blank() -> RequestIdFormat {
        RequestIdFormat::Uuid4
    }

    fn decode(value: &crate::Value) -> Result<RequestIdFormat, Invalid> {
        match value.as_str() {
            Some("uuid4") => Ok(RequestIdFormat::Uuid4),
            Some("uuid7") => Ok(RequestIdFormat::Uuid7),
            Some("ulid") => Ok(RequestIdFormat::Ulid),
            Some("hex") => Ok(RequestIdFormat::Hex),
            _ => Err(Invalid::new("`uuid4`, `uuid7`, `ulid` or `hex` is expected")),
        }
    }
}

/// The place of the version in a UUID's text.
const VERSION: usize = 14;
/// The place of the variant.
const VARIANT: usize = 19;
/// Crockford's digits of base 32.
const BASE_32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl RequestIdFormat {
    /// A new id.
    pub(super) fn make(self, env: &mut dyn Env) -> Vec<u8> {
        let chance = u128::from(env.random()) << 64 | u128::from(env.random());
        let mut millis = || u128::from(env.unix_nanos() / 1_000_000) << 80;
        // The first 48 bits are the time.
        let by_chance = u128::MAX >> 48;
        match self {
            RequestIdFormat::Uuid4 => uuid(chance, 4),
            RequestIdFormat::Uuid7 => uuid(millis() | chance & by_chance, 7),
            RequestIdFormat::Ulid => ulid(millis() | chance & by_chance),
            RequestIdFormat::Hex => digits(chance).collect(),
        }
    }

    /// Whether a text is such an id. UUIDs and hexadecimal digits may be in either case.
    pub(super) fn is(self, id: &[u8]) -> bool {
        match self {
            // Envoy writes into the version whether a request is traced.
            RequestIdFormat::Uuid4 => is_uuid(id, b"49abAB"),
            RequestIdFormat::Uuid7 => is_uuid(id, b"7"),
            RequestIdFormat::Ulid => {
                let known = |byte: &u8| BASE_32.contains(&byte.to_ascii_uppercase());
                id.len() == 26 && id.first().is_some_and(|first| *first <= b'7') && id.iter().all(known)
            }
            RequestIdFormat::Hex => id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit),
        }
    }
}

/// Takes over from Envoy's id of a request whether the request is traced.
pub(super) fn keep_trace(mut id: Vec<u8>, envoys: &[u8]) -> Vec<u8> {
    let known = is_uuid(envoys, b"49ab").then(|| envoys.get(VERSION)).flatten();
    if let (Some(ours), Some(known)) = (id.get_mut(VERSION), known) {
        *ours = *known;
    }
    id
}

fn uuid(bits: u128, version: u128) -> Vec<u8> {
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | version << 76 | 0b10 << 62;
    let mut text = Vec::with_capacity(36);
    for digit in digits(bits) {
        if DASHES.contains(&text.len()) {
            text.push(b'-');
        }
        text.push(digit);
    }
    text
}

const DASHES: [usize; 4] = [8, 13, 18, 23];

fn is_uuid(id: &[u8], versions: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        VERSION => versions.contains(byte),
        VARIANT => b"89abAB".contains(byte),
        _ if DASHES.contains(&at) => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    id.len() == 36 && id.iter().enumerate().all(fits)
}

fn ulid(bits: u128) -> Vec<u8> {
    let digit = |place: u32| {
        let value = bits >> place.saturating_mul(5) & 31;
        usize::try_from(value).ok().and_then(|value| BASE_32.get(value)).copied().unwrap_or(b'0')
    };
    (0..26).rev().map(digit).collect()
}

fn digits(bits: u128) -> impl Iterator<Item = u8> {
    let digit = move |place: u32| {
        let value = bits >> place.saturating_mul(4) & 15;
        usize::try_from(value).ok().and_then(|value| b"0123456789abcdef".get(value)).copied().unwrap_or(b'0')
    };
    (0..32).rev().map(digit)
}

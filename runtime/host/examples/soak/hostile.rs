//! Requests that no friend would send: cases of the tables, changed.

use std::net::SocketAddr;

use policy::Header;
use policy::testdata::Case;

use crate::client::Bytes;

/// A case, changed a few times; sometimes several in one connection, half of one, or a client that goes away.
pub(crate) fn request(case: &Case, others: &[(SocketAddr, Case)], chance: &mut Chance) -> Bytes {
    let mut bytes = Vec::new();
    if chance.below(8) == 0 {
        let sources = ["10.0.0.1 127.0.0.1 4000 80", "192.0.2.7 127.0.0.1 1 80", "203.0.113.9 127.0.0.1 65535 80"];
        bytes.extend(format!("PROXY TCP4 {}\r\n", chance.choose(&sources)).bytes());
    }
    let count = if chance.below(8) == 0 { 1 + chance.below(6) } else { 1 };
    for number in 1..=count {
        bytes.extend(one(case, others, number == count, chance));
    }
    let mut answers = count;
    match chance.below(40) {
        0 => answers = 0,
        // A client that stops in the middle: Envoy would wait for it, and this client does not.
        1 => {
            bytes.truncate(chance.below(bytes.len()));
            answers = 0;
        }
        _ => {}
    }
    Bytes { bytes, answers }
}

fn one(case: &Case, others: &[(SocketAddr, Case)], is_last: bool, chance: &mut Chance) -> Vec<u8> {
    let mut headers: Vec<Header> = case.request.clone();
    for _ in 0..chance.below(5) {
        change(&mut headers, others, chance);
    }
    let body = match chance.below(6) {
        0 => vec![b'x'; chance.below(70_000)],
        _ => case.body.clone(),
    };
    write(&headers, &body, is_last, chance)
}

fn change(headers: &mut Vec<Header>, others: &[(SocketAddr, Case)], chance: &mut Chance) {
    let place = chance.below(headers.len().max(1));
    match chance.below(12) {
        0 => headers.extend(headers.get(place).cloned()),
        1 if headers.len() > 3 => drop(headers.remove(place)),
        2 => headers.reverse(),
        3 | 4 => {
            if let Some((_, other)) = others.get(chance.below(others.len())) {
                let place = chance.below(other.request.len().max(1));
                headers.extend(other.request.get(place).cloned());
            }
        }
        5 => headers.push((name(chance), vec![b'a'; chance.below(30_000)])),
        6 => headers.extend((0..chance.below(90)).map(|number| (format!("x-{number}").into_bytes(), b"v".to_vec()))),
        7 => headers.push((name(chance), junk(chance, 200))),
        8 => {
            if let Some((_, value)) = headers.get_mut(place) {
                value.extend(junk(chance, 20));
            }
        }
        9 => {
            if let Some((_, value)) = headers.get_mut(place) {
                value.truncate(chance.below(value.len().max(1)));
            }
        }
        10 => headers.push((b"content-type".to_vec(), b"application/grpc".to_vec())),
        _ => {
            let at = chance.below(64);
            if let Some((_, value)) = headers.get_mut(place)
                && let Some(byte) = value.get_mut(at)
            {
                *byte = chance.byte();
            }
        }
    }
}

/// Names that filters look at.
fn name(chance: &mut Chance) -> Vec<u8> {
    const NAMES: [&str; 18] = [
        "authorization",
        "cookie",
        "x-api-key",
        "x-user",
        "x-request-id",
        "x-forwarded-for",
        "x-forwarded-client-cert",
        "signature",
        "signature-input",
        "content-digest",
        "date",
        "origin",
        "access-control-request-method",
        "x-meshwright-route",
        "x-meshwright-health-check",
        "x-canary",
        "te",
        "grpc-timeout",
    ];
    chance.choose(&NAMES).as_bytes().to_vec()
}

fn junk(chance: &mut Chance, most: usize) -> Vec<u8> {
    let length = chance.below(most);
    (0..length).map(|_| chance.byte()).collect()
}

fn write(headers: &[Header], body: &[u8], is_last: bool, chance: &mut Chance) -> Vec<u8> {
    let pseudo = |name: &[u8]| headers.iter().find(|(known, _)| known == name).map_or(&b"/"[..], |(_, value)| value);
    let mut bytes = [pseudo(b":method"), b" ", pseudo(b":path"), b" HTTP/1.1\r\nhost: "].concat();
    bytes.extend([pseudo(b":authority"), b"\r\n"].concat());
    if is_last {
        bytes.extend(b"connection: close\r\n");
    }
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(b":")) {
        bytes.extend([name, b": ".as_slice(), value, b"\r\n"].concat());
    }
    let is_framed = headers.iter().any(|(name, _)| name == b"content-length" || name == b"transfer-encoding");
    match (is_framed, body.is_empty(), chance.below(2)) {
        (true, ..) | (_, true, _) => {
            bytes.extend(b"\r\n");
            bytes.extend(body);
        }
        (_, _, 0) => {
            bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
            bytes.extend(body);
        }
        _ => {
            bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
            for chunk in body.chunks(1 + chance.below(30_000)) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend([chunk, b"\r\n"].concat());
            }
            bytes.extend(b"0\r\n\r\n");
        }
    }
    bytes
}

/// SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap_or_default()
    }

    /// Mostly what HTTP allows in a value.
    fn byte(&mut self) -> u8 {
        match self.below(30) {
            0 => u8::try_from(self.below(256)).unwrap_or_default(),
            1..=8 => u8::try_from(0x80 + self.below(0x80)).unwrap_or_default(),
            _ => u8::try_from(0x20 + self.below(0x5f)).unwrap_or_default(),
        }
    }

    fn choose<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

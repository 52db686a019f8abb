//! `$5$…` and `$6$…`, with `rounds=…$` or 5,000 of them: Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512".

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use subtle::Choice;

use super::hasher::{Digest, Function, Hasher};
use super::{InvalidPasswordHash, crypt64, number, same};

const USUAL_ROUNDS: u32 = 5000;
const FEWEST_ROUNDS: u32 = 1000;
const MOST_ROUNDS: u32 = 999_999_999;
const LONGEST_SALT: usize = 16;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct ShaCrypt {
    is_512: bool,
    rounds: u32,
    salt: String,
    digest: String,
}

impl ShaCrypt {
    pub(super) fn parse(text: &str) -> Option<Result<ShaCrypt, InvalidPasswordHash>> {
        if let Some(rest) = text.strip_prefix("$5$") {
            return Some(read(false, rest));
        }
        text.strip_prefix("$6$").map(|rest| read(true, rest))
    }

    pub(super) fn name(&self) -> &'static str {
        if self.is_512 { "SHA-512 crypt" } else { "SHA-256 crypt" }
    }

    pub(super) fn micros(&self) -> u32 {
        // Of a password of usual length, a block or two each.
        const NANOS_PER_ROUND: u64 = 800;
        u32::try_from(u64::from(self.rounds).saturating_mul(NANOS_PER_ROUND) / 1000).unwrap_or(u32::MAX)
    }

    pub(super) fn verify(&self, password: &[u8]) -> Choice {
        let salt = self.salt.as_bytes();
        let (function, order) =
            if self.is_512 { (Function::Sha512, &ORDER_512[..]) } else { (Function::Sha256, &ORDER_256[..]) };
        let text = crypt64::write(&digest(function, self.rounds, salt, password), order);
        same(&text, self.digest.as_bytes())
    }
}

fn read(is_512: bool, text: &str) -> Result<ShaCrypt, InvalidPasswordHash> {
    let damaged = InvalidPasswordHash::Damaged;
    let (rounds, rest) = match text.strip_prefix("rounds=") {
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$').ok_or(damaged)?;
            (number(rounds)?, rest)
        }
        None => (USUAL_ROUNDS, text),
    };
    let (salt, digest) = rest.split_once('$').ok_or(damaged)?;
    let is_salt = salt.len() <= LONGEST_SALT && salt.bytes().all(|byte| byte.is_ascii_graphic());
    let is_digest = digest.len() == if is_512 { 86 } else { 43 } && crypt64::is_valid(digest);
    if !is_salt || !is_digest || !(FEWEST_ROUNDS..=MOST_ROUNDS).contains(&rounds) {
        return Err(damaged);
    }
    Ok(ShaCrypt { is_512, rounds, salt: salt.to_owned(), digest: digest.to_owned() })
}

/// The steps of the specification, in its order.
fn digest(function: Function, rounds: u32, salt: &[u8], password: &[u8]) -> Digest {
    // 4–8: digest B.
    let inner = function.digest(&[password, salt, password]);
    // 1–3 and 9–12: digest A.
    let mut first = function.hasher();
    first.update(password);
    first.update(salt);
    update_with_length(&mut first, &inner, password.len());
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &inner } else { password });
        bits >>= 1;
    }
    let mut last = first.finish();
    // 13–16: the password's bytes.
    let mut of_password = function.hasher();
    (0..password.len()).for_each(|_| of_password.update(password));
    let of_password = stretched(&of_password.finish(), password.len());
    // 17–20: the salt's bytes.
    let mut of_salt = function.hasher();
    let times = usize::from(last.first().copied().unwrap_or_default()).saturating_add(16);
    (0..times).for_each(|_| of_salt.update(salt));
    let of_salt = stretched(&of_salt.finish(), salt.len());
    // 21.
    for number in 0..rounds {
        last = round(function, number, &last, &of_salt, &of_password);
    }
    last
}

/// One round, as it was with MD5 already.
pub(super) fn round(function: Function, number: u32, last: &[u8], salt: &[u8], password: &[u8]) -> Digest {
    let (head, tail) = if number & 1 == 1 { (password, last) } else { (last, password) };
    let mut hasher = function.hasher();
    hasher.update(head);
    if !number.is_multiple_of(3) {
        hasher.update(salt);
    }
    if !number.is_multiple_of(7) {
        hasher.update(password);
    }
    hasher.update(tail);
    hasher.finish()
}

/// The digest again and again, until so many bytes.
fn stretched(digest: &[u8], length: usize) -> Vec<u8> {
    digest.iter().copied().cycle().take(length).collect()
}

fn update_with_length(context: &mut Hasher, digest: &[u8], length: usize) {
    let mut left = length;
    while left > 0 {
        context.update(digest.get(..left.min(digest.len())).unwrap_or_default());
        left = left.saturating_sub(digest.len());
    }
}

const ORDER_256: [[Option<u8>; 3]; 11] = [
    [Some(0), Some(10), Some(20)],
    [Some(21), Some(1), Some(11)],
    [Some(12), Some(22), Some(2)],
    [Some(3), Some(13), Some(23)],
    [Some(24), Some(4), Some(14)],
    [Some(15), Some(25), Some(5)],
    [Some(6), Some(16), Some(26)],
    [Some(27), Some(7), Some(17)],
    [Some(18), Some(28), Some(8)],
    [Some(9), Some(19), Some(29)],
    [None, Some(31), Some(30)],
];

const ORDER_512: [[Option<u8>; 3]; 22] = [
    [Some(0), Some(21), Some(42)],
    [Some(22), Some(43), Some(1)],
    [Some(44), Some(2), Some(23)],
    [Some(3), Some(24), Some(45)],
    [Some(25), Some(46), Some(4)],
    [Some(47), Some(5), Some(26)],
    [Some(6), Some(27), Some(48)],
    [Some(28), Some(49), Some(7)],
    [Some(50), Some(8), Some(29)],
    [Some(9), Some(30), Some(51)],
    [Some(31), Some(52), Some(10)],
    [Some(53), Some(11), Some(32)],
    [Some(12), Some(33), Some(54)],
    [Some(34), Some(55), Some(13)],
    [Some(56), Some(14), Some(35)],
    [Some(15), Some(36), Some(57)],
    [Some(37), Some(58), Some(16)],
    [Some(59), Some(17), Some(38)],
    [Some(18), Some(39), Some(60)],
    [Some(40), Some(61), Some(19)],
    [Some(62), Some(20), Some(41)],
    [None, None, Some(63)],
];

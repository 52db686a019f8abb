//! `$apr1$…` as `htpasswd -m` writes it, and `$1$…`, which differs in that mark alone: a thousand rounds of MD5.

use alloc::borrow::ToOwned;
use alloc::string::String;

use subtle::Choice;

use super::hasher::{Digest, Function};
use super::sha_crypt::round as one_round;
use super::{InvalidPasswordHash, crypt64, same};

const LONGEST_SALT: usize = 8;
const DIGEST_CHARACTERS: usize = 22;

const ORDER: [[Option<u8>; 3]; 6] = [
    [Some(0), Some(6), Some(12)],
    [Some(1), Some(7), Some(13)],
    [Some(2), Some(8), Some(14)],
    [Some(3), Some(9), Some(15)],
    [Some(4), Some(10), Some(5)],
    [None, None, Some(11)],
];

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Md5Crypt {
    mark: &'static str,
    salt: String,
    digest: String,
}

impl Md5Crypt {
    pub(super) fn parse(text: &str) -> Option<Result<Md5Crypt, InvalidPasswordHash>> {
        let (mark, rest) = ["$apr1$", "$1$"].iter().find_map(|mark| Some((*mark, text.strip_prefix(mark)?)))?;
        Some(read(mark, rest).ok_or(InvalidPasswordHash::Damaged))
    }

    pub(super) fn name(&self) -> &'static str {
        if self.mark == "$1$" { "MD5 crypt" } else { "apr1" }
    }

    pub(super) fn verify(&self, password: &[u8]) -> Choice {
        let digest = digest(self.mark.as_bytes(), self.salt.as_bytes(), password);
        same(&crypt64::write(&digest, &ORDER), self.digest.as_bytes())
    }
}

fn read(mark: &'static str, text: &str) -> Option<Md5Crypt> {
    let (salt, digest) = text.split_once('$')?;
    let is_salt = salt.len() <= LONGEST_SALT && salt.bytes().all(|byte| byte.is_ascii_graphic());
    let is_digest = digest.len() == DIGEST_CHARACTERS && crypt64::is_valid(digest);
    (is_salt && is_digest).then(|| Md5Crypt { mark, salt: salt.to_owned(), digest: digest.to_owned() })
}

fn digest(mark: &[u8], salt: &[u8], password: &[u8]) -> Digest {
    let inner = Function::Md5.digest(&[password, salt, password]);
    let mut first = Function::Md5.hasher();
    [password, mark, salt].iter().for_each(|part| first.update(part));
    let mut left = password.len();
    while left > 0 {
        first.update(inner.get(..left.min(inner.len())).unwrap_or_default());
        left = left.saturating_sub(inner.len());
    }
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &[0] } else { password.get(..1).unwrap_or_default() });
        bits >>= 1;
    }
    let mut last = first.finish();
    for round in 0_u32..1000 {
        last = one_round(Function::Md5, round, &last, salt, password);
    }
    last
}

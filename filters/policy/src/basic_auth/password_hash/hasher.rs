//! Four hash functions behind one type: what is written over them is in the module once, not once for each.

use core::ops::Deref;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// A hash function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// A digest in the making.
#[derive(Clone)]
pub(super) enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

/// The longest digest's room, and how much of it is used.
#[derive(Clone, Copy)]
pub(super) struct Digest {
    bytes: [u8; 64],
    length: usize,
}

impl Function {
    pub(super) fn hasher(self) -> Hasher {
        match self {
            Function::Md5 => Hasher::Md5(Md5::new()),
            Function::Sha1 => Hasher::Sha1(Sha1::new()),
            Function::Sha256 => Hasher::Sha256(Sha256::new()),
            Function::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// Of the parts, one after the other.
    pub(super) fn digest(self, parts: &[&[u8]]) -> Digest {
        let mut hasher = self.hasher();
        parts.iter().for_each(|part| hasher.update(part));
        hasher.finish()
    }

    /// What it takes in at once.
    pub(super) fn block(self) -> usize {
        if self == Function::Sha512 { 128 } else { 64 }
    }
}

impl Hasher {
    #[inline(never)]
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Md5(hasher) => hasher.update(bytes),
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    #[inline(never)]
    pub(super) fn finish(self) -> Digest {
        let mut digest = Digest { bytes: [0; 64], length: 0 };
        match self {
            Hasher::Md5(hasher) => digest.fill(&hasher.finalize()),
            Hasher::Sha1(hasher) => digest.fill(&hasher.finalize()),
            Hasher::Sha256(hasher) => digest.fill(&hasher.finalize()),
            Hasher::Sha512(hasher) => digest.fill(&hasher.finalize()),
        }
        digest
    }
}

impl Digest {
    /// Bit by bit, without carrying.
    pub(super) fn add(&mut self, other: &Digest) {
        self.bytes.iter_mut().zip(&other.bytes).for_each(|(place, byte)| *place ^= *byte);
    }

    fn fill(&mut self, digest: &[u8]) {
        self.length = digest.len();
        self.bytes.iter_mut().zip(digest).for_each(|(place, byte)| *place = *byte);
    }
}

impl Deref for Digest {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

//! Bytes with a header that tells whether all of them are there: what it is, its form, its length, its digest.

use sha2::{Digest as _, Sha256};

use crate::published::SCHEMA;

const MAGIC: &[u8; 8] = b"MESHWRGT";
const HEADER: usize = MAGIC.len() + 4 + 8 + 32;

/// Why bytes are not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("it is no state of a control plane")]
    Foreign,
    #[error("its form is {found}; this version reads {SCHEMA}")]
    OtherSchema { found: u32 },
    #[error("{found} of {expected} bytes are there")]
    Length { found: u64, expected: u64 },
    #[error("its bytes are not those that were written")]
    Altered,
    #[error("it cannot be decoded")]
    Meaningless,
}

pub fn seal(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&SCHEMA.to_le_bytes());
    bytes.extend_from_slice(&length(payload).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(payload));
    bytes.extend_from_slice(payload);
    bytes
}

/// The payload, if it is exactly what was sealed.
pub fn open(bytes: &[u8]) -> Result<&[u8], Damage> {
    let (magic, rest) = bytes.split_first_chunk::<8>().ok_or(Damage::Foreign)?;
    if magic != MAGIC {
        return Err(Damage::Foreign);
    }
    let (schema, rest) = rest.split_first_chunk::<4>().ok_or(Damage::Foreign)?;
    let found = u32::from_le_bytes(*schema);
    if found != SCHEMA {
        return Err(Damage::OtherSchema { found });
    }
    let (expected, rest) = rest.split_first_chunk::<8>().ok_or(Damage::Foreign)?;
    let (digest, payload) = rest.split_first_chunk::<32>().ok_or(Damage::Foreign)?;
    let (found, expected) = (length(payload), u64::from_le_bytes(*expected));
    if found != expected {
        return Err(Damage::Length { found, expected });
    }
    if Sha256::digest(payload).as_slice() != digest {
        return Err(Damage::Altered);
    }
    Ok(payload)
}

fn length(payload: &[u8]) -> u64 {
    u64::try_from(payload.len()).unwrap_or(u64::MAX)
}

//! What an `authorization` header says, if it is one basic credential and nothing else.

use alloc::vec::Vec;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const SCHEME: &[u8] = b"basic";

/// Standard base64, padded or not. URL-safe letters, other bytes and leftover bits are refused.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether a basic credential is among those of a header, whose repeats Envoy joins with a comma.
pub(super) fn holds_basic(header: &[u8]) -> bool {
    header.split(|byte| *byte == b',').any(|part| {
        let scheme = part.trim_ascii_start().get(..SCHEME.len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    })
}

/// A user's name and password as the client sent them.
pub(super) struct Credentials {
    user: Vec<u8>,
    password: Vec<u8>,
}

impl Credentials {
    /// Reads exactly one credential: two of them, joined by Envoy with a comma, are none.
    pub(super) fn parse(header: &[u8]) -> Option<Credentials> {
        let (scheme, rest) = header.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let encoded = rest.strip_prefix(b" ")?;
        let spaces = encoded.iter().take_while(|byte| **byte == b' ').count();
        let mut user = BASE64.decode(encoded.get(spaces..)?).ok()?;
        if user.iter().any(u8::is_ascii_control) {
            return None;
        }
        let colon = user.iter().position(|byte| *byte == b':')?;
        let password = user.get(colon.checked_add(1)?..)?.to_vec();
        user.truncate(colon);
        Some(Credentials { user, password })
    }

    pub(super) fn user(&self) -> &[u8] {
        &self.user
    }

    pub(super) fn password(&self) -> &[u8] {
        &self.password
    }
}

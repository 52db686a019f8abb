//! The base64 of `crypt(3)`: its own alphabet, least significant bits first, and bytes in an order of each format.

use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether a text could be written so.
pub(super) fn is_valid(text: &str) -> bool {
    text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// Writes three bytes of a digest as four characters; `None` is a byte that is not there, of which the groups at the
/// end have some.
pub(super) fn write(digest: &[u8], groups: &[[Option<u8>; 3]]) -> Vec<u8> {
    let mut text = Vec::with_capacity(groups.len().saturating_mul(4));
    for group in groups {
        let byte =
            |place: Option<u8>| place.and_then(|place| digest.get(usize::from(place))).copied().map_or(0, u32::from);
        let [high, middle, low] = *group;
        let mut bits = (byte(high) << 16) | (byte(middle) << 8) | byte(low);
        let characters = match (high, middle) {
            (Some(_), _) => 4,
            (None, Some(_)) => 3,
            (None, None) => 2,
        };
        for _ in 0..characters {
            let place = usize::try_from(bits & 63).unwrap_or_default();
            text.push(ALPHABET.get(place).copied().unwrap_or(b'.'));
            bits >>= 6;
        }
    }
    text
}

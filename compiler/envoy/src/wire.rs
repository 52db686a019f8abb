//! Reads protobuf's encoding one field at a time.

/// A field as it is carried, before anything is known of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

impl<'a> Raw<'a> {
    /// What every field is that nobody wrote.
    pub(crate) const DEFAULT: Raw<'static> = Raw::Bytes(&[]);

    /// The bits of a number; 0 for bytes.
    pub(crate) fn bits(self) -> u64 {
        match self {
            Raw::Varint(bits) | Raw::Fixed64(bits) => bits,
            Raw::Fixed32(bits) => u64::from(bits),
            Raw::Bytes(_) => 0,
        }
    }

    /// Nothing for a number.
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Raw::Bytes(bytes) => bytes,
            _ => &[],
        }
    }
}

/// Takes the next field with its number. `None` at the end, and without taking all where the bytes make no sense.
///
/// Groups, which Envoy's messages never had, make none.
#[inline]
pub(crate) fn next<'a>(bytes: &mut &'a [u8]) -> Option<(u32, Raw<'a>)> {
    if bytes.is_empty() {
        return None;
    }
    let mut rest = *bytes;
    let key = u32::try_from(varint(&mut rest)?).ok()?;
    let raw = match key & 7 {
        0 => Raw::Varint(varint(&mut rest)?),
        1 => Raw::Fixed64(fixed64(&mut rest)?),
        2 => {
            let length = usize::try_from(varint(&mut rest)?).ok()?;
            let (content, after) = rest.split_at_checked(length)?;
            rest = after;
            Raw::Bytes(content)
        }
        5 => Raw::Fixed32(fixed32(&mut rest)?),
        _ => return None,
    };
    let number = key >> 3;
    if number == 0 {
        return None;
    }
    *bytes = rest;
    Some((number, raw))
}

#[inline]
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(u64::from(first));
    }
    let mut value = u64::from(first & 0x7f);
    for (at, &byte) in rest.iter().enumerate().take(9) {
        let shift = 7 * (at + 1);
        // The tenth byte has room for one bit.
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            *bytes = rest.get(at + 1..)?;
            return Some(value);
        }
    }
    None
}

pub(crate) fn fixed64(bytes: &mut &[u8]) -> Option<u64> {
    let (content, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*content))
}

pub(crate) fn fixed32(bytes: &mut &[u8]) -> Option<u32> {
    let (content, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*content))
}

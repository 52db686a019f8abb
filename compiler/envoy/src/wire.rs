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
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        match self {
            Raw::Varint(bits) | Raw::Fixed64(bits) => bits,
            Raw::Fixed32(bits) => u64::from(bits),
            Raw::Bytes(_) => 0,
        }
    }

    /// Nothing for a number.
    #[inline]
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
// Inlined, as everything that moves through the bytes: the place is then kept in registers, which doubles the speed.
#[inline(always)]
pub(crate) fn next<'a>(bytes: &mut &'a [u8]) -> Option<(u32, Raw<'a>)> {
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

#[inline(always)]
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let (value, rest) = match **bytes {
        [first, ref rest @ ..] if first < 0x80 => (u64::from(first), rest),
        [first, second, ref rest @ ..] if second < 0x80 => (u64::from(first & 0x7f) | u64::from(second) << 7, rest),
        _ => long_varint(bytes)?,
    };
    *bytes = rest;
    Some(value)
}

fn long_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(10) {
        // The tenth byte has room for one bit.
        if at == 9 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[inline(always)]
pub(crate) fn fixed64(bytes: &mut &[u8]) -> Option<u64> {
    let (content, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*content))
}

#[inline(always)]
pub(crate) fn fixed32(bytes: &mut &[u8]) -> Option<u32> {
    let (content, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*content))
}

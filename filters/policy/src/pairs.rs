//! Header maps as proxy-wasm writes them: counts and lengths, then bytes that end in NUL.

use alloc::vec::Vec;

const LENGTHS: usize = 8;

/// Writes a header map.
pub fn write<N: AsRef<[u8]>, V: AsRef<[u8]>>(headers: &[(N, V)]) -> Vec<u8> {
    let mut bytes = length(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(length(name.as_ref().len()));
        bytes.extend(length(value.as_ref().len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]) {
        bytes.extend(text);
        bytes.push(0);
    }
    bytes
}

/// Whether a header map is complete, with nothing after it: anything else is an empty map, as in Envoy.
pub fn are_whole(bytes: &[u8]) -> bool {
    let Some(mut pairs) = Pairs::of(bytes) else { return false };
    for _ in 0..pairs.left {
        if pairs.take().is_none() {
            return false;
        }
    }
    pairs.texts.is_empty()
}

/// The headers of a map, as far as it can be read.
pub fn read(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut pairs = Pairs::of(bytes);
    core::iter::from_fn(move || pairs.as_mut()?.take())
}

struct Pairs<'b> {
    left: usize,
    lengths: &'b [u8],
    texts: &'b [u8],
}

impl<'b> Pairs<'b> {
    fn of(bytes: &'b [u8]) -> Option<Pairs<'b>> {
        let (count, rest) = take_length(bytes)?;
        let (lengths, texts) = rest.split_at_checked(count.checked_mul(LENGTHS)?)?;
        Some(Pairs { left: count, lengths, texts })
    }

    fn take(&mut self) -> Option<(&'b [u8], &'b [u8])> {
        self.left = self.left.checked_sub(1)?;
        let (name, lengths) = take_length(self.lengths)?;
        let (value, lengths) = take_length(lengths)?;
        let (name, texts) = take_text(self.texts, name)?;
        let (value, texts) = take_text(texts, value)?;
        (self.lengths, self.texts) = (lengths, texts);
        Some((name, value))
    }
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, rest))
}

fn take_text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.strip_prefix(b"\0")?))
}

/// Lengths are of texts in a 32-bit memory.
fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{are_whole, read, write};

    #[test]
    fn what_is_written_can_be_read() {
        let bytes = write(&[("a", ""), ("www-authenticate", "Basic realm=\"x\"")]);
        let headers: Vec<_> = read(&bytes).collect();
        assert_eq!(headers, [(&b"a"[..], &b""[..]), (b"www-authenticate", b"Basic realm=\"x\"")]);
        assert!(are_whole(&bytes));
    }

    #[test]
    fn damaged_maps_are_not_whole() {
        let good = write(&[("name", "value")]);
        for end in 0..good.len() {
            assert!(!are_whole(&good[..end]), "cut at {end}");
        }
        assert!(!are_whole(&[good.as_slice(), b"x"].concat()));
        assert!(!are_whole(&u32::MAX.to_le_bytes()));
    }
}

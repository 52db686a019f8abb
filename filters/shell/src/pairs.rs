//! Header maps as proxy-wasm writes them: counts and lengths, then bytes that end in NUL.

use policy::Header;

/// Reads a header map. Damaged input is an empty map, as in Envoy.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Header> {
    try_decode(bytes).unwrap_or_default()
}

/// Writes a header map.
pub(crate) fn encode(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = length(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(length(name.len()));
        bytes.extend(length(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

fn try_decode(bytes: &[u8]) -> Option<Vec<Header>> {
    let (count, mut lengths) = take_length(bytes)?;
    let mut data = lengths.get(count.checked_mul(8)?..)?;
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_length, rest) = take_length(lengths)?;
        let (value_length, rest) = take_length(rest)?;
        let (name, after_name) = take_text(data, name_length)?;
        let (value, after_value) = take_text(after_name, value_length)?;
        headers.push((name.to_vec(), value.to_vec()));
        (lengths, data) = (rest, after_value);
    }
    data.is_empty().then_some(headers)
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
    use super::{decode, encode};

    #[test]
    fn what_is_written_can_be_read() {
        let bytes = encode(&[("a", ""), ("www-authenticate", "Basic realm=\"x\"")]);
        let headers = decode(&bytes);
        let texts: Vec<_> = headers.iter().map(|(n, v)| (n.escape_ascii().to_string(), v.len())).collect();
        assert_eq!(texts, [("a".to_owned(), 0), ("www-authenticate".to_owned(), 15)]);
    }

    #[test]
    fn damaged_maps_are_empty() {
        let good = encode(&[("name", "value")]);
        for end in 0..good.len() {
            assert!(decode(&good[..end]).is_empty(), "cut at {end}");
        }
        assert!(decode(&[good.as_slice(), b"x"].concat()).is_empty());
        assert!(decode(&u32::MAX.to_le_bytes()).is_empty());
    }
}

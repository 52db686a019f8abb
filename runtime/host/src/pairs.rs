//! Header maps as proxy-wasm writes them: counts and lengths, then bytes that end in NUL.

/// Envoy reads no more than this from a module.
const MAX_PAIRS: usize = 1024;
const MAX_BYTES: usize = 1 << 20;

type Pair = (Vec<u8>, Vec<u8>);

pub(crate) fn encode(pairs: &[Pair]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = length(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend(length(name.len()));
        bytes.extend(length(value.len()));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text);
        bytes.push(0);
    }
    bytes
}

/// Anything damaged is an empty map, not an error: so does Envoy.
pub(crate) fn decode(bytes: &[u8]) -> Vec<Pair> {
    try_decode(bytes).unwrap_or_default()
}

fn try_decode(bytes: &[u8]) -> Option<Vec<Pair>> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let (count, mut lengths) = take_length(bytes)?;
    if count > MAX_PAIRS {
        return None;
    }
    let mut data = lengths.get(count * 8..)?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_length, rest) = take_length(lengths)?;
        let (value_length, rest) = take_length(rest)?;
        let (name, after_name) = take_text(data, name_length)?;
        let (value, after_value) = take_text(after_name, value_length)?;
        pairs.push((name.to_vec(), value.to_vec()));
        (lengths, data) = (rest, after_value);
    }
    data.is_empty().then_some(pairs)
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, rest))
}

fn take_text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.strip_prefix(b"\0")?))
}

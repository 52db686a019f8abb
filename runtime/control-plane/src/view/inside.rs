//! A wasm module inside a resource: a quarter of a megabyte, and the same in many of them, so that it is held once.

use std::fmt;

use bytes::Bytes;

/// A module, and where it belongs in the bytes of a resource.
#[derive(Clone, PartialEq, Eq)]
pub struct Inside {
    pub at: usize,
    pub bytes: Bytes,
}

/// A message with what belongs into it.
pub(super) fn whole(bytes: &Bytes, module: Option<&Inside>) -> Bytes {
    let Some(inside) = module else { return bytes.clone() };
    let (head, tail) = bytes.split_at_checked(inside.at).unwrap_or((bytes, &[]));
    [head, &inside.bytes, tail].concat().into()
}

/// An encoded field that holds the module, in parts of which the module is one.
pub(super) fn parts(field: Vec<u8>, module: Option<&Inside>) -> Vec<Bytes> {
    let found = module.and_then(|inside| {
        let length = inside.bytes.len();
        let at = field.windows(length.max(1)).position(|bytes| bytes == inside.bytes)?;
        Some((field.get(..at)?, inside.bytes.clone(), field.get(at + length..)?))
    });
    match found {
        Some((head, module, tail)) => vec![Bytes::copy_from_slice(head), module, Bytes::copy_from_slice(tail)],
        None => vec![field.into()],
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes at {}", self.bytes.len(), self.at)
    }
}

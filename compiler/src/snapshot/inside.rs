//! A wasm module inside a resource: large, and the same in many of them, so that it is kept apart.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::hexadecimal;
use crate::emit::delivered::Modules;

/// A module, and where it belongs in the bytes of a resource.
#[derive(Clone, PartialEq, Eq)]
pub struct Inside {
    pub at: usize,
    /// One and the same in all resources of a snapshot.
    pub bytes: Arc<[u8]>,
}

/// Takes a module out of an encoded message, if it holds one.
pub(super) fn take_out(message: Vec<u8>, modules: &Modules) -> (Vec<u8>, Option<Inside>) {
    let place = |module: &Arc<[u8]>| message.windows(module.len().max(1)).position(|bytes| bytes == &**module);
    let found = modules.values().find_map(|module| Some((place(module)?, module)));
    let Some((at, module)) = found else { return (message, None) };
    let rest: Vec<u8> = match (message.get(..at), message.get(at + module.len()..)) {
        (Some(head), Some(tail)) => [head, tail].concat(),
        _ => return (message, None),
    };
    (rest, Some(Inside { at, bytes: Arc::clone(module) }))
}

/// The message in parts that follow each other.
pub(super) fn parts<'a>(bytes: &'a [u8], module: Option<&'a Inside>) -> [&'a [u8]; 3] {
    match module.and_then(|inside| Some((bytes.split_at_checked(inside.at)?, inside))) {
        Some(((head, tail), inside)) => [head, &inside.bytes, tail],
        None => [bytes, &[], &[]],
    }
}

/// Of the message. Which module belongs into it its `vm_id` says, so that not every filter need hash it again.
pub(super) fn version(bytes: &[u8], module: Option<&Inside>) -> String {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    if let Some(inside) = module {
        hasher.update(inside.at.to_le_bytes());
    }
    hexadecimal(&hasher.finalize())
}

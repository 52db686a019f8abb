//! Prints a message as JSON: protobuf's own mapping, and always the same bytes.

use prost::{Message, Name};

use crate::tree::tree;

/// Pretty JSON with Envoy's field names, in the order in which Envoy declares them.
///
/// Defaults are left out; what has presence is printed even when it is zero. A message that
/// nests deeper than protobuf readers go (100) is printed as its bytes.
pub fn to_json<M: Name + Message>(message: &M) -> String {
    let mut text = serde_json::to_string_pretty(&tree(message)).expect("a tree of plain values has a JSON form");
    text.push('\n');
    text
}

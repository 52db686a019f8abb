//! Packs a message into the envelope in which Envoy takes the configuration of its extensions.

use prost::{Message, Name};
use prost_types::Any;

/// The message with its type URL, `type.googleapis.com/<full name>`.
pub fn any<M: Name + Message>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

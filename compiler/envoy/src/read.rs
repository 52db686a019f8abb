//! Reads JSON as a message of Envoy's, strictly: every field is one that the message has.

use prost_reflect::{DeserializeOptions, DynamicMessage};

use crate::schema::POOL;

/// Why a text is not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReadable {
    /// The line of the text, counted from 1.
    pub line: usize,
    /// In the reader's words, without a place.
    pub reason: String,
}

/// Whether a text is JSON of the message of this full name, in parts or as a whole: rules of values are not asked.
///
/// An `Any` must name a type that the descriptors have.
pub fn read_json(full_name: &str, text: &str) -> Result<(), NotReadable> {
    let Some(descriptor) = POOL.get_message_by_name(full_name) else {
        return Err(NotReadable { line: 1, reason: format!("there is no message `{full_name}`") });
    };
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let mut json = serde_json::Deserializer::from_str(text);
    DynamicMessage::deserialize_with_options(descriptor, &mut json, &options)
        .and_then(|_| json.end())
        .map_err(|error| not_readable(&error))
}

fn not_readable(error: &serde_json::Error) -> NotReadable {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    NotReadable { line: error.line().max(1), reason: text.strip_suffix(&place).unwrap_or(&text).to_owned() }
}

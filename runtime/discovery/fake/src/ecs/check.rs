//! What ECS refuses to register, in its words where they are known.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::failure::Failure;
use crate::world::text;

/// The essentials of RegisterTaskDefinition.
pub(crate) fn check_definition(definition: &Value) -> Result<(), Failure> {
    let family = text(definition, "family");
    let family_ok = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    require(!family.is_empty(), || "Family should not be null or empty.".to_owned())?;
    require(family.len() <= 255 && family.bytes().all(family_ok), || "Family contains invalid characters.".to_owned())?;
    let containers = definition["containerDefinitions"].as_array().map(Vec::as_slice).unwrap_or_default();
    require(!containers.is_empty(), || "Container list cannot be empty.".to_owned())?;
    Ok(())
}

fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::client(message())) }
}

#[allow(unused)]
type Names<'a> = BTreeSet<&'a str>;

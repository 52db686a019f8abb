//! Annotations: what users of labels say as `key = value`, given its meaning by one table.

mod apply;
mod collect;
mod definition;
mod manual;
mod read;
mod routing;
mod schema;
mod serving;
mod settings;
mod table;

pub use apply::apply;
pub use definition::{Definition, Level};
pub use manual::manual;
pub use schema::schema;
pub use table::DEFINITIONS;

/// The definition of a key, written exactly as in the table.
pub fn find(key: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.key == key)
}

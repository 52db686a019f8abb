//! How a filter reads its configuration: JSON, strictly, with the path of whatever is wrong.
//!
//! The usual derive makes a visitor with several generic functions for every type: five times the code of this, and the
//! module is sent to every sidecar. A type is declared with [`config!`](crate::config), which also makes it
//! serialisable for the compiler.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value};

/// A value that a configuration can hold.
pub trait Decode: Sized {
    /// Reads it.
    fn decode(value: Value) -> Result<Self, Invalid>;

    /// What a field is that nothing is said of; none for a field that must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether the compiler leaves the field out, because reading gives the same without it.
    fn is_absent(&self) -> bool {
        false
    }
}

/// What is wrong with a configuration, and where. Never holds a value of the configuration, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    path: String,
    problem: &'static str,
}

/// Reads a filter's configuration.
pub fn decode<T: Decode>(json: &[u8]) -> Result<T, Invalid> {
    match serde_json::from_slice(json) {
        Ok(value) => T::decode(value),
        Err(error) => {
            let path = format!("{}:{}", error.line(), error.column());
            Err(Invalid { path, problem: "the configuration is not JSON" })
        }
    }
}

impl Invalid {
    /// A problem of the value itself, in words that do not repeat it.
    pub fn new(problem: &'static str) -> Invalid {
        Invalid { path: String::new(), problem }
    }

    #[inline(never)]
    fn within_item(self, index: usize) -> Invalid {
        self.within(&format!("[{index}]"))
    }

    #[inline(never)]
    fn within(mut self, segment: &str) -> Invalid {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{segment}{separator}{}", self.path);
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(self.problem) } else { write!(f, "{}: {}", self.path, self.problem) }
    }
}

impl core::error::Error for Invalid {}

/// The fields of an object that are not read yet.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a value that must be an object.
    pub fn of(value: Value) -> Result<Fields, Invalid> {
        match value {
            Value::Object(fields) => Ok(Fields(fields)),
            _ => Err(Invalid::new("an object is expected")),
        }
    }

    /// Reads a field.
    pub fn take<T: Decode>(&mut self, name: &str) -> Result<T, Invalid> {
        match self.0.remove(name) {
            Some(value) => T::decode(value).map_err(|invalid| invalid.within(name)),
            None => T::absent().ok_or_else(|| Invalid::new("the field is missing").within(name)),
        }
    }

    /// Reads a field that may be left out.
    pub fn take_or<T: Decode>(&mut self, name: &str, default: T) -> Result<T, Invalid> {
        match self.0.remove(name) {
            Some(value) => T::decode(value).map_err(|invalid| invalid.within(name)),
            None => Ok(default),
        }
    }

    /// Reads the only field: an enum is written `{"variant": value}`.
    pub fn variant(mut self) -> Result<(String, Value), Invalid> {
        let mut fields = core::mem::take(&mut self.0).into_iter();
        match (fields.next(), fields.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(Invalid::new("an object with exactly one field is expected")),
        }
    }

    /// Refuses whatever was not read.
    pub fn end(self) -> Result<(), Invalid> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Invalid::new("no such field").within(name)),
        }
    }
}

impl Decode for String {
    fn decode(value: Value) -> Result<String, Invalid> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(Invalid::new("a string is expected")),
        }
    }
}

impl Decode for bool {
    fn decode(value: Value) -> Result<bool, Invalid> {
        value.as_bool().ok_or_else(|| Invalid::new("`true` or `false` is expected"))
    }
}

impl Decode for u64 {
    fn decode(value: Value) -> Result<u64, Invalid> {
        value.as_u64().ok_or_else(|| Invalid::new("a whole number from 0 is expected"))
    }
}

impl Decode for i64 {
    fn decode(value: Value) -> Result<i64, Invalid> {
        value.as_i64().ok_or_else(|| Invalid::new("a whole number is expected"))
    }
}

impl Decode for u32 {
    fn decode(value: Value) -> Result<u32, Invalid> {
        u64::decode(value)?.try_into().map_err(|_| Invalid::new("the number is too large"))
    }
}

impl Decode for u16 {
    fn decode(value: Value) -> Result<u16, Invalid> {
        u64::decode(value)?.try_into().map_err(|_| Invalid::new("the number is too large"))
    }
}

impl Decode for u8 {
    fn decode(value: Value) -> Result<u8, Invalid> {
        u64::decode(value)?.try_into().map_err(|_| Invalid::new("the number is too large"))
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(value: Value) -> Result<Option<T>, Invalid> {
        if value.is_null() { Ok(None) } else { T::decode(value).map(Some) }
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: Value) -> Result<Vec<T>, Invalid> {
        let Value::Array(items) = value else { return Err(Invalid::new("a list is expected")) };
        // A plain loop: iterators that stop at an error are several times the code, for each type.
        let mut decoded = Vec::with_capacity(items.len());
        for item in items {
            match T::decode(item) {
                Ok(item) => decoded.push(item),
                Err(invalid) => return Err(invalid.within_item(decoded.len())),
            }
        }
        Ok(decoded)
    }

    fn absent() -> Option<Vec<T>> {
        Some(Vec::new())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Declares a configuration type: a struct that the compiler can write and a filter can read.
///
/// A field that is absent is empty (`Option`, `Vec`), has the value after `=`, or is missed.
/// ```ignore
/// config! {
///     /// What it is.
///     pub struct Example {
///         /// Must be there.
///         pub name: String,
///         /// Empty when absent.
///         pub hosts: Vec<String>,
///         /// 403 when absent.
///         pub status: u16 = 403,
///     }
/// }
/// ```
macro_rules! config {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty $(= $default:expr)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::Decode::is_absent")]
                pub $field: $type,
            )*
        }

        impl $crate::Decode for $name {
            fn decode(value: serde_json::Value) -> Result<Self, $crate::Invalid> {
                #[allow(unused_mut, reason = "there are configurations without fields")]
                let mut fields = $crate::Fields::of(value)?;
                let decoded = $name { $($field: $crate::decode::config!(@take fields, $field $(, $default)?),)* };
                fields.end()?;
                Ok(decoded)
            }
        }
    };
    (@take $fields:ident, $field:ident) => { $fields.take(stringify!($field))? };
    (@take $fields:ident, $field:ident, $default:expr) => { $fields.take_or(stringify!($field), $default)? };
}

pub(crate) use config;

//! How a filter reads its configuration: JSON, strictly, with the path of whatever is wrong.
//!
//! The usual derive makes a visitor with several generic functions for every type: ten times the code of this, and the
//! module is sent to every sidecar. A type is declared with `config!`, which also makes it
//! serialisable for the compiler.

mod value;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use self::value::Value;

/// A value that a configuration can hold.
pub trait Decode: Sized {
    /// Whether a field of it must be there.
    const REQUIRED: bool = true;

    /// What stands in its place until it is read.
    fn blank() -> Self;

    /// Reads it.
    fn decode(value: &Value) -> Result<Self, Invalid>;

    /// Whether the compiler leaves the field out, because reading gives the same without it.
    fn is_absent(&self) -> bool {
        false
    }
}

/// A place into which a value is read.
pub(crate) trait Slot {
    /// Reads it.
    fn fill(&mut self, value: &Value) -> Result<(), Invalid>;
}

impl<T: Decode> Slot for T {
    fn fill(&mut self, value: &Value) -> Result<(), Invalid> {
        *self = T::decode(value)?;
        Ok(())
    }
}

/// A field of an object: its name, where it goes, and whether it must be there.
pub(crate) type Field<'s> = (&'static str, &'s mut dyn Slot, bool);

/// Reads an object that has these fields and no others.
#[inline(never)]
pub(crate) fn read_fields(value: &Value, fields: &mut [Field<'_>]) -> Result<(), Invalid> {
    let Value::Object(given) = value else { return Err(Invalid::new("an object is expected")) };
    for (name, slot, is_required) in fields.iter_mut() {
        match given.iter().find(|(known, _)| known == name) {
            Some((_, value)) => slot.fill(value).map_err(|invalid| invalid.within(name))?,
            None if *is_required => return Err(Invalid::new("the field is missing").within(name)),
            None => {}
        }
    }
    let is_known = |name: &String| fields.iter().any(|(known, ..)| known == name);
    match given.iter().find(|(name, _)| !is_known(name)) {
        None => Ok(()),
        Some((name, _)) => Err(Invalid::new("no such field").within(name)),
    }
}

/// Reads the only field of an object: an enum is written `{"variant": value}`.
#[inline(never)]
pub(crate) fn variant(value: &Value) -> Result<(&str, &Value), Invalid> {
    match value {
        Value::Object(fields) => match fields.as_slice() {
            [(name, value)] => Ok((name, value)),
            _ => Err(Invalid::new("an object with exactly one field is expected")),
        },
        _ => Err(Invalid::new("an object is expected")),
    }
}

/// What is wrong with a configuration, and where. Never holds a value of the configuration, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(Box<Problem>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    path: String,
    what: &'static str,
}

/// Reads a filter's configuration.
pub fn decode<T: Decode>(json: &[u8]) -> Result<T, Invalid> {
    T::decode(&Value::parse(json)?)
}

impl Invalid {
    /// A problem of the value itself, in words that do not repeat it.
    #[inline(never)]
    pub fn new(what: &'static str) -> Invalid {
        Invalid(Box::new(Problem { path: String::new(), what }))
    }

    #[inline(never)]
    fn within(mut self, segment: &str) -> Invalid {
        let path = &self.0.path;
        let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        self.0.path = [segment, separator, path].concat();
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            f.write_str(&self.0.path)?;
            f.write_str(": ")?;
        }
        f.write_str(self.0.what)
    }
}

impl core::error::Error for Invalid {}

impl Decode for String {
    fn blank() -> String {
        String::new()
    }

    #[inline(never)]
    fn decode(value: &Value) -> Result<String, Invalid> {
        value.as_str().map(String::from).ok_or_else(|| Invalid::new("a string is expected"))
    }
}

impl Decode for bool {
    fn blank() -> bool {
        false
    }

    #[inline(never)]
    fn decode(value: &Value) -> Result<bool, Invalid> {
        match value {
            Value::Bool(value) => Ok(*value),
            _ => Err(Invalid::new("`true` or `false` is expected")),
        }
    }
}

impl Decode for i64 {
    fn blank() -> i64 {
        0
    }

    #[inline(never)]
    fn decode(value: &Value) -> Result<i64, Invalid> {
        match value {
            Value::Number(number) => (*number).try_into().map_err(|_| Invalid::new("the number is too large")),
            Value::Negative(number) => Ok(*number),
            _ => Err(Invalid::new("a whole number is expected")),
        }
    }
}

impl Decode for u64 {
    fn blank() -> u64 {
        0
    }

    #[inline(never)]
    fn decode(value: &Value) -> Result<u64, Invalid> {
        match value {
            Value::Number(number) => Ok(*number),
            _ => Err(Invalid::new("a whole number from 0 is expected")),
        }
    }
}

impl Decode for u32 {
    fn blank() -> u32 {
        0
    }

    fn decode(value: &Value) -> Result<u32, Invalid> {
        u64::decode(value)?.try_into().map_err(|_| Invalid::new("the number is too large"))
    }
}

impl Decode for u16 {
    fn blank() -> u16 {
        0
    }

    fn decode(value: &Value) -> Result<u16, Invalid> {
        u64::decode(value)?.try_into().map_err(|_| Invalid::new("the number is too large"))
    }
}

impl Decode for u8 {
    fn blank() -> u8 {
        0
    }

    fn decode(value: &Value) -> Result<u8, Invalid> {
        u64::decode(value)?.try_into().map_err(|_| Invalid::new("the number is too large"))
    }
}

impl<T: Decode> Decode for Option<T> {
    const REQUIRED: bool = false;

    fn blank() -> Option<T> {
        None
    }

    fn decode(value: &Value) -> Result<Option<T>, Invalid> {
        if matches!(value, Value::Null) { Ok(None) } else { T::decode(value).map(Some) }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Decode> Decode for Vec<T> {
    const REQUIRED: bool = false;

    fn blank() -> Vec<T> {
        Vec::new()
    }

    fn decode(value: &Value) -> Result<Vec<T>, Invalid> {
        let Value::List(values) = value else { return Err(Invalid::new("a list is expected")) };
        let mut items = Vec::with_capacity(values.len());
        for value in values {
            match T::decode(value) {
                Ok(item) => items.push(item),
                Err(invalid) => return Err(invalid.within(&format!("[{}]", items.len()))),
            }
        }
        Ok(items)
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
            fn blank() -> Self {
                $name { $($field: $crate::decode::config!(@blank $($default)?),)* }
            }

            fn decode(value: &$crate::Value) -> Result<Self, $crate::Invalid> {
                #[allow(unused_mut, reason = "there are configurations without fields")]
                let mut read = Self::blank();
                $crate::decode::read_fields(value, &mut [
                    $((stringify!($field), &mut read.$field, $crate::decode::config!(@required $type $(, $default)?)),)*
                ])?;
                Ok(read)
            }
        }
    };
    (@blank) => { $crate::Decode::blank() };
    (@blank $default:expr) => { $default };
    (@required $type:ty) => { <$type as $crate::Decode>::REQUIRED };
    (@required $type:ty, $default:expr) => { false };
}

pub(crate) use config;

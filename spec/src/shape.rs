//! What can be said where: the language as data.
//!
//! Made of the model by `derive(Block)`. The decoder names it in messages, the printers take their layout from it,
//! the schema, the manual's tables and the annotations are made of it.

/// Something with fields, such as a service or a retry.
#[derive(Debug)]
pub struct Block {
    /// `circuit-breaker`; the name of its definition in the schema.
    pub name: &'static str,
    /// With its article: `a circuit breaker`.
    pub what: &'static str,
    pub doc: &'static str,
    /// Whether its values stand side by side in KDL.
    pub line: bool,
    /// Whether at least one field must be said.
    pub not_empty: bool,
    pub fields: &'static [Field],
}

/// One thing that can be said in a block.
#[derive(Debug)]
pub struct Field {
    pub key: &'static str,
    pub doc: &'static str,
    /// What holds when it is not said, where that can be told in a word.
    pub default: Option<&'static str>,
    /// What to write instead.
    pub deprecated: Option<&'static str>,
    pub occurs: Occurs,
    pub says: Says,
}

/// How often a field is said, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// The name of a named thing: KDL's argument, YAML's key.
    Name,
    /// Always, as KDL's argument; in YAML the field, or the value alone when nothing else is said.
    Main,
    Required,
    Optional,
    Many,
    /// Again and again, each with another name.
    Named,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// `#true`: that it is said is all.
    Flag,
    Value(&'static Value),
    /// Several values: `on "5xx" "reset"`, `on: [5xx, reset]`.
    Values(&'static Value),
    Block(&'static Block),
    /// Keys and texts of the user's own.
    Entries,
    /// The fields of this block stand here; the key has no meaning.
    Inline(&'static Block),
    /// At most one of these fields stands here; the key has no meaning.
    OneOf(&'static Block),
}

/// One kind of value.
#[derive(Debug)]
pub struct Value {
    /// `duration`; the name of its definition in the schema.
    pub name: &'static str,
    /// With its article and an example: ``a duration such as `15s` ``.
    pub expected: &'static str,
    pub form: ValueForm,
    /// Texts that are accepted.
    pub examples: &'static [&'static str],
    /// Whether no value has a comma, so that several can stand in one text.
    pub commas: bool,
}

/// What values of one kind look like.
#[derive(Clone, Copy, Debug)]
pub enum ValueForm {
    /// Text. Where there is one, an expression that every accepted text matches (ECMA-262, not anchored).
    Text(Option<&'static str>),
    /// Text, or numbers and booleans taken as text.
    AnyText,
    /// Whole numbers, both bounds included.
    Integer(u32, u32),
    /// Decimal numbers, or text that holds one, both bounds included.
    Decimal(u32, u32),
    /// Status codes: a number, or text.
    NumberOrText(&'static str),
    Boolean,
    /// One of these words; each with its meaning.
    Words(&'static [(&'static str, &'static str)]),
}

impl Block {
    /// Every field that can stand here under a key of its own, inlined ones and alternatives included.
    pub fn keys(&'static self) -> Vec<&'static Field> {
        let mut keys = Vec::new();
        for field in self.fields {
            match field.says {
                Says::Inline(inner) | Says::OneOf(inner) => keys.extend(inner.keys()),
                _ => keys.push(field),
            }
        }
        keys
    }

    /// The field of this key.
    pub fn field(&'static self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find_map(|field| match field.says {
            Says::Inline(inner) | Says::OneOf(inner) => inner.field(key),
            _ => (field.key == key).then_some(field),
        })
    }
}

/// The whole language: what a file can say.
pub fn mesh() -> &'static Block {
    <crate::mesh::Mesh as crate::block::Block>::SHAPE
}

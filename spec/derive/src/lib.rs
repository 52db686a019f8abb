//! Makes the language of its model: the structs of `meshwright-spec` say once what can be said, and its decoder,
//! printer, schema and manual are made of them.
//!
//! - [`macro@Block`] on a struct: something with fields, such as `retry attempts=3 { … }`.
//! - [`macro@Choice`] on an enum whose variants hold something: fields of which one is said, such as `path` or `path-prefix`.
//! - [`macro@Word`] on an enum of bare variants: one word of a list, such as `strict` or `permissive`.
//!
//! Keys are the names of fields in kebab case; doc comments are the texts that users read. The code made here names
//! `crate::…` of `meshwright-spec`: it is of use nowhere else.

mod attributes;
mod block;
mod choice;
mod kind;
mod word;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// A struct with named fields. How a field is said follows from its type:
///
/// | type | is said |
/// |---|---|
/// | `Spanned<T>` | once, always; with `main` as the argument in KDL; with `name` as the name of a named thing |
/// | `Option<Spanned<T>>` | once or never; with `one_of`, `T` is a [`macro@Choice`] |
/// | `Vec<Spanned<T>>` | as a list of values |
/// | `Option<B>`, `Option<Box<B>>` | as a block, once or never |
/// | `Vec<B>` | as blocks, again and again; with `named`, each with a name; with `entries`, keys are the user's own |
/// | `B` | with `inline`, its fields stand among these; else as a block whose absence is its default |
/// | `Place` with `place` | not at all: where the block was said |
///
/// `value = READER` names how a value is read when its type alone does not tell. `key`, `what` and `default` replace
/// the key, the description in messages, and name the default in the manual.
#[proc_macro_derive(Block, attributes(block, field))]
pub fn block(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    block::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// An enum of which one variant is said: each under its own key, among the fields of the block that holds it.
#[proc_macro_derive(Choice, attributes(block, field))]
pub fn choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// An enum of words: kebab case, or as `#[word("5xx")]` says.
#[proc_macro_derive(Word, attributes(block, word))]
pub fn word(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    word::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

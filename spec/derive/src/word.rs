//! `derive(Word)`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error};

use crate::attributes;

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else { return Err(Error::new_spanned(input, "a word is an enum")) };
    let name = &input.ident;
    let kind = attributes::kebab(&name.to_string()).replace('-', " ");
    let mut words = Vec::new();
    let mut docs = Vec::new();
    let mut variants = Vec::new();
    for variant in &data.variants {
        let word = attributes::word(&variant.attrs)?;
        words.push(word.unwrap_or_else(|| attributes::kebab(&variant.ident.to_string())));
        docs.push(attributes::doc(&variant.attrs));
        variants.push(&variant.ident);
    }
    let expected = match attributes::of_block(&input.attrs)?.what {
        Some(what) => what.value(),
        None => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
    };
    let count = words.len();
    Ok(quote! {
        impl #name {
            /// Every word, in the order of the manual.
            pub const ALL: [Self; #count] = [#(Self::#variants),*];

            /// The word itself.
            pub const fn as_str(self) -> &'static str {
                match self { #(Self::#variants => #words),* }
            }
        }

        impl crate::value::Word for #name {
            const SHAPE: &'static crate::shape::Value = &crate::shape::Value {
                name: #kind,
                expected: #expected,
                form: crate::shape::ValueForm::Words(&[#((#words, #docs)),*]),
                examples: &[#(#words),*],
                commas: true,
            };
            const WORDS: &'static [(&'static str, Self)] = &[#((#words, Self::#variants)),*];

            fn word(&self) -> &'static str {
                self.as_str()
            }
        }

        impl crate::value::Readable for #name {
            const READER: crate::value::Reader<Self> = crate::value::Reader::word();
        }

        impl ::std::fmt::Display for #name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    })
}

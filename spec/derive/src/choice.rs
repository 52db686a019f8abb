//! `derive(Choice)`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields};

use crate::attributes;
use crate::block::{field_shape, option_text, reader};
use crate::kind::{self, Kind};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else { return Err(Error::new_spanned(input, "a choice is an enum")) };
    let name = &input.ident;
    let block = attributes::of_block(&input.attrs)?;
    let what = block.what.ok_or_else(|| Error::new_spanned(input, "say `#[block(what = \"a path\")]`"))?;
    let doc = attributes::doc(&input.attrs);
    let kebab = attributes::kebab(&name.to_string());
    let (mut shapes, mut decodes, mut encodes) = (Vec::new(), Vec::new(), Vec::new());
    for variant in &data.variants {
        let ident = &variant.ident;
        let said = attributes::of_field(&variant.attrs)?;
        let key = said.key.as_ref().map_or_else(|| attributes::kebab(&ident.to_string()), syn::LitStr::value);
        let (doc, default) = (attributes::doc(&variant.attrs), option_text(said.default.as_ref()));
        let deprecated = option_text(said.deprecated.as_ref());
        let shape =
            |occurs: TokenStream, says: TokenStream| field_shape(&key, &doc, &default, &deprecated, occurs, says);
        let Fields::Unnamed(payload) = &variant.fields else {
            shapes.push(shape(quote!(Optional), quote!(Flag)));
            decodes.push(quote!(#key => fields.flag(#key, diagnostics).map(|_| Self::#ident)));
            encodes.push(quote!(Self::#ident => node.push_flag(#key, span)));
            continue;
        };
        let payload = &payload.unnamed.first().ok_or_else(|| Error::new_spanned(variant, "one value"))?.ty;
        match kind::of(payload, &said) {
            // A single value: its place is the choice's.
            Kind::DefaultBlock(value) if said.value.is_some() || !said.inline => {
                let reader = reader(value, &said);
                shapes.push(shape(quote!(Optional), quote!(Value((#reader).shape))));
                decodes.push(
                    quote!(#key => fields.value(#key, #reader, diagnostics).map(|said| Self::#ident(said.value))),
                );
                encodes.push(quote!(Self::#ident(value) => node.push_value(#key, #reader, value, span)));
            }
            // `inline` marks a block: `#[field(inline)] Redirect(Redirect)`.
            Kind::Inline(inner) => {
                shapes.push(shape(quote!(Optional), quote!(Block(<#inner as crate::block::Block>::SHAPE))));
                decodes.push(quote!(#key => fields.decode_block(#key, diagnostics).map(Self::#ident)));
                encodes.push(quote!(Self::#ident(block) => node.push_block(#key, block, span)));
            }
            Kind::Blocks(inner) => {
                shapes.push(shape(quote!(Many), quote!(Block(<#inner as crate::block::Block>::SHAPE))));
                decodes.push(quote!(#key => Some(Self::#ident(fields.decode_blocks(#key, diagnostics)))));
                encodes.push(quote!(Self::#ident(blocks) => node.push_blocks(#key, blocks, span)));
            }
            Kind::Values(value) => {
                let reader = reader(value, &said);
                shapes.push(shape(quote!(Many), quote!(Values((#reader).shape))));
                decodes.push(quote!(#key => Some(Self::#ident(fields.values(#key, #reader, diagnostics)))));
                encodes.push(quote!(Self::#ident(values) => node.push_values(#key, #reader, values)));
            }
            _ => return Err(Error::new_spanned(variant, "a choice cannot hold this")),
        }
    }
    Ok(quote! {
        impl crate::block::Choice for #name {
            const SHAPE: &'static crate::shape::Block = &crate::shape::Block {
                name: #kebab,
                what: #what,
                doc: #doc,
                line: true,
                not_empty: false,
                fields: &[#(#shapes),*],
            };

            fn decode_said(
                key: &'static str,
                fields: &mut crate::decode::Fields<'_>,
                diagnostics: &mut crate::diagnostic::Diagnostics,
            ) -> Option<Self> {
                match key {
                    #(#decodes,)*
                    _ => None,
                }
            }

            fn encode(&self, span: crate::source::Span, node: &mut crate::syntax::tree::Node) {
                match self {
                    #(#encodes),*
                }
            }
        }
    })
}

//! `derive(Block)`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, LitStr, Type};

use crate::attributes::{self, FieldAttributes};
use crate::kind::{self, Kind};

/// What one field adds to each part.
struct Parts {
    shape: Option<TokenStream>,
    decode: TokenStream,
    /// How the decoded value becomes the field's: `?` where its absence was reported.
    build: TokenStream,
    encode: TokenStream,
}

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else { return Err(Error::new_spanned(input, "a block is a struct")) };
    let Fields::Named(named) = &data.fields else { return Err(Error::new_spanned(input, "fields need names")) };
    let name = &input.ident;
    let block = attributes::of_block(&input.attrs)?;
    let what = block.what.ok_or_else(|| Error::new_spanned(input, "say `#[block(what = \"a retry\")]`"))?;
    let (doc, kebab) = (attributes::doc(&input.attrs), attributes::kebab(&name.to_string()));
    let (line, not_empty) = (block.line, block.not_empty);
    let check = block.check.map(|check| quote!(#check(fields, diagnostics);));
    let (mut shapes, mut decodes, mut builds, mut encodes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let said = attributes::of_field(&field.attrs)?;
        let key = said.key.as_ref().map_or_else(|| attributes::kebab(&ident.to_string()), LitStr::value);
        let parts = parts(ident, &key, &field.ty, &attributes::doc(&field.attrs), &said);
        shapes.extend(parts.shape);
        decodes.push(parts.decode);
        builds.push(parts.build);
        encodes.push(parts.encode);
    }
    Ok(quote! {
        impl crate::block::Block for #name {
            const SHAPE: &'static crate::shape::Block = &crate::shape::Block {
                name: #kebab,
                what: #what,
                doc: #doc,
                line: #line,
                not_empty: #not_empty,
                fields: &[#(#shapes),*],
            };

            fn decode(
                fields: &mut crate::decode::Fields<'_>,
                diagnostics: &mut crate::diagnostic::Diagnostics,
            ) -> Option<Self> {
                #check
                #(#decodes)*
                Some(Self { #(#builds),* })
            }

            fn encode(&self, node: &mut crate::syntax::tree::Node) {
                #(#encodes)*
            }
        }
    })
}

fn parts(ident: &syn::Ident, key: &str, ty: &Type, doc: &str, said: &FieldAttributes) -> Parts {
    let (default, deprecated) = (option_text(said.default.as_ref()), option_text(said.deprecated.as_ref()));
    let shape =
        |occurs: TokenStream, says: TokenStream| Some(field_shape(key, doc, &default, &deprecated, occurs, says));
    let block = |inner: &Type| quote!(<#inner as crate::block::Block>::SHAPE);
    let choice = |inner: &Type| quote!(<#inner as crate::block::Choice>::SHAPE);
    // A name that no field has: fields may be called `fields`.
    let local = format_ident!("said_{}", ident.to_string().trim_start_matches("r#"));
    let plain = quote!(#ident: #local);
    let needed = quote!(#ident: #local?);
    match kind::of(ty, said) {
        Kind::Place => Parts {
            shape: None,
            decode: quote!(let #local = crate::mesh::Place(Some(fields.span()));),
            build: plain,
            encode: quote!(if let Some(span) = self.#ident.0 {
                node.key.span = span;
            }),
        },
        Kind::Name(value) => {
            let reader = reader(value, said);
            Parts {
                shape: shape(quote!(Name), quote!(Value((#reader).shape))),
                decode: quote!(let #local = fields.name(#key, #reader, diagnostics);),
                build: needed,
                encode: quote!(node.push_main(#reader, &self.#ident);),
            }
        }
        Kind::Main(value) => {
            let reader = reader(value, said);
            Parts {
                shape: shape(quote!(Main), quote!(Value((#reader).shape))),
                decode: quote!(let #local = fields.main(#key, #reader, diagnostics);),
                build: needed,
                encode: quote!(node.push_main(#reader, &self.#ident);),
            }
        }
        Kind::Required(value) => {
            let reader = reader(value, said);
            Parts {
                shape: shape(quote!(Required), quote!(Value((#reader).shape))),
                decode: quote!(let #local = fields.required(#key, #reader, diagnostics);),
                build: needed,
                encode: quote!(node.push_value(#key, #reader, &self.#ident.value, self.#ident.span);),
            }
        }
        Kind::Optional(value) => {
            let reader = reader(value, said);
            Parts {
                shape: shape(quote!(Optional), quote!(Value((#reader).shape))),
                decode: quote!(let #local = fields.value(#key, #reader, diagnostics);),
                build: plain,
                encode: quote!(if let Some(said) = &self.#ident {
                    node.push_value(#key, #reader, &said.value, said.span);
                }),
            }
        }
        Kind::RequiredChoice(inner) => {
            let choice = choice(inner);
            Parts {
                shape: shape(quote!(Required), quote!(OneOf(#choice))),
                decode: quote!(let #local = fields.required_choice::<#inner>(diagnostics);),
                build: needed,
                encode: quote!(crate::block::Choice::encode(&self.#ident.value, self.#ident.span, node);),
            }
        }
        Kind::OptionalChoice(inner) => {
            let choice = choice(inner);
            Parts {
                shape: shape(quote!(Optional), quote!(OneOf(#choice))),
                decode: quote!(let #local = fields.choice::<#inner>(diagnostics);),
                build: plain,
                encode: quote!(if let Some(said) = &self.#ident {
                    crate::block::Choice::encode(&said.value, said.span, node);
                }),
            }
        }
        Kind::Values(value) => {
            let reader = reader(value, said);
            Parts {
                shape: shape(quote!(Many), quote!(Values((#reader).shape))),
                decode: quote!(let #local = fields.values(#key, #reader, diagnostics);),
                build: plain,
                encode: quote!(node.push_values(#key, #reader, &self.#ident);),
            }
        }
        Kind::Entries => Parts {
            shape: shape(quote!(Optional), quote!(Entries)),
            decode: quote!(let #local = fields.entries(#key, diagnostics);),
            build: plain,
            encode: quote!(node.push_entries(#key, &self.#ident);),
        },
        Kind::OptionalBlock(inner) => {
            let block = block(inner);
            Parts {
                shape: shape(quote!(Optional), quote!(Block(#block))),
                decode: quote!(let #local = fields.decode_block(#key, diagnostics);),
                build: plain,
                encode: quote!(if let Some(block) = &self.#ident {
                    node.push_block(#key, block, node.key.span);
                }),
            }
        }
        Kind::BoxedBlock(inner) => {
            let block = block(inner);
            Parts {
                shape: shape(quote!(Optional), quote!(Block(#block))),
                decode: quote!(let #local = fields.decode_block::<#inner>(#key, diagnostics).map(Box::new);),
                build: plain,
                encode: quote!(if let Some(block) = &self.#ident {
                    node.push_block(#key, block.as_ref(), node.key.span);
                }),
            }
        }
        Kind::Blocks(inner) => {
            let block = block(inner);
            Parts {
                shape: shape(quote!(Many), quote!(Block(#block))),
                decode: quote!(let #local = fields.decode_blocks(#key, diagnostics);),
                build: plain,
                encode: quote!(node.push_blocks(#key, &self.#ident, node.key.span);),
            }
        }
        Kind::NamedBlocks(inner) => {
            let block = block(inner);
            Parts {
                shape: shape(quote!(Named), quote!(Block(#block))),
                decode: quote!(let #local = fields.decode_named(#key, diagnostics);),
                build: plain,
                encode: quote!(node.push_blocks(#key, &self.#ident, node.key.span);),
            }
        }
        Kind::Inline(inner) => {
            let block = block(inner);
            Parts {
                shape: shape(quote!(Optional), quote!(Inline(#block))),
                decode: quote!(let #local = <#inner as crate::block::Block>::decode(fields, diagnostics);),
                build: needed,
                encode: quote!(crate::block::Block::encode(&self.#ident, node);),
            }
        }
        Kind::DefaultBlock(inner) => {
            let block = block(inner);
            Parts {
                shape: shape(quote!(Optional), quote!(Block(#block))),
                decode: quote!(let #local: Option<#inner> = fields.decode_block(#key, diagnostics);),
                build: quote!(#ident: #local.unwrap_or_default()),
                encode: quote!(if self.#ident != Default::default() {
                    node.push_block(#key, &self.#ident, node.key.span);
                }),
            }
        }
    }
}

/// How a value is read: as the attribute says, else as its type does.
pub(crate) fn reader(value: &Type, said: &FieldAttributes) -> TokenStream {
    match &said.value {
        Some(reader) => reader.to_token_stream(),
        None => quote!(<#value as crate::value::Readable>::READER),
    }
}

pub(crate) fn field_shape(
    key: &str,
    doc: &str,
    default: &TokenStream,
    deprecated: &TokenStream,
    occurs: TokenStream,
    says: TokenStream,
) -> TokenStream {
    quote! {
        crate::shape::Field {
            key: #key,
            doc: #doc,
            default: #default,
            deprecated: #deprecated,
            occurs: crate::shape::Occurs::#occurs,
            says: crate::shape::Says::#says,
        }
    }
}

pub(crate) fn option_text(text: Option<&LitStr>) -> TokenStream {
    text.map_or_else(|| quote!(None), |text| quote!(Some(#text)))
}

//! What attributes and doc comments say.

use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta};

/// `#[block(…)]` of a struct or enum.
#[derive(Default)]
pub(crate) struct BlockAttributes {
    pub(crate) what: Option<LitStr>,
    /// Values stand side by side on one line of KDL.
    pub(crate) line: bool,
    pub(crate) not_empty: bool,
    /// A function that is asked before the fields are read.
    pub(crate) check: Option<syn::Path>,
}

/// `#[field(…)]` of a field or variant.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) key: Option<LitStr>,
    pub(crate) what: Option<LitStr>,
    pub(crate) default: Option<LitStr>,
    pub(crate) deprecated: Option<LitStr>,
    pub(crate) value: Option<Expr>,
    pub(crate) main: bool,
    pub(crate) name: bool,
    pub(crate) named: bool,
    pub(crate) entries: bool,
    pub(crate) inline: bool,
    pub(crate) one_of: bool,
    pub(crate) place: bool,
}

pub(crate) fn of_block(attributes: &[Attribute]) -> syn::Result<BlockAttributes> {
    let mut result = BlockAttributes::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("block")) {
        attribute.parse_nested_meta(|meta| {
            match name(&meta.path).as_str() {
                "what" => result.what = Some(meta.value()?.parse()?),
                "check" => result.check = Some(meta.value()?.parse()?),
                "line" => result.line = true,
                "not_empty" => result.not_empty = true,
                _ => return Err(meta.error("unknown attribute of a block")),
            }
            Ok(())
        })?;
    }
    Ok(result)
}

pub(crate) fn of_field(attributes: &[Attribute]) -> syn::Result<FieldAttributes> {
    let mut result = FieldAttributes::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("field")) {
        attribute.parse_nested_meta(|meta| {
            match name(&meta.path).as_str() {
                "key" => result.key = Some(meta.value()?.parse()?),
                "what" => result.what = Some(meta.value()?.parse()?),
                "default" => result.default = Some(meta.value()?.parse()?),
                "deprecated" => result.deprecated = Some(meta.value()?.parse()?),
                "value" => result.value = Some(meta.value()?.parse()?),
                "main" => result.main = true,
                "name" => result.name = true,
                "named" => result.named = true,
                "entries" => result.entries = true,
                "inline" => result.inline = true,
                "one_of" => result.one_of = true,
                "place" => result.place = true,
                _ => return Err(meta.error("unknown attribute of a field")),
            }
            Ok(())
        })?;
    }
    Ok(result)
}

/// `#[word("…")]`.
pub(crate) fn word(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("word"));
    attribute.map(|attribute| attribute.parse_args::<LitStr>().map(|text| text.value())).transpose()
}

/// The doc comment: lines joined, paragraphs kept apart.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(meta) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &meta.value else { continue };
        match line.value().trim() {
            "" if !text.is_empty() => text.push_str("\n\n"),
            line => {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push(' ');
                }
                text.push_str(line);
            }
        }
    }
    text.trim_end().to_owned()
}

/// `MaxRequests` and `max_requests` as `max-requests`.
pub(crate) fn kebab(name: &str) -> String {
    let mut result = String::new();
    for character in name.trim_start_matches("r#").chars() {
        if character == '_' {
            result.push('-');
        } else if character.is_ascii_uppercase() {
            if !result.is_empty() {
                result.push('-');
            }
            result.push(character.to_ascii_lowercase());
        } else {
            result.push(character);
        }
    }
    result
}

fn name(path: &syn::Path) -> String {
    path.get_ident().map_or_else(String::new, ToString::to_string)
}

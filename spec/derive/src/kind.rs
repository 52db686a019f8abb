//! How a field is said, by its type and attributes.

use syn::{GenericArgument, PathArguments, Type};

use crate::attributes::FieldAttributes;

/// How a field is said. The types are those inside.
pub(crate) enum Kind<'t> {
    Place,
    Name(&'t Type),
    Main(&'t Type),
    Required(&'t Type),
    Optional(&'t Type),
    RequiredChoice(&'t Type),
    OptionalChoice(&'t Type),
    Values(&'t Type),
    Entries,
    OptionalBlock(&'t Type),
    BoxedBlock(&'t Type),
    Blocks(&'t Type),
    NamedBlocks(&'t Type),
    Inline(&'t Type),
    DefaultBlock(&'t Type),
}

pub(crate) fn of<'t>(kind: &'t Type, attributes: &FieldAttributes) -> Kind<'t> {
    if attributes.place {
        return Kind::Place;
    }
    if attributes.entries {
        return Kind::Entries;
    }
    if let Some(value) = inside(kind, "Spanned") {
        return match attributes {
            FieldAttributes { name: true, .. } => Kind::Name(value),
            FieldAttributes { main: true, .. } => Kind::Main(value),
            FieldAttributes { one_of: true, .. } => Kind::RequiredChoice(value),
            _ => Kind::Required(value),
        };
    }
    if let Some(inner) = inside(kind, "Option") {
        return match inside(inner, "Spanned") {
            Some(value) if attributes.one_of => Kind::OptionalChoice(value),
            Some(value) => Kind::Optional(value),
            None => match inside(inner, "Box") {
                Some(boxed) => Kind::BoxedBlock(boxed),
                None => Kind::OptionalBlock(inner),
            },
        };
    }
    if let Some(inner) = inside(kind, "Vec") {
        return match inside(inner, "Spanned") {
            Some(value) => Kind::Values(value),
            None if attributes.named => Kind::NamedBlocks(inner),
            None => Kind::Blocks(inner),
        };
    }
    if attributes.inline { Kind::Inline(kind) } else { Kind::DefaultBlock(kind) }
}

/// The `T` of `wrapper<T>`.
fn inside<'t>(kind: &'t Type, wrapper: &str) -> Option<&'t Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

//! The words of the language, and those that a block shows.

use std::collections::BTreeSet;

use kdl::{KdlDocument, KdlNode};
use meshwright_spec::shape::{self, Block, Field, Occurs, Says, ValueForm};

/// Every block of the language, once.
fn blocks_of_the_language() -> Vec<&'static Block> {
    let (mut seen, mut blocks, mut waiting) = (BTreeSet::new(), Vec::new(), vec![shape::mesh()]);
    while let Some(block) = waiting.pop() {
        if !seen.insert(block.name) {
            continue;
        }
        blocks.push(block);
        for field in block.fields {
            if let Says::Inline(inner) | Says::OneOf(inner) | Says::Block(inner) = field.says {
                waiting.push(inner);
            }
        }
    }
    blocks
}

/// Every key that some block has, with that block. Names and main values come with their block.
pub(crate) fn words() -> BTreeSet<(&'static str, &'static str)> {
    let fields = blocks_of_the_language().into_iter().flat_map(|block| block.fields.iter().map(move |it| (block, it)));
    let said = fields.filter(|(_, field)| {
        !matches!(field.says, Says::Inline(_) | Says::OneOf(_)) && !matches!(field.occurs, Occurs::Name | Occurs::Main)
    });
    said.map(|(block, field)| (block.name, field.key)).collect()
}

/// Names and main values, which have a word of their own in YAML.
pub(crate) fn mains() -> BTreeSet<(&'static str, &'static str)> {
    let fields = blocks_of_the_language().into_iter().flat_map(|block| block.fields.iter().map(move |it| (block, it)));
    let mains = fields.filter(|(_, field)| matches!(field.occurs, Occurs::Name | Occurs::Main));
    mains.map(|(block, field)| (block.name, field.key)).collect()
}

/// Lower-case letters, digits and `-`, a letter first.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
}

/// The words that a field can have.
pub(crate) fn choices() -> BTreeSet<(&'static str, &'static str)> {
    let fields = blocks_of_the_language().into_iter().flat_map(|block| block.fields);
    fields
        .flat_map(|field| {
            let words = match field.says {
                Says::Value(value) | Says::Values(value) => match value.form {
                    ValueForm::Words(words) => words,
                    _ => &[],
                },
                _ => &[],
            };
            words.iter().map(|(word, _)| (field.key, *word))
        })
        .collect()
}

pub(crate) fn collect(node: &KdlNode, block: &'static Block, shown: &mut BTreeSet<(&'static str, &'static str)>) {
    let properties = node.entries().iter().filter_map(|entry| entry.name());
    for name in properties {
        if let Some((owner, field)) = find(block, name.value()) {
            shown.insert((owner.name, field.key));
        }
    }
    for child in node.children().map_or(&[][..], KdlDocument::nodes) {
        let Some((owner, field)) = find(block, child.name().value()) else { continue };
        shown.insert((owner.name, field.key));
        if let Says::Block(inner) = field.says {
            collect(child, inner, shown);
        }
    }
}

/// The field of a key, and the block that declares it.
fn find(block: &'static Block, key: &str) -> Option<(&'static Block, &'static Field)> {
    block.fields.iter().find_map(|field| match field.says {
        Says::Inline(inner) | Says::OneOf(inner) => find(inner, key),
        _ => (field.key == key).then_some((block, field)),
    })
}

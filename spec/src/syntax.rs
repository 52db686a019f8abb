//! The two syntaxes of the language: KDL and YAML read into, and print from, one tree.

pub(crate) mod comments;
pub(crate) mod format_kdl;
pub(crate) mod format_yaml;
mod kdl;
mod kdl_blocks;
mod kdl_mask;
mod kdl_plain;
mod kdl_tokens;
mod print_kdl;
mod print_yaml;
pub(crate) mod tree;
mod yaml;
mod yaml_plain;

use self::tree::Node;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::shape::Block;
use crate::source::{FileId, Span};

/// How a mesh is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Kdl,
    Yaml,
}

/// The largest text that is read.
pub(crate) use crate::load::MAX_BYTES;

impl Syntax {
    /// By the file's extension: `kdl`, `yaml` or `yml`.
    pub fn of(path: &str) -> Option<Self> {
        let (stem, extension) = path.rsplit_once('.')?;
        let named = !stem.is_empty() && !extension.contains('/');
        match extension.to_ascii_lowercase().as_str() {
            "kdl" if named => Some(Self::Kdl),
            "yaml" | "yml" if named => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// The top-level nodes of a text. Mistakes are reported and left out.
pub(crate) fn read<'t>(text: &'t str, file: FileId, syntax: Syntax, diagnostics: &mut Diagnostics) -> Vec<Node<'t>> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES}", text.len());
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
        return Vec::new();
    }
    match syntax {
        Syntax::Kdl => kdl::read(text, file, diagnostics),
        Syntax::Yaml => yaml::read(text, file, diagnostics),
    }
}

/// Whether so much was found that the text is no mesh: then nothing more of it is read, and a diagnostic says so.
fn too_many(file: FileId, found_before: usize, diagnostics: &mut Diagnostics) -> bool {
    const MAX: usize = 100;
    let over = diagnostics.iter().count() >= found_before + MAX;
    if over {
        let message = format!("the file has {MAX} mistakes or more: the rest is not read");
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
    }
    over
}

/// The canonical text of a node that holds what `shape` says.
pub(crate) fn write(node: &Node, shape: &'static Block, syntax: Syntax) -> String {
    match syntax {
        Syntax::Kdl => print_kdl::print(node, shape),
        Syntax::Yaml => print_yaml::print(node, shape),
    }
}

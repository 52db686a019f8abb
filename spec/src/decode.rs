//! The tree to a `Mesh`: one decoder for both syntaxes.

mod fields;
mod gateway;
mod node;
mod policy;
mod route;
mod service;
mod value;

use self::fields::Fields;
use self::value::Reader;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mesh::{Defaults, Mesh};
use crate::names::Name;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::tree::{Form, Node};

/// Reads a file's top-level nodes. What the mesh says stands in the block of `mesh` or, as in YAML, beside it.
///
/// `None` when there is nothing to read. Everything wrong is reported; what it was wrong with is left out.
pub(crate) fn mesh(nodes: Vec<Node>, file: FileId, diagnostics: &mut Diagnostics) -> Option<Mesh> {
    let start = Span::new(file, 0, 0);
    if nodes.is_empty() {
        if !diagnostics.has_errors() {
            let diagnostic = Diagnostic::error(codes::MISSING_FIELD, start, "the file has no mesh");
            diagnostics.push(diagnostic.help("write `mesh \"NAME\" { }` in KDL, `mesh: NAME` in YAML"));
        }
        return None;
    }
    let root =
        Node { key: Spanned::new(String::new(), start), arguments: Vec::new(), fields: nodes, form: Form::Plain };
    let mut file_fields = Fields::of(&root, "the file");
    let Some(mut head) = file_fields.block("mesh", "the mesh", diagnostics) else {
        if !diagnostics.has_errors() {
            file_fields.missing("the file has no `mesh` with its name", "mesh", diagnostics);
        }
        let name = Name::new("mesh").map(|name| Spanned::new(name, start))?;
        return Some(body(name, file_fields, diagnostics));
    };
    let name = head.primary("name", Reader::<Name>::NAME, diagnostics);
    let name = name.or_else(|| Name::new("mesh").map(|name| Spanned::new(name, head.span())))?;
    if head.is_empty() {
        head.finish(diagnostics);
        Some(body(name, file_fields.renamed("the mesh"), diagnostics))
    } else {
        file_fields.finish(diagnostics);
        Some(body(name, head, diagnostics))
    }
}

fn body(name: Spanned<Name>, mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Mesh {
    let defaults = fields.block("defaults", "a defaults block", diagnostics);
    let mesh = Mesh {
        name,
        defaults: defaults.map_or_else(Defaults::default, |block| self::defaults(block, diagnostics)),
        services: service::services(&mut fields, diagnostics),
        nodes: node::nodes(&mut fields, diagnostics),
        gateways: gateway::gateways(&mut fields, diagnostics),
    };
    fields.finish(diagnostics);
    mesh
}

fn defaults(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Defaults {
    let defaults = Defaults {
        timeout: fields.value("timeout", Reader::DURATION, diagnostics),
        access_log: fields.value("access-log", Reader::ACCESS_LOG, diagnostics),
    };
    fields.finish(diagnostics);
    defaults
}

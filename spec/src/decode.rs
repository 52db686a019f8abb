//! The tree to a `Mesh`: one decoder for both syntaxes.

mod checks;
mod fields;
mod messages;

pub(crate) use self::checks::{
    control_allows_something, fault_does_something, gateway_listens, host_goes_somewhere, key_stands_somewhere,
    rule_chooses, test_is_whole,
};
pub(crate) use self::fields::Fields;
use crate::block::Block;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mesh::Mesh;
use crate::source::{FileId, Span};
use crate::syntax::tree::{Kind, Node, Scalar};

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
    let root = Node { fields: nodes, ..Node::new("", start) };
    let mut beside = Fields::of(&root, "the file", Mesh::SHAPE);
    let Some(head) = beside.node("mesh", diagnostics) else {
        if !diagnostics.has_errors() {
            beside.missing("the file has no `mesh` with its name", "mesh", diagnostics);
        }
        return beside.renamed("the mesh").with_name(anonymous(start)).decode(diagnostics);
    };
    let fields = Fields::of(head, "the mesh", Mesh::SHAPE);
    if !fields.is_empty() {
        beside.finish(diagnostics);
        return fields.decode(diagnostics);
    }
    let name = match head.arguments.as_slice() {
        [name] => name.clone(),
        _ => {
            fields.decode::<Mesh>(diagnostics);
            anonymous(head.span())
        }
    };
    beside.renamed("the mesh").with_name(name).decode(diagnostics)
}

/// What holds for the whole mesh is said in its main file.
const WHOLE: [&str; 3] = ["defaults", "ecs", "trust-domain"];

/// Reads a file that another one includes: what stands in the block of a mesh, without the mesh.
pub(crate) fn fragment(nodes: Vec<Node>, file: FileId, diagnostics: &mut Diagnostics) -> Option<Mesh> {
    let start = Span::new(file, 0, 0);
    let root = Node { fields: nodes, ..Node::new("", start) };
    let mut fields = Fields::of(&root, "an included file", Mesh::SHAPE);
    for key in ["mesh", "name"] {
        let Some(said) = fields.node(key, diagnostics) else { continue };
        let message = "an included file says what is in the mesh, not the mesh itself";
        let diagnostic = Diagnostic::error(codes::UNKNOWN_FIELD, said.span(), message);
        let help = format!("leave out `{key}`: write its services, nodes and gateways at the top");
        diagnostics.push(diagnostic.help(help));
    }
    for said in root.fields.iter().filter(|node| WHOLE.contains(&&*node.key.value)) {
        let key = &said.key.value;
        let message = format!("`{key}` holds for the whole mesh");
        let diagnostic = Diagnostic::error(codes::UNKNOWN_FIELD, said.span(), message);
        let diagnostic = diagnostic.label("this file is only a part of it");
        diagnostics.push(diagnostic.help(format!("say `{key}` in the file of the mesh")));
    }
    fields.with_name(anonymous(start)).decode(diagnostics)
}

/// The name of a mesh that has none, which was reported, or needs none.
fn anonymous(span: Span) -> Scalar<'static> {
    Scalar { kind: Kind::Text, text: "mesh".into(), span }
}

//! What a mesh says, field by field: for tools that ask whether something is said, not what it means.

use crate::block::Block as _;
use crate::mesh::Mesh;
use crate::shape::{Block, Field, Occurs, Says};
use crate::source::Span;
use crate::syntax::tree::Node;

/// One field that a mesh says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Keys from the outside in, such as `service`, `route`, `redirect`.
    pub path: &'a [&'static str],
    pub field: &'static Field,
    /// The text of a single value.
    pub text: Option<&'a str>,
    pub span: Span,
}

/// Calls `visit` for every field that the mesh says, blocks before what stands in them.
pub fn visit(mesh: &Mesh, visit: &mut dyn FnMut(Said<'_>)) {
    let mut node = Node::new("mesh", mesh.name.span);
    mesh.encode(&mut node);
    fields(&node, Mesh::SHAPE, &mut Vec::new(), visit);
}

fn fields(node: &Node, shape: &'static Block, path: &mut Vec<&'static str>, visit: &mut dyn FnMut(Said<'_>)) {
    let arguments = shape.fields.iter().filter(|field| matches!(field.occurs, Occurs::Main | Occurs::Name));
    for (field, said) in arguments.zip(&node.arguments) {
        path.push(field.key);
        visit(Said { path, field, text: Some(&said.text), span: said.span });
        path.pop();
    }
    for said in &node.fields {
        let Some(field) = shape.field(&said.key.value) else { continue };
        path.push(field.key);
        match field.says {
            Says::Block(inner) => {
                visit(Said { path, field, text: None, span: place(said) });
                fields(said, inner, path, visit);
            }
            _ => {
                let text = said.arguments.first().map(|value| &*value.text);
                visit(Said { path, field, text, span: place(said) });
            }
        }
        path.pop();
    }
}

/// The first value inside: blocks of the model do not all keep their own place.
fn place(node: &Node) -> Span {
    let argument = node.arguments.first().map(|value| value.span);
    argument.or_else(|| node.fields.first().map(place)).unwrap_or(node.key.span)
}

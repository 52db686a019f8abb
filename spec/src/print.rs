//! A `Mesh` as canonical text.

use crate::block::Block;
use crate::mesh::Mesh;
use crate::syntax::tree::Node;
use crate::syntax::{self, Syntax};
use crate::variables;

/// The mesh as canonical text. Reading it again gives an equal mesh, for every mesh that text can say.
pub fn print(mesh: &Mesh, syntax: Syntax) -> String {
    let mut node = Node::new("mesh", mesh.name.span);
    mesh.encode(&mut node);
    variables::escape(&mut node);
    syntax::write(&node, Mesh::SHAPE, syntax)
}

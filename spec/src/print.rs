//! A `Mesh` as canonical text.

use crate::encode;
use crate::mesh::Mesh;
use crate::syntax::{self, Syntax};

/// The mesh as `fmt` and `convert` write it. Reading it again gives an equal mesh, for every mesh that text can say.
pub fn print(mesh: &Mesh, syntax: Syntax) -> String {
    syntax::write(&encode::mesh(mesh), syntax)
}

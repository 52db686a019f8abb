//! What a mesh is: the typed model with source spans, and its two syntaxes, KDL and YAML.

mod block;
mod canonical;
pub mod codes;
mod convert;
mod decode;
pub mod diagnostic;
mod include;
pub mod lines;
pub mod load;
pub mod mesh;
pub mod names;
mod parse;
mod print;
pub mod render;
pub mod schema;
pub mod severity;
pub mod shape;
pub mod source;
pub mod suggest;
pub mod suppress;
mod syntax;
pub mod units;
mod value;
pub mod variables;

pub use codes::Code;
pub use convert::convert;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use mesh::Mesh;
pub use names::Name;
pub use parse::parse;
pub use print::print;
pub use render::{Color, render};
pub use source::{FileId, Position, SourceFile, Sources, Span, Spanned};
pub use syntax::Syntax;
pub use variables::Variables;

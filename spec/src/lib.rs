//! What a mesh is: the typed model with source spans, and its two syntaxes, KDL and YAML.

pub mod codes;
mod decode;
pub mod diagnostic;
mod encode;
pub mod load;
pub mod mesh;
pub mod names;
mod parse;
mod print;
pub mod render;
pub mod source;
pub mod suggest;
mod syntax;
pub mod units;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use mesh::Mesh;
pub use names::Name;
pub use parse::parse;
pub use print::print;
pub use render::{Color, render};
pub use source::{FileId, Position, SourceFile, Sources, Span, Spanned};
pub use syntax::Syntax;

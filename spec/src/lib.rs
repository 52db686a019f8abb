//! What a mesh is: the typed model with source spans, and its two syntaxes, KDL and YAML.

pub mod codes;
pub mod diagnostic;
pub mod mesh;
pub mod names;
pub mod source;
pub mod units;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use mesh::Mesh;
pub use names::Name;
pub use source::{FileId, Position, SourceFile, Sources, Span, Spanned};

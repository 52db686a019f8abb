//! YAML as values with places: anchors and merge keys resolved, every size bounded.

mod build;
mod scalar;

use granit_parser::{Event, Parser, ScanError};

pub(crate) use self::build::{MAX_VALUES, size_of_text};
pub use self::scalar::Plain;
pub(crate) use self::scalar::plain;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::load::MAX_BYTES;
use crate::source::{FileId, Span, Spanned};
use build::Builder;

/// A value and its place: of a mapping, that of its first key. What an alias stands for keeps the place where it is
/// written.
#[derive(Clone, Debug)]
pub struct Value {
    pub data: Data,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Data {
    /// Nothing, `~` or `null`.
    Null,
    Scalar(Scalar),
    List(Vec<Value>),
    /// No key twice.
    Map(Vec<(Spanned<String>, Value)>),
}

/// A value without inner structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Without its quotes; numbers and booleans as they are written.
    pub text: String,
    /// What it is by the core schema of YAML 1.2.
    pub plain: Plain,
}

/// What to make of what a file in our own language cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    /// Tags and further documents are errors.
    Strict,
    /// They are warnings: the rest is read.
    Foreign,
}

/// After so many mistakes the text is something else than YAML.
const MAX_MISTAKES: usize = 100;

/// The one document of a file in our own language. `None` when there is none: then there is an error, unless the text
/// is empty.
pub fn read(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Option<Value> {
    read_as(Strictness::Strict, text, file, diagnostics)
}

/// The first document of a file that another program reads too: tags and further documents are named, and not read.
pub fn read_foreign(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Option<Value> {
    read_as(Strictness::Foreign, text, file, diagnostics)
}

fn read_as(strictness: Strictness, text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Option<Value> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
        return None;
    }
    let options = granit_parser::options! { emit_comments: false, emit_unresolved_aliases: true };
    let mut builder = Builder::new(strictness, text, file);
    let found_before = diagnostics.iter().count();
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((Event::DocumentStart(..), place)) => {
                documents += 1;
                let another = documents > 1;
                if another && strictness == Strictness::Foreign {
                    let message = "only the first document of the file is read";
                    diagnostics.push(Diagnostic::warning(codes::NOT_MAPPED, builder.span(&place), message));
                    break;
                }
                let message = "the file has more than one document";
                if another { Err(builder.mistake(codes::SYNTAX, builder.span(&place), message)) } else { Ok(()) }
            }
            Ok((event, place)) => builder.event(event, &place, diagnostics),
            Err(error) => Err(Box::new(not_yaml(text, file, &error))),
        };
        if let Err(mistake) = step {
            diagnostics.push(*mistake);
            return None;
        }
        if diagnostics.iter().count() >= found_before + MAX_MISTAKES {
            let message = format!("the file has {MAX_MISTAKES} mistakes or more: the rest is not read");
            diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
            return None;
        }
    }
    builder.root()
}

/// The library's finding, at one character.
fn not_yaml(text: &str, file: FileId, error: &ScanError) -> Diagnostic {
    let at = text.floor_char_boundary(error.marker().byte_offset().unwrap_or(text.len()));
    let length = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let deep = *error.kind() == granit_parser::ErrorKind::RecursionLimitExceeded;
    let code = if deep { codes::TOO_LARGE } else { codes::SYNTAX };
    Diagnostic::error(code, Span::new(file, at, at + length), error.kind().to_string())
}

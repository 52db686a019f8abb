//! How single values are read and written: what each expects, and why it refuses.

pub(crate) mod http;
pub(crate) mod mesh;
pub(crate) mod network;
pub(crate) mod number;
pub(crate) mod text;
pub(crate) mod time;

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::shape::{self, ValueForm};
use crate::source::{Span, Spanned};
use crate::suggest;
use crate::syntax::tree::{Kind, Scalar};

/// Reads and writes one kind of value. Reading what was written gives the same value.
pub(crate) struct Reader<T> {
    pub(crate) shape: &'static shape::Value,
    read: fn(&Scalar<'_>) -> Result<T, Refusal>,
    write: fn(&T) -> (Kind, String),
}

/// A type of which there is one way to read.
pub(crate) trait Readable: Sized {
    const READER: Reader<Self>;
}

/// A type that is one of a list of words.
pub(crate) trait Word: Copy + 'static {
    const SHAPE: &'static shape::Value;
    const WORDS: &'static [(&'static str, Self)];

    fn word(&self) -> &'static str;
}

/// Why a value is not accepted.
pub(crate) enum Refusal {
    /// It is not of the expected kind.
    Kind,
    /// It is of the kind, and still not possible.
    Value { code: Code, message: String, help: String },
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Reader<T> {}

impl<T> Reader<T> {
    pub(crate) const fn new(
        shape: &'static shape::Value,
        read: fn(&Scalar<'_>) -> Result<T, Refusal>,
        write: fn(&T) -> (Kind, String),
    ) -> Self {
        Self { shape, read, write }
    }

    pub(crate) fn read(self, scalar: &Scalar, diagnostics: &mut Diagnostics) -> Option<Spanned<T>> {
        let diagnostic = match (self.read)(scalar) {
            Ok(value) => return Some(Spanned::new(value, scalar.span)),
            Err(Refusal::Kind) => {
                let message = format!("expected {}, found {}", self.shape.expected, found(scalar));
                let diagnostic = Diagnostic::error(codes::WRONG_TYPE, scalar.span, message);
                match quotes(scalar, self.shape.form) {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                }
            }
            Err(Refusal::Value { code, message, help }) => {
                let diagnostic = Diagnostic::error(code, scalar.span, message);
                if help.is_empty() { diagnostic } else { diagnostic.help(help) }
            }
        };
        diagnostics.push(diagnostic);
        None
    }

    pub(crate) fn write(self, value: &T, span: Span) -> Scalar<'static> {
        let (kind, text) = (self.write)(value);
        Scalar { kind, text: text.into(), span }
    }
}

impl<T: Word> Reader<T> {
    pub(crate) const fn word() -> Self {
        Self::new(T::SHAPE, word, |value| (Kind::Text, value.word().to_owned()))
    }
}

fn word<T: Word>(scalar: &Scalar) -> Result<T, Refusal> {
    let said = text(scalar)?;
    if let Some((_, value)) = T::WORDS.iter().find(|(word, _)| *word == said) {
        return Ok(*value);
    }
    let words = || T::WORDS.iter().map(|(word, _)| *word);
    let help = match suggest::closest(said, words()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", words().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    };
    let message = format!("`{}` is no {}", quote(said), T::SHAPE.name);
    Err(Refusal::Value { code: codes::INVALID_VALUE, message, help })
}

/// Refuses what is of the right kind, and still not possible.
fn refuse<T>(scalar: &Scalar, why: &str, help: &str) -> Result<T, Refusal> {
    let message = format!("`{}` {why}", quote(&scalar.text));
    Err(Refusal::Value { code: codes::INVALID_VALUE, message, help: help.to_owned() })
}

/// Text only: a number or a boolean is not meant as text.
fn text<'s>(scalar: &'s Scalar<'_>) -> Result<&'s str, Refusal> {
    if matches!(scalar.kind, Kind::Text | Kind::Variable) { Ok(&scalar.text) } else { Err(Refusal::Kind) }
}

/// Writes what is text.
fn as_text(value: &impl ToString) -> (Kind, String) {
    (Kind::Text, value.to_string())
}

/// What to write where nothing but the quotes is wrong.
fn quotes(scalar: &Scalar, wanted: ValueForm) -> Option<&'static str> {
    match (scalar.kind, wanted) {
        (Kind::Text, ValueForm::Integer(..) | ValueForm::Decimal(..) | ValueForm::NumberOrText(_)) => {
            is_number(&scalar.text).then_some("write the number without quotes")
        }
        (Kind::Text, ValueForm::Boolean) => {
            is_boolean(&scalar.text).then_some("write `#true` or `#false` in KDL, `true` or `false` in YAML")
        }
        (Kind::Integer(_) | Kind::Decimal, ValueForm::Words(words)) => {
            words.iter().any(|(word, _)| *word == scalar.text).then_some("write it in quotes")
        }
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_boolean(text: &str) -> bool {
    ["true", "false"].contains(&text)
}

/// A value as a message names it.
pub(crate) fn found(scalar: &Scalar) -> String {
    let text = quote(&scalar.text);
    match scalar.kind {
        Kind::Text if is_number(&scalar.text) || is_boolean(&scalar.text) => format!("the text `{text}`"),
        Kind::Text | Kind::Variable => format!("`{text}`"),
        Kind::Integer(_) | Kind::Decimal => format!("the number `{text}`"),
        Kind::Bool(_) => format!("the boolean `{text}`"),
        Kind::Null => "null".to_owned(),
    }
}

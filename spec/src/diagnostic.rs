//! What is wrong with the user's input, where, and what to write instead.

use crate::codes::{Code, Kind};
use crate::source::Span;

/// How much a finding weighs: an error stops the compiler after the current stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// One finding. Message, labels and help are lower case, without full stop, in the language's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    pub message: String,
    /// Never empty: the first is the place of the mistake, the others are related places.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Vec<String>,
}

/// A place and what it has to do with the finding. An empty text underlines without words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// Findings in the order in which they were made. Nothing is ever lost, unless it was made with a limit.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    /// How many are kept; the others are counted.
    limit: Option<usize>,
    dropped: usize,
    dropped_error: bool,
}

impl Diagnostic {
    /// What a rule found, with the weight that the rule has by default.
    pub fn of(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code.severity(), code, span, message)
    }

    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, span, message)
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, span, message)
    }

    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, span, message)
    }

    fn new(severity: Severity, code: Code, span: Span, message: impl Into<String>) -> Self {
        let labels = vec![Label { span, text: String::new() }];
        Self { severity, code, message: message.into(), labels, help: Vec::new() }
    }

    /// Says what is wrong at the place of the mistake.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Names another place that has to do with it.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Whether nobody can lower its severity: a fault, or what weighs more than its rule does by default.
    pub fn is_fixed(&self) -> bool {
        match self.code.kind {
            Kind::Fault => true,
            Kind::Rule(default) => self.severity > default,
        }
    }

    /// The place of the mistake.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

impl Diagnostics {
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps so many findings besides those that are there, and counts those that come after.
    pub(crate) fn with_room_for(mut self, more: usize) -> Self {
        self.limit = Some(self.items.len() + more);
        self
    }

    /// How many findings came after the limit.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.limit.is_some_and(|limit| self.items.len() >= limit) {
            self.dropped += 1;
            self.dropped_error |= diagnostic.severity == Severity::Error;
        } else {
            self.items.push(diagnostic);
        }
    }

    pub fn has_errors(&self) -> bool {
        self.dropped_error || self.items.iter().any(|item| item.severity == Severity::Error)
    }

    /// Errors that nobody can lower: these stop the compiler, those of rules only once users had their say.
    pub fn faults(&self) -> usize {
        self.items.iter().filter(|item| item.severity == Severity::Error && item.is_fixed()).count()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    pub fn count(&self, severity: Severity) -> usize {
        self.items.iter().filter(|item| item.severity == severity).count()
    }

    /// Sorts by place, so that the report does not depend on the order of the rules.
    pub fn sort(&mut self) {
        self.items.sort_by(|a, b| (a.span(), a.code.slug).cmp(&(b.span(), b.code.slug)));
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, found: I) {
        found.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(found: I) -> Self {
        Self { items: found.into_iter().collect(), ..Self::default() }
    }
}

/// The user's own text, fit to stand inside a message: short, on one line, without control characters.
pub fn quote(text: &str) -> String {
    const MAX: usize = 60;
    let mut shown: String = text.chars().take(MAX).flat_map(shown_character).collect();
    if text.chars().nth(MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn shown_character(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

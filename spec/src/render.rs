//! Diagnostics as text for people, in the form that rustc made familiar.

use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::lines::{LineStarts, Lines};
use crate::source::{FileId, Position, Sensitivity, Sources, Span};

/// Whether the text is for a terminal that shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Plain,
    Ansi,
}

/// Longer lines are not shown: nobody reads them, and a terminal folds them.
const MAX_LINE: usize = 2_000;

/// Every diagnostic, an empty line after each. Of files that hold secrets, and of lines in which one was found, only the
/// place is shown, never the text.
pub fn render(diagnostics: &Diagnostics, sources: &Sources, color: Color) -> String {
    let mut output = String::new();
    for text in render_each(diagnostics, sources, color) {
        output.push_str(&text);
        output.push_str("\n\n");
    }
    output
}

/// Every diagnostic by itself. Whether a line holds a secret is known of all of them, so one must not be rendered alone.
pub fn render_each(diagnostics: &Diagnostics, sources: &Sources, color: Color) -> Vec<String> {
    let renderer = match color {
        Color::Plain => Renderer::plain(),
        Color::Ansi => Renderer::styled(),
    };
    let mut lines = Lines::default();
    let secret = secret_lines(diagnostics, sources, &mut lines);
    let text = |diagnostic| renderer.render(&[group(diagnostic, sources, &secret, &mut lines)]);
    diagnostics.iter().map(text).collect()
}

/// Lines, counted from 0, in which a rule found a secret.
type SecretLines = BTreeSet<(FileId, usize)>;

fn secret_lines(diagnostics: &Diagnostics, sources: &Sources, lines: &mut Lines) -> SecretLines {
    let found = diagnostics.iter().filter(|diagnostic| diagnostic.code == codes::SECRET_IN_TEXT);
    let mut secret = SecretLines::new();
    for span in found.filter_map(Diagnostic::span) {
        let Some(source) = sources.file(span.file) else { continue };
        let starts = lines.of(span.file, &source.text);
        let last = starts.line(span.end as usize);
        secret.extend((starts.line(span.start as usize)..=last).map(|line| (span.file, line)));
    }
    secret
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources, secret: &SecretLines, lines: &mut Lines) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.code.slug));
    let mut files: Vec<FileId> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    for file in files {
        let Some(source) = sources.file(file) else { continue };
        let labels = diagnostic.labels.iter().enumerate().filter(|(_, label)| label.span.file == file);
        let spans: Vec<Span> = labels.clone().map(|(_, label)| label.span).collect();
        let starts = lines.of(file, &source.text);
        let first = spans.iter().map(|span| starts.line(span.start as usize)).min().unwrap_or(0);
        let last = spans.iter().map(|span| starts.line(span.end as usize)).max().unwrap_or(0);
        let secret = source.sensitivity == Sensitivity::Secret
            || secret.range((file, first)..=(file, last.max(first))).next().is_some();
        let mut long = |span: Span| length(lines.of(file, &source.text), &source.text, span) > MAX_LINE;
        if secret || labels.clone().any(|(_, label)| long(label.span)) {
            for (_, label) in labels {
                let Position { line, column } =
                    lines.of(file, &source.text).position(&source.text, label.span.start as usize);
                group = group.element(Origin::path(&source.name).line(line).char_column(column));
                if !label.text.is_empty() {
                    group = group.element(Level::NOTE.message(&label.text));
                }
            }
            continue;
        }
        let window = window(lines.of(file, &source.text), &source.text, &spans);
        let mut snippet = Snippet::source(window.text).path(&source.name).line_start(window.first_line);
        for (index, label) in labels {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let text = Some(&label.text).filter(|text| !text.is_empty()).map(String::as_str);
            let range = window.range(label.span);
            snippet = snippet.annotation(kind.span(range).label(text));
        }
        group = group.element(snippet);
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    group
}

/// The lines of one file that a diagnostic is about.
struct Window<'t> {
    text: &'t str,
    start: usize,
    first_line: usize,
}

fn window<'t>(lines: &LineStarts, text: &'t str, spans: &[Span]) -> Window<'t> {
    let first = spans.iter().map(|span| span.start as usize).min().unwrap_or(0);
    let last = spans.iter().map(|span| span.end as usize).max().unwrap_or(0);
    let first_line = lines.line(first);
    let start = lines.start(first_line).unwrap_or(0);
    let end = lines.start(lines.line(last) + 1).unwrap_or(text.len());
    Window { text: text.get(start..end).unwrap_or(""), start, first_line: first_line + 1 }
}

/// Of the lines from the beginning of the span to its end.
fn length(lines: &LineStarts, text: &str, span: Span) -> usize {
    let end = lines.start(lines.line(span.end as usize) + 1).unwrap_or(text.len());
    end.saturating_sub(lines.start(lines.line(span.start as usize)).unwrap_or(0))
}

impl Window<'_> {
    /// The span within the window, at character boundaries whatever it was made from.
    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let within = |offset: u32| {
            let mut at = (offset as usize).saturating_sub(self.start).min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        within(span.start)..within(span.end)
    }
}

//! Findings, for people or for machines.

use std::io::IsTerminal;

use clap::ValueEnum;
use serde::Serialize;
use spec::{Color, Diagnostic, Diagnostics, Severity, Sources};

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: the source line, the place, the remedy
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// Writes findings to standard error.
pub fn print_findings(diagnostics: &Diagnostics, sources: &Sources, format: Format) {
    match format {
        Format::Text if diagnostics.is_empty() => {}
        Format::Text => eprint!("{}\n{}\n", text(diagnostics, sources).trim_end(), summary(diagnostics)),
        Format::Json => eprintln!("{}", json(diagnostics, sources)),
    }
}

fn text(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let color = if colored() { Color::Ansi } else { Color::Plain };
    spec::render(diagnostics, sources, color)
}

/// A terminal, unless the user asked for plain text (<https://no-color.org>).
pub fn colored() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn summary(diagnostics: &Diagnostics) -> String {
    let counted = |severity, one: &str| match diagnostics.count(severity) {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {one}s")),
    };
    let parts: Vec<String> =
        [counted(Severity::Error, "error"), counted(Severity::Warning, "warning"), counted(Severity::Note, "note")]
            .into_iter()
            .flatten()
            .collect();
    format!("\n{}", parts.join(", "))
}

#[derive(Serialize)]
struct Report<'a> {
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    places: Vec<Place<'a>>,
    help: &'a [String],
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    label: &'a str,
}

fn json(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let report = Report { findings: diagnostics.iter().map(|diagnostic| finding(diagnostic, sources)).collect() };
    // Text and numbers only: writing them cannot fail.
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

fn finding<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Finding<'a> {
    let places = diagnostic.labels.iter().map(|label| {
        let position = sources.position(label.span);
        Place {
            file: sources.file(label.span.file).map_or("", |file| file.name.as_str()),
            line: position.line,
            column: position.column,
            label: &label.text,
        }
    });
    Finding {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        code: diagnostic.code.slug,
        message: &diagnostic.message,
        places: places.collect(),
        help: &diagnostic.help,
    }
}

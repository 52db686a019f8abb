//! Findings, for people or for machines.

mod github;
mod json;
mod junit;
mod place;
mod sarif;
mod text;

use clap::{Args, ValueEnum};
use spec::suppress::Allowed;
use spec::{Diagnostic, Diagnostics, Severity, Sources};

use crate::exit::Exit;
use crate::input::Loaded;
use crate::judge::Verdict;
use crate::levels::Levels;
use crate::write::{to_stderr, to_stdout};

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: the source line, the place, the remedy
    #[default]
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit's XML, for test reports
    Junit,
    /// Workflow commands, which GitHub shows beside the line
    Github,
}

/// What a command that has findings lets its user say of them.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub levels: Levels,
}

/// What was found in a mesh, in the order of the text, and the texts it was found in.
pub struct Report<'a> {
    /// The names of the files that the mesh is written in; the main one is the first.
    pub files: Vec<String>,
    pub sources: &'a Sources,
    pub findings: &'a Diagnostics,
    pub allowed: &'a [Allowed],
}

impl<'a> Report<'a> {
    pub fn of(loaded: &'a Loaded, verdict: &'a Verdict) -> Self {
        Self { files: loaded.files(), sources: &loaded.sources, findings: &verdict.findings, allowed: &verdict.allowed }
    }
}

/// Where findings go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// They are what the command was asked for: formats for machines go to standard output, text for people to standard
    /// error.
    Result,
    /// They accompany a result on standard output, and go to standard error.
    Remark,
}

/// Writes the findings.
pub fn print(report: &Report<'_>, format: Format, role: Role) -> Result<(), Exit> {
    let text = text(report, format)?;
    if role == Role::Result && format != Format::Text {
        to_stdout(&text)?
    } else {
        to_stderr(&text)?
    }
    Ok(())
}

/// As [`print`] writes them.
pub fn text(report: &Report<'_>, format: Format) -> Result<String, Exit> {
    Ok(match format {
        Format::Text => text::of(report),
        Format::Json => json::of(report),
        Format::Sarif => sarif::of(report),
        Format::Junit => junit::of(report)?,
        Format::Github => github::of(report),
    })
}

fn severity(finding: &Diagnostic) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// What the message, the first label and the remedies say together, a line each.
fn in_words(finding: &Diagnostic) -> String {
    let mut words = finding.message.clone();
    if let Some(label) = finding.labels.first().filter(|label| !label.text.is_empty()) {
        words.push_str(&format!(": {}", label.text));
    }
    for help in &finding.help {
        words.push_str(&format!("\nhelp: {help}"));
    }
    words
}

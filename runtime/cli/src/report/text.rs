//! Findings for people, and how many there are.

use std::io::IsTerminal;

use spec::{Color, Severity};

use super::Report;

/// Nothing when nothing was found.
pub(super) fn of(report: &Report<'_>) -> String {
    let color = if colored() { Color::Ansi } else { Color::Plain };
    let findings = spec::render(report.findings, report.sources, color);
    match summary(report) {
        None => String::new(),
        Some(summary) if findings.is_empty() => format!("{summary}\n"),
        Some(summary) => format!("{}\n\n{summary}\n", findings.trim_end()),
    }
}

/// A terminal, unless the user asked for plain text (<https://no-color.org>).
fn colored() -> bool {
    std::io::stderr().is_terminal() && !crate::write::plain_wanted()
}

fn summary(report: &Report<'_>) -> Option<String> {
    let found = |severity, one| counted(report.findings.count(severity), one);
    let allowed = counted(report.allowed.len(), "finding").map(|count| format!("{count} allowed in the text"));
    let counts =
        [found(Severity::Error, "error"), found(Severity::Warning, "warning"), found(Severity::Note, "note"), allowed];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

fn counted(count: usize, one: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        many => Some(format!("{many} {one}s")),
    }
}

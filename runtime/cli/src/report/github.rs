//! Findings as GitHub's workflow commands: `::error file=mesh.kdl,line=2,…::message`.
//!
//! Escapes as in GitHub's own toolkit (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>).

use spec::{Diagnostic, Severity};

use super::place::Places;
use super::{Report, in_words};

/// A line each; nothing of what comments allow.
pub(super) fn of(report: &Report<'_>) -> String {
    let mut places = Places::new(report.sources);
    report.findings.iter().map(|finding| command(finding, &mut places)).collect()
}

fn command(finding: &Diagnostic, places: &mut Places<'_>) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = places.of_finding(finding);
    let properties = [
        ("file", property(&place.file)),
        ("line", place.start.line.to_string()),
        ("col", place.start.column.to_string()),
        ("endLine", place.end.line.to_string()),
        ("endColumn", place.end.column.to_string()),
        ("title", property(finding.code.slug)),
    ];
    let properties = properties.map(|(name, value)| format!("{name}={value}")).join(",");
    format!("::{command} {properties}::{}\n", data(&in_words(finding)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

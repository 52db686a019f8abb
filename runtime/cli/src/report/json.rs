//! Findings as one JSON document. Its form is a promise: fields are added, never renamed or removed, unless `version`
//! changes.

use serde::Serialize;
use spec::{Diagnostic, Severity};

use super::place::{Place, Places};
use super::{Report, severity};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<Finding<'a>>,
    /// What comments in the text allow: not in `findings`.
    allowed: Vec<AllowedFinding<'a>>,
    counts: Counts,
}

#[derive(Serialize)]
struct AllowedFinding<'a> {
    reason: &'a str,
    #[serde(flatten)]
    finding: Finding<'a>,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    #[serde(flatten)]
    range: Range,
    /// The first is the place of the finding itself.
    labels: Vec<LabelRange<'a>>,
    help: &'a [String],
}

#[derive(Serialize)]
struct LabelRange<'a> {
    #[serde(flatten)]
    range: Range,
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Counts {
    error: usize,
    warning: usize,
    note: usize,
    allowed: usize,
}

pub(super) fn of(report: &Report<'_>) -> String {
    let mut places = Places::new(report.sources);
    let findings = report.findings.iter().map(|it| finding(it, &mut places)).collect();
    let allowed = report.allowed.iter();
    let allowed = allowed.map(|it| AllowedFinding { reason: &it.reason, finding: finding(&it.finding, &mut places) });
    let document = Document {
        version: 1,
        findings,
        allowed: allowed.collect(),
        counts: Counts {
            error: report.findings.count(Severity::Error),
            warning: report.findings.count(Severity::Warning),
            note: report.findings.count(Severity::Note),
            allowed: report.allowed.len(),
        },
    };
    // Text and numbers only: writing them cannot fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn finding<'a>(finding: &'a Diagnostic, places: &mut Places<'_>) -> Finding<'a> {
    let labels = finding.labels.iter();
    let labels = labels.map(|label| LabelRange { range: range(places.of(label.span)), text: &label.text }).collect();
    Finding {
        code: finding.code.slug,
        severity: severity(finding),
        message: &finding.message,
        range: range(places.of_finding(finding)),
        labels,
        help: &finding.help,
    }
}

fn range(place: Place) -> Range {
    let Place { file, start, end } = place;
    Range { file, line: start.line, column: start.column, end_line: end.line, end_column: end.column }
}

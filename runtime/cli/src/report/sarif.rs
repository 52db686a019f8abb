//! Findings as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).
//!
//! Only what we have to say is written. A crate of all of SARIF's types would be generated from its schema in every
//! build; a test compares the output with that schema instead.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use spec::{Code, Diagnostic, Severity, Span};

use super::place::Places;
use super::{Report, in_words};
use crate::pages;

pub(super) fn of(report: &Report<'_>) -> String {
    let allowed = report.allowed.iter().map(|allowed| &allowed.finding);
    let rules: Vec<Code> =
        report.findings.iter().chain(allowed).map(|it| it.code).collect::<BTreeSet<_>>().into_iter().collect();
    let mut places = Places::new(report.sources);
    let mut results: Vec<Value> = report.findings.iter().map(|it| result(it, &rules, &mut places)).collect();
    for allowed in report.allowed {
        let mut result = result(&allowed.finding, &rules, &mut places);
        if let Some(fields) = result.as_object_mut() {
            let suppression = json!({ "kind": "inSource", "justification": allowed.reason });
            fields.insert("suppressions".to_owned(), json!([suppression]));
        }
        results.push(result);
    }
    let driver = json!({
        "name": "meshwright",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules.iter().map(rule).collect::<Vec<_>>(),
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results }],
    });
    format!("{log:#}\n")
}

fn rule(code: &Code) -> Value {
    let page = pages::of(*code);
    json!({
        "id": code.slug,
        "shortDescription": { "text": code.summary },
        "fullDescription": { "text": pages::says(page) },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn result(finding: &Diagnostic, rules: &[Code], places: &mut Places<'_>) -> Value {
    let mut result = json!({
        "ruleId": finding.code.slug,
        "level": level(finding.severity),
        "message": { "text": in_words(finding) },
        "locations": finding.span().map(|span| json!({ "physicalLocation": location(span, places) })).into_iter().collect::<Vec<_>>(),
    });
    let related = finding.labels.iter().skip(1).enumerate().map(|(index, label)| {
        let mut related = json!({ "id": index + 1, "physicalLocation": location(label.span, places) });
        if let Some(fields) = related.as_object_mut().filter(|_| !label.text.is_empty()) {
            fields.insert("message".to_owned(), json!({ "text": label.text }));
        }
        related
    });
    let related: Vec<Value> = related.collect();
    if let Some(fields) = result.as_object_mut() {
        if let Ok(index) = rules.binary_search(&finding.code) {
            fields.insert("ruleIndex".to_owned(), json!(index));
        }
        if !related.is_empty() {
            fields.insert("relatedLocations".to_owned(), json!(related));
        }
    }
    result
}

fn location(span: Span, places: &mut Places<'_>) -> Value {
    let place = places.of(span);
    json!({
        "artifactLocation": { "uri": uri(&place.file) },
        "region": {
            "startLine": place.start.line,
            "startColumn": place.start.column,
            "endLine": place.end.line,
            "endColumn": place.end.column,
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A path as a URI reference: relative if the path is, otherwise of a file.
fn uri(path: &str) -> String {
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    let encoded = path.bytes().map(|byte| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    scheme.chars().map(String::from).chain(encoded).collect()
}

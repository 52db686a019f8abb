//! Findings as JUnit's XML: a suite for each file, a case for each finding. Errors are failures, warnings and notes
//! cases that passed with something to say, allowed findings cases that were skipped.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use spec::{Diagnostic, Severity};

use super::place::{Place, Places, slashed};
use super::{Report, in_words};
use crate::exit::{Exit, ExitStatus};

/// The files of the mesh come first, whether something was found in them or not: then their one case passes.
pub(super) fn of(report: &Report<'_>) -> Result<String, Exit> {
    let mut cases = cases(report);
    let mut document = quick_junit::Report::new("meshwright");
    for file in report.files.iter().map(|name| slashed(name)) {
        let of_file = cases.remove(&file).unwrap_or_else(|| vec![clean(&file)]);
        document.add_test_suite(suite(&file, of_file));
    }
    for (file, of_file) in cases {
        document.add_test_suite(suite(&file, of_file));
    }
    document.to_string().map_err(|error| Exit { status: ExitStatus::Internal, error: error.into() })
}

/// By file.
fn cases(report: &Report<'_>) -> BTreeMap<String, Vec<TestCase>> {
    let mut places = Places::new(report.sources);
    let mut cases: BTreeMap<String, Vec<TestCase>> = BTreeMap::new();
    for finding in report.findings.iter() {
        let place = places.of_finding(finding);
        let (status, words) = status(finding, &place);
        let mut case = case(finding, &place, status);
        if let Some(words) = words {
            case.set_system_out(words);
        }
        cases.entry(place.file).or_default().push(case);
    }
    for allowed in report.allowed {
        let place = places.of_finding(&allowed.finding);
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("allowed: {}", allowed.reason));
        let case = case(&allowed.finding, &place, status);
        cases.entry(place.file).or_default().push(case);
    }
    cases
}

fn suite(file: &str, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(file);
    suite.add_test_cases(cases);
    suite
}

fn clean(file: &str) -> TestCase {
    let mut case = TestCase::new("no findings", TestCaseStatus::success());
    case.set_classname(file);
    case
}

fn case(finding: &Diagnostic, place: &Place, status: TestCaseStatus) -> TestCase {
    let name = format!("{} at {}:{}", finding.code.slug, place.start.line, place.start.column);
    let mut case = TestCase::new(name, status);
    case.set_classname(place.file.as_str());
    case
}

/// A failure with everything there is to say, or a success and what there is to say beside it.
fn status(finding: &Diagnostic, place: &Place) -> (TestCaseStatus, Option<String>) {
    let words = format!("{}:{}:{}: {}", place.file, place.start.line, place.start.column, in_words(finding));
    if finding.severity < Severity::Error {
        return (TestCaseStatus::success(), Some(format!("{}: {words}", super::severity(finding))));
    }
    let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
    failure.set_type(finding.code.slug);
    failure.set_message(finding.message.as_str());
    failure.set_description(words);
    (failure, None)
}

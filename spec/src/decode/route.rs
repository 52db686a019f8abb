//! Routes, header matches and targets.

use super::fields::Fields;
use super::policy;
use super::value::Reader;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mesh::{HeaderMatch, HeaderValueMatch, PathMatch, Route, Target};
use crate::names::Name;
use crate::source::{Span, Spanned};

pub(super) fn routes(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Route> {
    fields.many("route", "a route").into_iter().map(|route| self::route(route, diagnostics)).collect()
}

/// The route of targets that stand beside routes: every path.
pub(super) fn to_targets(targets: Vec<Target>, span: Span) -> Route {
    let path = Spanned::new(PathMatch::Prefix("/".to_owned()), span);
    Route { path, headers: Vec::new(), targets, timeout: None, retry: None }
}

fn route(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Route {
    let span = fields.span();
    let prefix = fields.value("path-prefix", Reader::PATH, diagnostics);
    let exact = fields.value("path", Reader::PATH, diagnostics);
    if let (Some(prefix), Some(exact)) = (&prefix, &exact) {
        let diagnostic = Diagnostic::error(codes::INVALID_VALUE, exact.span, "a route has one path");
        diagnostics.push(diagnostic.related(prefix.span, "the other one").help("write two routes"));
    }
    let path = match (prefix, exact) {
        (_, Some(exact)) => exact.map(PathMatch::Exact),
        (Some(prefix), None) => prefix.map(PathMatch::Prefix),
        (None, None) => Spanned::new(PathMatch::Prefix("/".to_owned()), span),
    };
    let headers = headers(&mut fields, diagnostics);
    let targets = targets(&mut fields, diagnostics);
    if targets.is_empty() && !fields.has("to") {
        let diagnostic = Diagnostic::error(codes::MISSING_FIELD, span, "this route goes nowhere");
        diagnostics.push(diagnostic.help("write where its requests go, as in `to \"SERVICE\"`"));
    }
    let timeout = fields.value("timeout", Reader::DURATION, diagnostics);
    let retry = policy::retry(&mut fields, diagnostics);
    fields.finish(diagnostics);
    Route { path, headers, targets, timeout, retry }
}

pub(super) fn targets(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Target> {
    fields.many("to", "a target").into_iter().filter_map(|target| self::target(target, diagnostics)).collect()
}

fn target(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Target> {
    let service = fields.primary("service", Reader::<Name>::NAME, diagnostics);
    let weight = fields.value("weight", Reader::COUNT, diagnostics);
    fields.finish(diagnostics);
    Some(Target { service: service?, weight })
}

pub(super) fn headers(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<HeaderMatch> {
    fields.many("header", "a header match").into_iter().filter_map(|header| self::header(header, diagnostics)).collect()
}

fn header(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Option<HeaderMatch> {
    let span = fields.span();
    let said = ["exact", "prefix", "suffix", "present"].into_iter().filter(|key| fields.has(key)).count();
    let name = fields.primary("name", Reader::HEADER_NAME, diagnostics);
    let exact = fields.value("exact", Reader::AS_WRITTEN, diagnostics);
    let prefix = fields.value("prefix", Reader::NOT_EMPTY, diagnostics);
    let suffix = fields.value("suffix", Reader::NOT_EMPTY, diagnostics);
    let present = fields.value("present", Reader::BOOL, diagnostics);
    let invert = fields.value("invert", Reader::BOOL, diagnostics);
    fields.finish(diagnostics);
    if said != 1 {
        let message = "a header match compares in one way";
        let diagnostic = Diagnostic::error(codes::INVALID_VALUE, span, message);
        diagnostics.push(diagnostic.help("write one of `exact`, `prefix`, `suffix` and `present`"));
        return None;
    }
    if let Some(absent) = present.as_ref().filter(|present| !present.value) {
        let diagnostic = Diagnostic::error(codes::INVALID_VALUE, absent.span, "`present` can only be true");
        diagnostics.push(diagnostic.help("for requests without the header, let `present` and `invert` both be true"));
        return None;
    }
    let exact = exact.map(|exact| HeaderValueMatch::Exact(exact.value));
    let prefix = prefix.map(|prefix| HeaderValueMatch::Prefix(prefix.value));
    let suffix = suffix.map(|suffix| HeaderValueMatch::Suffix(suffix.value));
    let value = exact.or(prefix).or(suffix).or(present.map(|_| HeaderValueMatch::Present))?;
    Some(HeaderMatch { name: name?, value, invert: invert.is_some_and(|invert| invert.value) })
}

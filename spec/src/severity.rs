//! How much a rule weighs, as a mesh says it: `rule "unreachable-route" level="warning"`.

use std::collections::BTreeMap;

use crate::codes::{self, Code, Kind};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, quote};
use crate::mesh::{Level, RuleLevel};
use crate::source::{Span, Spanned};
use crate::suggest::closest;

/// Rules whose weight is not the default.
pub type Levels = BTreeMap<Code, Level>;

/// What a mesh says of rules, as far as it has a meaning; the rest is reported.
pub fn levels(rules: &[RuleLevel], diagnostics: &mut Diagnostics) -> Levels {
    let mut levels = Levels::new();
    let mut places: BTreeMap<Code, Span> = BTreeMap::new();
    for rule in rules {
        let written = Spanned::new(rule.code.value.as_str(), rule.code.span);
        let Some(code) = named(written, diagnostics) else { continue };
        if let Some(first) = places.insert(code, written.span) {
            let twice = format!("the level of `{}` is said twice", code.slug);
            let found = Diagnostic::error(codes::DUPLICATE_NAME, written.span, twice);
            diagnostics.push(found.related(first, "first here").help("keep one of them"));
        }
        if code.kind == Kind::Fault {
            if rule.level.value != Level::Error {
                diagnostics.push(fixed(Spanned::new(code, rule.level.span)));
            }
            continue;
        }
        let reason = rule.reason.as_ref().map_or("", |reason| reason.value.trim());
        if rule.level.value == Level::Off && reason.is_empty() {
            let message = format!("`{}` is switched off without a reason", code.slug);
            let found = Diagnostic::error(codes::SUPPRESSION_WITHOUT_REASON, rule.level.span, message);
            diagnostics.push(found.help("say why with `reason`, or choose the level `note`"));
        }
        levels.insert(code, rule.level.value);
    }
    levels
}

/// The findings with the weight that users gave their rules. What is fixed stays as it is.
pub fn apply(levels: &Levels, found: Diagnostics) -> Diagnostics {
    found.into_iter().filter_map(|finding| weighed(levels, finding)).collect()
}

fn weighed(levels: &Levels, mut finding: Diagnostic) -> Option<Diagnostic> {
    let level = levels.get(&finding.code).copied().filter(|_| !finding.is_fixed());
    finding.severity = match level {
        None => finding.severity,
        Some(Level::Off) => return None,
        Some(Level::Note) => Severity::Note,
        Some(Level::Warning) => Severity::Warning,
        Some(Level::Error) => Severity::Error,
    };
    Some(finding)
}

/// The code that a user wrote; an unknown one is reported.
pub(crate) fn named(written: Spanned<&str>, diagnostics: &mut Diagnostics) -> Option<Code> {
    let code = codes::find(written.value);
    if code.is_none() {
        let message = format!("no rule is called `{}`", quote(written.value));
        let found = Diagnostic::error(codes::UNKNOWN_RULE, written.span, message);
        diagnostics.push(match suggestion(written.value) {
            Some(close) => found.help(format!("did you mean `{close}`?")),
            None => found.help("`meshwright rule` lists all of them"),
        });
    }
    code
}

/// The slug that was meant by one that does not exist.
pub fn suggestion(slug: &str) -> Option<&'static str> {
    closest(slug, codes::ALL.iter().map(|code| code.slug))
}

pub(crate) fn fixed(code: Spanned<Code>) -> Diagnostic {
    let message = format!("`{}` is not a matter of opinion", code.value.slug);
    Diagnostic::error(codes::FIXED_SEVERITY, code.span, message)
        .label("a fault stays what it is")
        .help("leave this out, and correct what the error is about")
}

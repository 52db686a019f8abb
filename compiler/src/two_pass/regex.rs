//! Regular expressions for a path with its query, made of what is said of the path alone.

use regex_syntax::ast::{AssertionKind, Ast, ClassPerlKind, ClassSet, Span, parse::Parser};

use super::{Also, Compare, PathCondition};

/// What a query may be.
const QUERY: &str = r"(?:\?.*)?";

/// The condition, on a path that may have a query behind it.
pub(super) fn with_query(condition: &PathCondition) -> Also {
    let PathCondition { compare, text, ignore_case } = condition;
    let flag = if *ignore_case { "(?i)" } else { "" };
    Also::Regex(match compare {
        Compare::Regex => format!("{flag}(?:{}){QUERY}", not_into_the_query(text)),
        Compare::Exact => format!("{flag}{}{QUERY}", regex_syntax::escape(text)),
        Compare::Prefix => format!("{flag}{}.*", regex_syntax::escape(text)),
    })
}

/// A beginning in any case, and what follows it as it is.
pub(super) fn pieces(any_case: &str, as_is: &str, compare: Compare) -> Also {
    let rest = if compare == Compare::Prefix { ".*" } else { QUERY };
    Also::Regex(format!("(?i:{}){}{rest}", regex_syntax::escape(any_case), regex_syntax::escape(as_is)))
}

/// Whatever stands for any character in it stands for no `?`: a path has none, and its query must not count. What it says
/// of the end is left out: that is the end of the path.
fn not_into_the_query(pattern: &str) -> String {
    let Ok(ast) = Parser::new().parse(pattern) else { return pattern.to_owned() };
    let mut changes = Vec::new();
    collect(&ast, pattern, &mut changes);
    let mut changed = pattern.to_owned();
    // From the end, so that what comes before stays where it is.
    changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start.offset));
    for (span, instead) in changes {
        if changed.get(span.start.offset..span.end.offset).is_some() {
            changed.replace_range(span.start.offset..span.end.offset, &instead);
        }
    }
    changed
}

fn collect(ast: &Ast, pattern: &str, changes: &mut Vec<(Span, String)>) {
    match ast {
        Ast::Dot(span) => changes.push((**span, "[^?]".to_owned())),
        Ast::ClassPerl(class) if class.negated => {
            let letter = match class.kind {
                ClassPerlKind::Digit => 'd',
                ClassPerlKind::Space => 's',
                ClassPerlKind::Word => 'w',
            };
            changes.push((class.span, format!(r"[^?\{letter}]")));
        }
        Ast::ClassBracketed(class) if class.negated && matches!(class.kind, ClassSet::Item(_)) => {
            let written = pattern.get(class.span.start.offset..class.span.end.offset).unwrap_or_default();
            let Some(members) = written.strip_prefix("[^") else { return };
            // A first `]` or `-` stands for itself, and would not any more.
            let escape = if members.starts_with([']', '-']) { r"\" } else { "" };
            changes.push((class.span, format!(r"[^\?{escape}{members}")));
        }
        // A query may follow where the path ends. What is repeated must stay something.
        Ast::Assertion(assertion) if matches!(assertion.kind, AssertionKind::EndLine | AssertionKind::EndText) => {
            changes.push((assertion.span, "(?:)".to_owned()));
        }
        Ast::Repetition(repetition) => collect(&repetition.ast, pattern, changes),
        Ast::Group(group) => collect(&group.ast, pattern, changes),
        Ast::Alternation(alternation) => alternation.asts.iter().for_each(|ast| collect(ast, pattern, changes)),
        Ast::Concat(concat) => concat.asts.iter().for_each(|ast| collect(ast, pattern, changes)),
        _ => {}
    }
}

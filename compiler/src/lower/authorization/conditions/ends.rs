//! A regular expression as part of a larger one, which no longer begins and ends where the value does.

use regex_syntax::ast::{Assertion, AssertionKind, Ast, Visitor, parse::Parser, visit};

/// Without `^`, `$` and the like, so that it takes all that it took, and elsewhere. Only for what refuses: where they
/// stand in the middle it takes more.
pub(super) fn left_out(pattern: &str) -> String {
    let mut ends = Ends::default();
    // A rule has refused what has no syntax.
    let Ok(ast) = Parser::new().parse(pattern) else { return pattern.to_owned() };
    let Ok(()) = visit(&ast, &mut ends) else { return pattern.to_owned() };
    let (mut rest, mut without) = (0, String::new());
    for Assertion { span, .. } in &ends.0 {
        without.push_str(pattern.get(rest..span.start.offset).unwrap_or_default());
        // Something must stay where it is repeated.
        without.push_str("(?:)");
        rest = span.end.offset;
    }
    without.push_str(pattern.get(rest..).unwrap_or_default());
    without
}

/// In the order of the text.
#[derive(Default)]
struct Ends(Vec<Assertion>);

impl Visitor for &mut Ends {
    type Output = ();
    type Err = ();

    fn finish(self) -> Result<(), ()> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        if let Ast::Assertion(assertion) = ast {
            match assertion.kind {
                AssertionKind::StartLine
                | AssertionKind::EndLine
                | AssertionKind::StartText
                | AssertionKind::EndText => self.0.push((**assertion).clone()),
                _ => {}
            }
        }
        Ok(())
    }
}

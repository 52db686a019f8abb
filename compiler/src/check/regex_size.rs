//! How large a pattern may be as a program of RE2: never less than RE2 makes of it.
//!
//! RE2 counts the instructions of its flattened program; Envoy compiles for bytes. What RE2 shares between alternatives
//! is not known here, so the bound may be more than RE2 needs.

use regex_syntax::ast::{
    Ast, ClassAsciiKind, ClassBracketed, ClassPerlKind, ClassSet, ClassSetItem, GroupKind, RepetitionKind,
    RepetitionRange,
};

/// The beginning of every program: to fail, to match, and to look for the first match.
const FRAME: usize = 4;

/// At least the size of the pattern's program.
pub(super) fn bound(ast: &Ast) -> usize {
    steps(ast).saturating_add(FRAME)
}

fn steps(ast: &Ast) -> usize {
    match ast {
        Ast::Flags(_) => 0,
        Ast::Empty(_) | Ast::Assertion(_) => 1,
        Ast::Literal(literal) => literal.c.len_utf8(),
        Ast::Dot(_) => 2,
        Ast::ClassUnicode(_) => usize::MAX,
        Ast::ClassPerl(class) => runs(&perl(&class.kind, class.negated)),
        Ast::ClassBracketed(class) => runs(&members(class)),
        Ast::Repetition(repetition) => repeated(&repetition.op.kind, steps(&repetition.ast)),
        Ast::Group(group) => match group.kind {
            GroupKind::NonCapturing(_) => steps(&group.ast),
            GroupKind::CaptureIndex(_) | GroupKind::CaptureName { .. } => steps(&group.ast).saturating_add(2),
        },
        Ast::Alternation(alternation) => sum(&alternation.asts).saturating_add(alternation.asts.len()),
        Ast::Concat(concat) => sum(&concat.asts),
    }
}

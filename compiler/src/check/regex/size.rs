//! How large a pattern may be as a program of RE2: never less than RE2 makes of it.
//!
//! RE2 counts the instructions of its flattened program; Envoy compiles for bytes. What RE2 shares between alternatives
//! is not known here, so the bound may be more than RE2 needs. The weights were measured against RE2 itself.

use regex_syntax::ast::{
    Ast, ClassAsciiKind, ClassBracketed, ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags, GroupKind, RepetitionKind,
    RepetitionRange,
};

/// The beginning and end of every program: to fail, to match, and to look for the first match.
const FRAME: usize = 4;

/// Whether letters of both cases may be meant somewhere in a pattern.
#[derive(Clone, Copy)]
enum Case {
    Matters,
    Ignored,
}

/// At least the size of the pattern's program.
pub(crate) fn bound(ast: &Ast) -> usize {
    let case = if ignores_case(ast) { Case::Ignored } else { Case::Matters };
    steps(ast, case).saturating_add(FRAME)
}

fn steps(ast: &Ast, case: Case) -> usize {
    match ast {
        Ast::Flags(_) => 0,
        Ast::Empty(_) => 1,
        Ast::Assertion(_) => 2,
        Ast::Literal(literal) => literal.c.len_utf8(),
        Ast::Dot(_) => 2,
        // One step for each of at most 128 runs of bytes.
        Ast::ClassUnicode(_) => 128,
        Ast::ClassPerl(class) => of_class(|byte| perl(&class.kind, byte), class.negated, case),
        Ast::ClassBracketed(class) => of_class(|byte| in_class(class, byte), class.negated, case),
        Ast::Repetition(repetition) => repeated(&repetition.op.kind, steps(&repetition.ast, case)),
        Ast::Group(group) => match group.kind {
            GroupKind::NonCapturing(_) => steps(&group.ast, case),
            GroupKind::CaptureIndex(_) | GroupKind::CaptureName { .. } => steps(&group.ast, case).saturating_add(2),
        },
        Ast::Alternation(alternation) => sum(&alternation.asts, case).saturating_add(alternation.asts.len()),
        Ast::Concat(concat) => sum(&concat.asts, case),
    }
}

fn sum(asts: &[Ast], case: Case) -> usize {
    asts.iter().map(|ast| steps(ast, case)).fold(0, usize::saturating_add)
}

fn ignores_case(ast: &Ast) -> bool {
    let sets = |flags: &Flags| flags.flag_state(Flag::CaseInsensitive) == Some(true);
    match ast {
        Ast::Flags(set) => sets(&set.flags),
        Ast::Group(group) => group.flags().is_some_and(sets) || ignores_case(&group.ast),
        Ast::Repetition(repetition) => ignores_case(&repetition.ast),
        Ast::Alternation(alternation) => alternation.asts.iter().any(ignores_case),
        Ast::Concat(concat) => concat.asts.iter().any(ignores_case),
        _ => false,
    }
}

/// Counted repetitions are written out: `a{2,4}` is `aa(?:a(?:a)?)?`.
fn repeated(kind: &RepetitionKind, one: usize) -> usize {
    let times = |count: u32, one: usize| one.saturating_mul(usize::try_from(count).unwrap_or(usize::MAX));
    match kind {
        RepetitionKind::ZeroOrOne | RepetitionKind::OneOrMore => one.saturating_add(2),
        RepetitionKind::ZeroOrMore | RepetitionKind::Range(RepetitionRange::AtLeast(0)) => one.saturating_add(3),
        RepetitionKind::Range(RepetitionRange::AtLeast(least)) => times(*least, one).saturating_add(2),
        RepetitionKind::Range(RepetitionRange::Exactly(count)) => times(*count, one).max(1),
        RepetitionKind::Range(RepetitionRange::Bounded(least, most)) => {
            let optional = times(most.saturating_sub(*least), one.saturating_add(2));
            times(*least, one).saturating_add(optional).max(1)
        }
    }
}

/// One step for each run of bytes; where case may be ignored, with or without regard to it, whichever needs more.
fn of_class(said: impl Fn(u8) -> bool, negated: bool, case: Case) -> usize {
    let other_case = |byte: u8| match byte.is_ascii_lowercase() {
        true => byte.to_ascii_uppercase(),
        false => byte.to_ascii_lowercase(),
    };
    let as_said = runs(|byte| said(byte) != negated);
    match case {
        Case::Matters => as_said,
        Case::Ignored => as_said.max(runs(|byte| (said(byte) || said(other_case(byte))) != negated)),
    }
}

fn runs(has: impl Fn(u8) -> bool) -> usize {
    let begins = |byte: &u8| has(*byte) && byte.checked_sub(1).is_none_or(|before| !has(before));
    (0..=u8::MAX).filter(begins).count().max(1)
}

fn in_class(class: &ClassBracketed, byte: u8) -> bool {
    match &class.kind {
        ClassSet::Item(item) => in_item(item, byte),
        ClassSet::BinaryOp(_) => false,
    }
}

fn in_item(item: &ClassSetItem, byte: u8) -> bool {
    let character = char::from(byte);
    match item {
        ClassSetItem::Empty(_) | ClassSetItem::Unicode(_) | ClassSetItem::Bracketed(_) => false,
        ClassSetItem::Literal(literal) => literal.c == character,
        ClassSetItem::Range(range) => (range.start.c..=range.end.c).contains(&character),
        ClassSetItem::Ascii(class) => ascii(&class.kind, byte) != class.negated,
        ClassSetItem::Perl(class) => perl(&class.kind, byte) != class.negated,
        ClassSetItem::Union(union) => union.items.iter().any(|item| in_item(item, byte)),
    }
}

/// As RE2 has them: ASCII alone.
fn perl(kind: &ClassPerlKind, byte: u8) -> bool {
    match kind {
        ClassPerlKind::Digit => byte.is_ascii_digit(),
        ClassPerlKind::Space => byte.is_ascii_whitespace(),
        ClassPerlKind::Word => byte.is_ascii_alphanumeric() || byte == b'_',
    }
}

fn ascii(kind: &ClassAsciiKind, byte: u8) -> bool {
    match kind {
        ClassAsciiKind::Alnum => byte.is_ascii_alphanumeric(),
        ClassAsciiKind::Alpha => byte.is_ascii_alphabetic(),
        ClassAsciiKind::Ascii => byte.is_ascii(),
        ClassAsciiKind::Blank => matches!(byte, b' ' | b'\t'),
        ClassAsciiKind::Cntrl => byte.is_ascii_control(),
        ClassAsciiKind::Digit => byte.is_ascii_digit(),
        ClassAsciiKind::Graph => byte.is_ascii_graphic(),
        ClassAsciiKind::Lower => byte.is_ascii_lowercase(),
        ClassAsciiKind::Print => byte == b' ' || byte.is_ascii_graphic(),
        ClassAsciiKind::Punct => byte.is_ascii_punctuation(),
        ClassAsciiKind::Space => byte.is_ascii_whitespace() || byte == 0x0b,
        ClassAsciiKind::Upper => byte.is_ascii_uppercase(),
        ClassAsciiKind::Word => perl(&ClassPerlKind::Word, byte),
        ClassAsciiKind::Xdigit => byte.is_ascii_hexdigit(),
    }
}

//! Which regular expressions Envoy takes, and takes as they read.
//!
//! What is accepted is what Rust's syntax and RE2's have in common, so that whoever reads a pattern in either way is
//! right. Envoy compares bytes, not characters: a character beyond ASCII is several bytes, and may only stand for itself.

mod size;

use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassBracketed, ClassSet, ClassSetItem, Flag, FlagsItemKind, GroupKind,
    HexLiteralKind, Literal, LiteralKind, RepetitionKind, RepetitionRange, Span, parse::ParserBuilder,
};

/// The largest program that Envoy loads (`re2.max_program_size.error_level`).
pub(crate) const MAX_SIZE: usize = 100;
/// RE2 repeats no more often.
const MAX_REPEAT: u32 = 1000;
/// Deeper nesting says nothing that so small a program can hold.
const MAX_DEPTH: u32 = 100;
/// Nothing longer has so small a program, apart from spelling.
const MAX_LENGTH: usize = 4096;

/// Why Envoy would refuse a pattern or read it otherwise, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) why: String,
    pub(crate) help: &'static str,
}

/// Whether Envoy takes this pattern, and as it reads; then how many groups it has.
pub(crate) fn check(pattern: &str) -> Result<usize, Refused> {
    if pattern.len() > MAX_LENGTH {
        return refuse(format!("it has {} bytes", pattern.len()), "say it with several routes, or a prefix");
    }
    let parsed = ParserBuilder::new().nest_limit(MAX_DEPTH).build().parse(pattern);
    let ast = parsed.map_err(|error| Refused { why: error.kind().to_string(), help: syntax_help(pattern) })?;
    said_in_both(&ast, pattern)?;
    let size = size::bound(&ast);
    if size > MAX_SIZE {
        let why = format!("as a program it may have {size} steps, and Envoy loads at most {MAX_SIZE}");
        return refuse(why, "make it shorter: a large `{n}` counts as often as it says; several routes may do");
    }
    Ok(groups(&ast))
}

/// The size of a pattern that was made of ones that are right, if Envoy does not load it.
pub(crate) fn too_large(pattern: &str) -> Option<usize> {
    let ast = ParserBuilder::new().nest_limit(MAX_DEPTH).build().parse(pattern).ok()?;
    Some(size::bound(&ast)).filter(|size| *size > MAX_SIZE)
}

/// Whether a substitution names only groups that there are: `\1` to `\9`, `\0` for all of it, `\\` for itself.
pub(crate) fn check_substitution(text: &str, groups: usize) -> Result<(), Refused> {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            continue;
        }
        match characters.next() {
            Some('\\') => {}
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(0);
                if group > groups {
                    return refuse(format!("there is no group {group}"), "put what it stands for into `(…)`");
                }
            }
            _ => return refuse(r"a `\` stands before a digit or another `\`", r"write `\\` for the character itself"),
        }
    }
    Ok(())
}

fn groups(ast: &Ast) -> usize {
    match ast {
        Ast::Repetition(repetition) => groups(&repetition.ast),
        Ast::Group(group) => groups(&group.ast) + usize::from(group.is_capturing()),
        Ast::Alternation(alternation) => alternation.asts.iter().map(groups).sum(),
        Ast::Concat(concat) => concat.asts.iter().map(groups).sum(),
        _ => 0,
    }
}

fn refuse<T>(why: impl Into<String>, help: &'static str) -> Result<T, Refused> {
    Err(Refused { why: why.into(), help })
}

fn syntax_help(pattern: &str) -> &'static str {
    match ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|look| pattern.contains(look)) {
        true => "RE2 does not look around: use a second condition, or `invert`",
        false => "write it in RE2's syntax: https://github.com/google/re2/wiki/Syntax",
    }
}

/// Refuses what one of the two syntaxes lacks or reads otherwise.
fn said_in_both(ast: &Ast, pattern: &str) -> Result<(), Refused> {
    match ast {
        Ast::Empty(_) | Ast::Dot(_) | Ast::ClassPerl(_) => Ok(()),
        Ast::Flags(set) => flags(set.flags.items.iter().map(|item| &item.kind)),
        Ast::Literal(literal) => one(literal, pattern),
        Ast::Assertion(assertion) => boundary(assertion),
        Ast::ClassUnicode(_) => unicode_class(),
        Ast::ClassBracketed(class) => bracketed(class, pattern),
        Ast::Repetition(repetition) => {
            let op = &repetition.op;
            if matches!(*repetition.ast, Ast::Repetition(_)) {
                return refuse("it repeats a repetition", "put the inner repetition into `(?:…)`");
            }
            if let RepetitionKind::Range(range) = &op.kind {
                counted(range, text(pattern, op.span))?;
            }
            if let Ast::Literal(literal) = &*repetition.ast
                && !literal.c.is_ascii()
            {
                return beyond_ascii("put the character into `(?:…)` before you repeat it");
            }
            said_in_both(&repetition.ast, pattern)
        }
        Ast::Group(group) => {
            match &group.kind {
                GroupKind::CaptureIndex(_) => {}
                GroupKind::CaptureName { name, .. } => {
                    if !name.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                        return refuse("the name of a group has other than ASCII letters, digits and `_`", "rename it");
                    }
                }
                GroupKind::NonCapturing(set) => flags(set.items.iter().map(|item| &item.kind))?,
            }
            said_in_both(&group.ast, pattern)
        }
        Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|ast| said_in_both(ast, pattern)),
        Ast::Concat(concat) => concat.asts.iter().try_for_each(|ast| said_in_both(ast, pattern)),
    }
}

fn flags<'a>(mut items: impl Iterator<Item = &'a FlagsItemKind>) -> Result<(), Refused> {
    let known = |item: &FlagsItemKind| match item {
        FlagsItemKind::Negation => true,
        FlagsItemKind::Flag(flag) => {
            matches!(flag, Flag::CaseInsensitive | Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed)
        }
    };
    match items.all(known) {
        true => Ok(()),
        false => refuse("RE2 has no such flag", "the flags are `i`, `m`, `s` and `U`"),
    }
}

fn one(literal: &Literal, pattern: &str) -> Result<(), Refused> {
    let written = text(pattern, literal.span);
    match literal.kind {
        LiteralKind::HexFixed(HexLiteralKind::X) | LiteralKind::HexBrace(HexLiteralKind::X) => {
            let plain = written.trim_start_matches("\\x").trim_matches(['{', '}']);
            match literal.c.is_ascii() && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                true => Ok(()),
                false => beyond_ascii("write the character itself, outside of `[…]`"),
            }
        }
        LiteralKind::HexFixed(_) | LiteralKind::HexBrace(_) => {
            refuse("RE2 has no `\\u`", "write the character itself, outside of `[…]`")
        }
        LiteralKind::Octal => refuse("an octal escape may be read as a reference", "write `\\x` and two digits"),
        _ => Ok(()),
    }
}

fn boundary(assertion: &Assertion) -> Result<(), Refused> {
    match assertion.kind {
        AssertionKind::StartLine
        | AssertionKind::EndLine
        | AssertionKind::StartText
        | AssertionKind::EndText
        | AssertionKind::WordBoundary
        | AssertionKind::NotWordBoundary => Ok(()),
        _ => refuse("RE2 knows no beginning or end of words apart from `\\b`", "write `\\b`"),
    }
}

fn bracketed(class: &ClassBracketed, pattern: &str) -> Result<(), Refused> {
    match &class.kind {
        ClassSet::BinaryOp(_) => refuse(
            "`&&`, `--` and `~~` are plain characters to RE2",
            "list the characters; write `\\-`, `\\&` or `\\~` for the characters themselves",
        ),
        ClassSet::Item(item) => member(item, pattern),
    }
}

fn member(item: &ClassSetItem, pattern: &str) -> Result<(), Refused> {
    let plain = |literal: &Literal| match literal.c.is_ascii() {
        true => one(literal, pattern),
        false => beyond_ascii("write alternatives instead: `(?:é|ü)`"),
    };
    match item {
        ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) | ClassSetItem::Perl(_) => Ok(()),
        ClassSetItem::Literal(literal) => plain(literal),
        ClassSetItem::Range(range) => plain(&range.start).and_then(|()| plain(&range.end)),
        ClassSetItem::Unicode(_) => unicode_class(),
        ClassSetItem::Bracketed(_) => refuse("`[` within `[…]` is a plain character to RE2", "write `\\[` for it"),
        ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| member(item, pattern)),
    }
}

fn counted(range: &RepetitionRange, written: &str) -> Result<(), Refused> {
    let most = match range {
        RepetitionRange::Exactly(count) | RepetitionRange::AtLeast(count) => *count,
        RepetitionRange::Bounded(_, most) => *most,
    };
    if most > MAX_REPEAT {
        return refuse(format!("RE2 repeats at most {MAX_REPEAT} times"), "use `*` or `+`");
    }
    let inside = written.trim_end_matches('?').trim_start_matches('{').trim_end_matches('}');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (least, rest) = inside.split_once(',').unwrap_or((inside, ""));
    match !least.is_empty() && digits(least) && digits(rest) {
        true => Ok(()),
        false => refuse("to RE2 this is no repetition but plain text", "write `{0,n}`, without spaces"),
    }
}

fn unicode_class() -> Result<(), Refused> {
    refuse("Envoy compares bytes, where a class of Unicode has another meaning", "list the characters or use `.`")
}

fn beyond_ascii(help: &'static str) -> Result<(), Refused> {
    refuse("Envoy compares bytes, and this character is several", help)
}

fn text(pattern: &str, span: Span) -> &str {
    pattern.get(span.start.offset..span.end.offset).unwrap_or_default()
}

//! Comments that allow what a rule finds: `// meshwright: allow unreachable-route: the canary comes back on Monday`.

use std::collections::BTreeSet;

use crate::codes::{self, Code, Kind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lines::{LineStarts, Lines};
use crate::severity::{fixed, named};
use crate::source::{FileId, Sources, Span, Spanned};
use crate::syntax::Syntax;
use crate::syntax::comments::{self, Comment};

/// One rule that a comment allows on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub code: Spanned<Code>,
    pub reason: String,
    /// The line that it is about, counted from 0: its own if something stands before it, otherwise the next one that
    /// is neither empty nor a comment.
    line: usize,
}

/// A finding that a comment allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub finding: Diagnostic,
    pub reason: String,
}

/// Findings after the comments had their say.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    pub findings: Diagnostics,
    pub allowed: Vec<Allowed>,
    /// Suppressions that met no finding: true only if every stage of the compiler has run.
    pub unused: Diagnostics,
}

/// Suppressions of one file. More are a mistake, so that every answer comes soon.
const MAX_SUPPRESSIONS: usize = 1_000;

/// The suppressions that a text has in its comments, never those that stand in strings. What is wrong with them is
/// reported.
pub fn find(file: FileId, syntax: Syntax, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<Suppression> {
    let mut suppressions = Vec::new();
    let Some(source) = sources.file(file) else { return suppressions };
    let text = source.text.as_str();
    if !text.contains(PREFIX) {
        return suppressions;
    }
    let lines = LineStarts::of(text);
    let comments = comments::of(text, syntax);
    let mut seen = 0;
    for (comment, line) in comments.iter().zip(about(text, &lines, &comments)) {
        let Some(order) = Order::of(comment, file) else { continue };
        seen += order.codes.len();
        if seen > MAX_SUPPRESSIONS {
            let message = format!("comments allow more than {MAX_SUPPRESSIONS} findings");
            let found = Diagnostic::error(codes::TOO_LARGE, order.span, message);
            diagnostics.push(found.help("give the rule another level in `rules`"));
            break;
        }
        suppressions.extend(order.suppressions(line, diagnostics));
    }
    suppressions
}

/// Takes out what is allowed. Faults stay, whatever a comment says.
pub fn apply(suppressions: &[Suppression], sources: &Sources, found: Diagnostics) -> Judged {
    let mut judged = Judged::default();
    let mut lines = Lines::default();
    let by_place: BTreeSet<(Place, usize)> =
        suppressions.iter().enumerate().map(|(index, it)| (it.place(), index)).collect();
    let mut used = BTreeSet::new();
    for finding in found {
        let place = finding.span().filter(|_| !finding.is_fixed()).and_then(|span| {
            let text = sources.file(span.file)?.text.as_str();
            Some((span.file, lines.of(span.file, text).line(span.start as usize), finding.code))
        });
        let matching = place.and_then(|place| {
            let (_, index) = by_place.range((place, 0)..=(place, usize::MAX)).next()?;
            Some((*index, suppressions.get(*index)?))
        });
        match matching {
            Some((index, suppression)) => {
                used.insert(index);
                judged.allowed.push(Allowed { finding, reason: suppression.reason.clone() });
            }
            None => judged.findings.push(finding),
        }
    }
    let unused = suppressions.iter().enumerate().filter(|(index, _)| !used.contains(index));
    judged.unused = unused.map(|(_, suppression)| suppression.unused()).collect();
    judged
}

type Place = (FileId, usize, Code);

impl Suppression {
    fn place(&self) -> Place {
        (self.code.span.file, self.line, self.code.value)
    }

    fn unused(&self) -> Diagnostic {
        let message = format!("`{}` does not occur where a comment allows it", self.code.value.slug);
        Diagnostic::of(codes::UNUSED_SUPPRESSION, self.code.span, message)
            .help("take the comment out, or put it on the line before the finding or at the end of its line")
    }
}

const PREFIX: &str = "meshwright:";

/// What a comment of ours says: `meshwright: allow CODE, CODE: REASON`.
struct Order<'t> {
    codes: Vec<Spanned<&'t str>>,
    reason: &'t str,
    span: Span,
}

impl<'t> Order<'t> {
    /// `None` for comments that are no orders to us.
    fn of(comment: &Comment<'t>, file: FileId) -> Option<Self> {
        let order = comment.text.trim().strip_prefix(PREFIX)?.trim_start().strip_prefix("allow")?;
        if order.starts_with(|next: char| !next.is_whitespace() && next != ':') {
            return None;
        }
        let (names, reason) = order.split_once(':').unwrap_or((order, ""));
        let indent = comment.text.len() - comment.text.trim_start().len();
        let names_start = comment.text_start + comment.text.trim_end().len() - order.len();
        let span = Span::new(file, comment.text_start + indent, comment.text_start + comment.text.trim_end().len());
        let codes = pieces(names, names_start)
            .map(|(name, start)| Spanned::new(name, Span::new(file, start, start + name.len())));
        Some(Self { codes: codes.collect(), reason: reason.trim(), span })
    }

    fn suppressions(self, line: usize, diagnostics: &mut Diagnostics) -> Vec<Suppression> {
        if self.reason.is_empty() {
            let found = Diagnostic::error(
                codes::SUPPRESSION_WITHOUT_REASON,
                self.span,
                "a finding is allowed without a reason",
            );
            diagnostics.push(found.help("say why, after a colon: `meshwright: allow CODE: REASON`"));
        }
        let mut suppressions = Vec::new();
        for written in self.codes {
            let Some(code) = named(written, diagnostics) else { continue };
            let code = Spanned::new(code, written.span);
            if code.value.kind == Kind::Fault {
                diagnostics.push(fixed(code));
                continue;
            }
            suppressions.push(Suppression { code, reason: self.reason.to_owned(), line });
        }
        suppressions
    }
}

/// The names between the commas, and where each begins.
fn pieces(names: &str, start: usize) -> impl Iterator<Item = (&str, usize)> {
    let mut next = start;
    names.split(',').map(move |piece| {
        let at = next + piece.len() - piece.trim_start().len();
        next += piece.len() + 1;
        (piece.trim(), at)
    })
}

/// For each comment the line that it is about. From the last to the first, so that a thousand comments one below the
/// other are not followed a thousand times.
fn about(text: &str, lines: &LineStarts, comments: &[Comment<'_>]) -> Vec<usize> {
    let mut about = vec![0; comments.len()];
    let mut next: Option<(usize, usize)> = None;
    for (comment, its) in comments.iter().zip(&mut about).rev() {
        let after = text.get(comment.end..).unwrap_or("");
        let follows = comment.end + after.len() - after.trim_start().len();
        let below = match next {
            Some((start, below)) if start == follows => below,
            _ => lines.line(follows),
        };
        *its = if is_alone(comment, text, lines) { below } else { lines.line(comment.start) };
        next = Some((comment.start, below));
    }
    about
}

/// Whether nothing stands before it on its line. Comments without words, of which a line can have many, are not looked
/// at: they are no orders.
fn is_alone(comment: &Comment<'_>, text: &str, lines: &LineStarts) -> bool {
    let start = lines.start(lines.line(comment.start)).unwrap_or(0);
    !comment.text.is_empty() && text.get(start..comment.start).is_some_and(|before| before.trim().is_empty())
}

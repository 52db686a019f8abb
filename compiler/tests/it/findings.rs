//! Shows diagnostics as text, one finding a block, places as line and column.

use std::fmt::Write;

use spec::{Diagnostics, Severity, Sources};

pub(crate) fn findings(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let _ = writeln!(text, "{severity}[{}]: {}", diagnostic.code.slug, diagnostic.message);
        for label in &diagnostic.labels {
            let place = sources.position(label.span);
            let words = if label.text.is_empty() { String::new() } else { format!(" {}", label.text) };
            let _ = writeln!(text, "  {}:{}{words}", place.line, place.column);
        }
        for help in &diagnostic.help {
            let _ = writeln!(text, "  help: {help}");
        }
    }
    text
}

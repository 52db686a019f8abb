//! Users, keys and texts, out of the files that a mesh names.

mod passwords;

use spec::mesh::ApiKey;
use spec::{Diagnostic, Diagnostics, Sources, Span, Spanned, codes};

pub(super) use self::passwords::resolve;

/// Clients and their keys. Every line that is no `CLIENT:KEY` is named by its number; its text is not shown.
pub(super) fn keys(auth: &ApiKey, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<(String, String)> {
    let named_by = sources.file(auth.keys_file.span.file).map_or("", |file| file.name.as_str());
    let path = spec::load::resolved(named_by, &auth.keys_file.value);
    let Some((file, source)) = sources.find(&path) else { return Vec::new() };
    let mut keys: Vec<(String, String)> = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let refused = match line.split_once(':') {
            Some((client, key)) if !client.is_empty() && !key.is_empty() => {
                let taken = keys.iter().any(|(_, known)| known == key);
                keys.push((client.to_owned(), key.to_owned()));
                taken.then_some("two clients have this key")
            }
            _ => Some("the line is no `CLIENT:KEY`"),
        };
        if let Some(reason) = refused {
            let span = line_span(file, &source.text, index + 1);
            diagnostics.push(
                Diagnostic::error(codes::INVALID_VALUE, span, reason)
                    .related(auth.keys_file.span, "the file is named here")
                    .help("write a line `CLIENT:KEY` for each client, and a key of its own"),
            );
        }
    }
    if keys.is_empty() {
        let message = format!("`{path}` has no keys: nobody could call");
        let label = "at least one line `CLIENT:KEY` is needed";
        diagnostics.push(Diagnostic::error(codes::INVALID_VALUE, auth.keys_file.span, message).label(label));
    }
    keys
}

/// The content of a public file that the mesh names; `None` if it could not be read, which was reported.
pub(super) fn text(named: Spanned<&String>, sources: &Sources) -> Option<String> {
    let named_by = sources.file(named.span.file).map_or("", |file| file.name.as_str());
    let (_, source) = sources.find(&spec::load::resolved(named_by, named.value))?;
    Some(source.text.clone())
}

/// The first byte of a line, counted from 1: enough to name the place, nothing of the secret.
fn line_span(file: spec::FileId, text: &str, line: usize) -> Span {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    Span::new(file, start, start)
}

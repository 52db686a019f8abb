//! What callers prove themselves with, out of the files that a mesh names: keys, and secrets that sign requests.
//!
//! Every line that cannot be used is named by its number; its text is not shown. A file that could not be read was
//! reported when it was loaded.

use policy::{
    GivenKey, NamedSecret, NamedSecretError, NamedSecretErrorKind, SigningKey, parse_api_keys, parse_signing_secrets,
};
use spec::mesh::{ApiKey, HmacSignature};
use spec::{Diagnostic, Diagnostics, FileId, Sources, Span, Spanned, codes};

use super::credentials::line_span;

/// Clients and their keys.
pub(super) fn keys(auth: &ApiKey, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<(String, GivenKey)> {
    let kind = Kind {
        line: "write a line `CLIENT:KEY` or `CLIENT:{SHA256}HASH` for each client, and a key of its own",
        weak: "the key of `{}` is shorter than 16 bytes",
        longer: "make a key of at least 128 random bits, as `openssl rand -hex 16` does",
    };
    let Some(read) = read(&auth.keys_file, sources) else { return Vec::new() };
    let found = kind.report(&read, parse_api_keys(read.text), diagnostics);
    clients(&auth.clients, &found, diagnostics);
    found.into_iter().map(|key| (key.name, key.secret)).collect()
}

/// Ids and their secrets.
pub(super) fn secrets(auth: &HmacSignature, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<SigningKey> {
    let kind = Kind {
        line: "write a line `KEYID:SECRET` or `KEYID:{BASE64}SECRET` for each client, and a secret of its own",
        weak: "the secret of `{}` is shorter than 32 bytes",
        longer: "make a secret of 256 random bits, as `openssl rand -hex 32` does",
    };
    let Some(read) = read(&auth.secrets_file, sources) else { return Vec::new() };
    let found = kind.report(&read, parse_signing_secrets(read.text), diagnostics);
    clients(&auth.clients, &found, diagnostics);
    found.into_iter().map(|key| SigningKey { id: key.name, secret: key.secret }).collect()
}

/// A file that was read.
struct Read<'s> {
    named: Span,
    path: String,
    file: FileId,
    text: &'s str,
}

fn read<'s>(named: &Spanned<String>, sources: &'s Sources) -> Option<Read<'s>> {
    let named_by = sources.file(named.span.file).map_or("", |file| file.name.as_str());
    let path = spec::load::resolved(named_by, &named.value);
    let (file, source) = sources.find(&path)?;
    Some(Read { named: named.span, path, file, text: &source.text })
}

/// What is said of one kind of secret.
struct Kind {
    line: &'static str,
    /// With the name for `{}`.
    weak: &'static str,
    longer: &'static str,
}

impl Kind {
    /// Reports what is wrong and what could be guessed; gives what can be used.
    fn report<S>(
        &self,
        read: &Read<'_>,
        (found, errors): (Vec<NamedSecret<S>>, Vec<NamedSecretError>),
        diagnostics: &mut Diagnostics,
    ) -> Vec<NamedSecret<S>> {
        for NamedSecretError { line, kind } in errors {
            if kind == NamedSecretErrorKind::Empty {
                let message = format!("`{}` names nobody: nobody could call", read.path);
                let diagnostic = Diagnostic::error(codes::INVALID_VALUE, read.named, message);
                diagnostics.push(diagnostic.help(self.line));
                continue;
            }
            let span = line_span(read.file, read.text, line);
            diagnostics.push(
                Diagnostic::error(codes::INVALID_VALUE, span, format!("line {line}: {kind}"))
                    .related(read.named, "the file is named here")
                    .help(self.line),
            );
        }
        for weak in found.iter().filter(|secret| secret.weak) {
            let span = line_span(read.file, read.text, weak.line);
            let message = format!("line {}: {}", weak.line, self.weak.replace("{}", &weak.name));
            diagnostics.push(
                Diagnostic::of(codes::WEAK_KEY, span, message)
                    .related(read.named, "the file is named here")
                    .help(self.longer),
            );
        }
        found
    }
}

/// Whoever may pass must be known.
fn clients<S>(said: &[Spanned<String>], found: &[NamedSecret<S>], diagnostics: &mut Diagnostics) {
    for client in said.iter().filter(|said| found.iter().all(|known| known.name != said.value)) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, client.span, format!("the file has no client `{}`", client.value))
                .help("write its name as the file has it, or add a line for it"),
        );
    }
}

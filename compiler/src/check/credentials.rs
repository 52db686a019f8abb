//! Users and texts, out of the files that a mesh names.

use policy::parse_htpasswd;
use spec::mesh::{BasicAuth, Engine};
use spec::{Diagnostic, Diagnostics, Name, Sources, Span, Spanned, codes};

use crate::checked;

/// Every line that cannot be used is named by its number; its text is not shown. A file that could not be read was
/// reported when it was loaded.
pub(super) fn resolve(
    auth: &BasicAuth,
    mesh: &Name,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> checked::BasicAuth {
    let named_by = sources.file(auth.htpasswd_file.span.file).map_or("", |file| file.name.as_str());
    let path = spec::load::resolved(named_by, &auth.htpasswd_file.value);
    let mut users = Vec::new();
    match sources.find(&path) {
        Some((file, source)) => {
            let (found, errors) = parse_htpasswd(&source.text);
            for error in errors {
                let span = line_span(file, &source.text, error.line);
                diagnostics.push(
                    Diagnostic::error(codes::HTPASSWD, span, error.to_string())
                        .related(auth.htpasswd_file.span, "the file is named here")
                        .help("write `USER:{SSHA}…` or `USER:{SHA}…`, as `htpasswd -s` or `slappasswd` do"),
                );
            }
            let salted = found.iter().find(|user| user.hash.to_htpasswd().starts_with("{SSHA}"));
            if let (Some(salted), Some(native)) = (salted, auth.engine.as_ref().filter(|it| it.value == Engine::Native))
            {
                let message = format!("the hash of `{}` is salted, and `native` knows `{{SHA}}` only", salted.name);
                diagnostics.push(
                    Diagnostic::error(codes::HTPASSWD, native.span, message)
                        .label("Envoy's own filter refuses the file")
                        .help("leave `engine` out, or write the hashes anew with `htpasswd -s`"),
                );
            }
            users = found;
        }
        None => diagnostics.push(
            Diagnostic::error(
                codes::UNREADABLE_FILE,
                auth.htpasswd_file.span,
                format!("the credentials in `{path}` have not been read"),
            )
            .help("put the file beside the mesh, or correct `htpasswd-file`"),
        ),
    }
    checked::BasicAuth {
        realm: auth.realm.as_ref().map_or_else(|| mesh.to_string(), |realm| realm.value.clone()),
        users,
        forward_user_header: auth.forward_user_header.as_ref().map(|header| header.value.to_ascii_lowercase()),
        engine: auth.engine.as_ref().map(|engine| engine.value).unwrap_or_default(),
    }
}

/// The content of a public file that the mesh names; `None` if it could not be read, which was reported.
pub(super) fn text(named: Spanned<&String>, sources: &Sources) -> Option<String> {
    let named_by = sources.file(named.span.file).map_or("", |file| file.name.as_str());
    let (_, source) = sources.find(&spec::load::resolved(named_by, named.value))?;
    Some(source.text.clone())
}

/// The first byte of a line, counted from 1: enough to name the place, nothing of the secret.
pub(super) fn line_span(file: spec::FileId, text: &str, line: usize) -> Span {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    Span::new(file, start, start)
}

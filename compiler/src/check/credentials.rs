//! Users and password hashes, out of the htpasswd file that a `basic-auth` names.

use policy::parse_htpasswd;
use spec::mesh::BasicAuth;
use spec::{Diagnostic, Diagnostics, Name, Sources, Span, codes};

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
    }
}

/// The first byte of a line, counted from 1: enough to name the place, nothing of the secret.
fn line_span(file: spec::FileId, text: &str, line: usize) -> Span {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    Span::new(file, start, start)
}

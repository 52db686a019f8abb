//! A format string is one that Envoy accepts, and shows nothing that is secret.

use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::format::{self, Refusal};
use super::super::tables::Tables;
use super::everywhere;

/// Headers that must not come into logs.
const SECRET_HEADERS: &[&str] = &["authorization", "proxy-authorization", "cookie", "set-cookie"];

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for edits in everywhere::header_edits(mesh) {
        let formats = |it: &&spec::mesh::HeaderValue| it.format.as_ref().is_some_and(|format| format.value);
        for header in edits.set.iter().chain(&edits.add).filter(formats) {
            if let Err(refusal) = format::parse(&header.value.value) {
                diagnostics.push(refused(&header.value, &refusal));
            }
        }
    }
    for log in everywhere::access_logs(mesh) {
        for text in log.line.iter().chain(log.fields.iter().map(|field| &field.value)) {
            match format::parse(&text.value) {
                Err(refusal) => diagnostics.push(refused(text, &refusal)),
                Ok(operators) => {
                    diagnostics.extend(operators.iter().filter_map(|operator| credentials(operator, text)))
                }
            }
        }
    }
}

fn refused(text: &Spanned<String>, refusal: &Refusal) -> Diagnostic {
    Diagnostic::error(codes::FORMAT_STRING, text.span, "this format string cannot be used")
        .label(refusal.what.clone())
        .help(refusal.help)
}

fn credentials(operator: &format::Operator<'_>, text: &Spanned<String>) -> Option<Diagnostic> {
    let reads_header = ["REQ", "REQUEST_HEADER", "RESP", "RESPONSE_HEADER", "STREAM_INFO_REQ"].contains(&operator.name);
    let argument = operator.argument.filter(|_| reads_header)?.to_ascii_lowercase();
    let header = argument.split('?').find(|header| SECRET_HEADERS.contains(header))?;
    let message = format!("`{header}` would stand in the log");
    Some(
        Diagnostic::error(codes::FORMAT_STRING, text.span, message)
            .label("whoever reads logs could act in the caller's name")
            .help("log who is calling instead, such as the header that `forward-user-header` sets"),
    )
}

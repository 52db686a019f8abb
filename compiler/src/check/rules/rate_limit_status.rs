//! What a rate limit answers is an error that Envoy can send: others it replaces, or refuses.

use envoy::r#type::v3::StatusCode;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for status in everywhere::rate_limits(mesh).filter_map(|limit| limit.status.as_ref()) {
        if status.value < 400 || StatusCode::try_from(i32::from(status.value)).is_err() {
            diagnostics.push(
                Diagnostic::error(
                    codes::INVALID_VALUE,
                    status.span,
                    format!("a rate limit cannot answer {}", status.value),
                )
                .label("this is no error that HTTP knows")
                .help("write 429, which says that there were too many, or another status from 400"),
            );
        }
    }
}

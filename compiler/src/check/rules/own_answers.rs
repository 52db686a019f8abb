//! What a proxy answers itself is what Envoy can answer: a redirect that is one, and a short body.

use spec::mesh::RouteAction;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::routes;

const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];
/// Envoy's `max_direct_response_body_size_bytes`.
const LONGEST_BODY: usize = 4096;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for route in routes(mesh) {
        match &route.action.value {
            RouteAction::Redirect(redirect) => {
                let status = redirect.status.as_ref().filter(|status| !REDIRECTS.contains(&status.value));
                diagnostics.extend(status.map(|status| {
                    let message = format!("`{}` is no status of a redirect", status.value);
                    Diagnostic::error(codes::INVALID_VALUE, status.span, message)
                        .help("write 301, 302, 303, 307 or 308")
                }));
            }
            RouteAction::Respond(respond) => {
                let body = respond.body.as_ref().filter(|body| body.value.len() > LONGEST_BODY);
                diagnostics.extend(body.map(|body| {
                    let message = format!("this answer has {} bytes", body.value.len());
                    Diagnostic::error(codes::INVALID_VALUE, body.span, message)
                        .label(format!("Envoy answers with at most {LONGEST_BODY} by itself"))
                        .help("let a service answer it")
                }));
            }
            RouteAction::To(_) => {}
        }
    }
}

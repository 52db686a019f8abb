//! Not every web page may send requests with a user's cookies.

use spec::mesh::Cors;
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::everywhere;

/// Regular expressions that take every origin.
const ANY: &[&str] = &[".*", ".+", "https?://.*", "https?://.+", "https://.*", "https://.+", "http.*"];

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for cors in everywhere::cors(mesh) {
        let Some(credentials) = cors.allow_credentials.as_ref().filter(|allow| allow.value) else { continue };
        let Some(origin) = any_origin(cors) else { continue };
        let message = "any web page may act for the user who looks at it";
        diagnostics.push(
            Diagnostic::of(codes::CORS_CREDENTIALS, origin, message)
                .label("every origin is allowed")
                .related(credentials.span, "its requests bring the user's cookies")
                .help("name the origins, as in `allow-origin \"https://shop.example\"`"),
        );
    }
}

fn any_origin(cors: &Cors) -> Option<Span> {
    let exact = cors.allow_origin.iter().find(|origin| origin.value == "*");
    exact.or(cors.allow_origin_regex.iter().find(|regex| ANY.contains(&bare(&regex.value)))).map(|it| it.span)
}

/// Without flags and anchors: an origin is compared as a whole anyway.
fn bare(regex: &str) -> &str {
    let flags = regex.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    let rest = flags.filter(|(flags, _)| flags.bytes().all(|flag| flag.is_ascii_alphabetic()));
    rest.map_or(regex, |(_, rest)| rest).trim_start_matches('^').trim_end_matches('$')
}

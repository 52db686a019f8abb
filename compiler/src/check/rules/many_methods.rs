//! The methods of a route are one expression to Envoy, which must not be too long.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::regex;
use super::super::tables::Tables;
use super::routes;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for route in routes(mesh) {
        let methods = &route.matches.methods;
        let all: Vec<&str> = methods.iter().map(|method| method.value.as_str()).collect();
        let (Some(last), Err(refused)) = (methods.last(), regex::check(&all.join("|"))) else { continue };
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, last.span, "so many methods Envoy does not compare at once")
                .label(refused.why)
                .help("make two routes of it, or leave out methods that nobody uses"),
        );
    }
}

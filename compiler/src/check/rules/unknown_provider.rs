//! A provider of certificates or tokens that is named must exist, and token authentication must name one.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, Mesh, Name, Span, codes};

use super::super::tables::Tables;
use super::providers::{self, jwts};
use crate::suggest::did_you_mean;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let known = mesh.certificate_providers.iter().map(|provider| provider.name.value.key()).collect();
    for (name, span) in providers::of_certificates(mesh) {
        refer("certificate", name, span, &known, diagnostics);
    }
    let known = mesh.jwt_providers.iter().map(|provider| provider.name.value.key()).collect();
    for jwt in jwts(mesh) {
        for name in &jwt.providers {
            refer("jwt", &name.value, name.span, &known, diagnostics);
        }
        if jwt.providers.is_empty() {
            let place = jwt.place.0.unwrap_or(mesh.name.span);
            diagnostics.push(
                Diagnostic::error(codes::UNKNOWN_PROVIDER, place, "no provider of tokens is named")
                    .label("nobody's tokens would be believed")
                    .help("write `jwt provider=\"NAME\"`, and say at the top what `jwt-provider \"NAME\"` is"),
            );
        }
    }
}

fn refer(kind: &str, name: &Name, span: Span, known: &BTreeSet<String>, diagnostics: &mut Diagnostics) {
    if known.contains(&name.key()) {
        return;
    }
    let message = format!("no {kind} provider is called `{name}`");
    let unknown = Diagnostic::error(codes::UNKNOWN_PROVIDER, span, message)
        .label("this name stands for nothing")
        .help(format!("say at the top what `{kind}-provider \"{name}\"` is"));
    let unknown = did_you_mean(unknown, name.as_str(), known.iter().map(String::as_str), diagnostics);
    diagnostics.push(unknown);
}

//! Passwords, keys and tokens do not stand in the text of a mesh: it is read by many, and kept for ever.
//!
//! The messages do not show what was found; nor do renderers show the lines of these findings.

use serde_json::Value;
use spec::mesh::{HeaderValue, HeaderValueMatch, OverlaySource, RouteAction, WasmConfiguration};
use spec::{Diagnostic, Diagnostics, Mesh, Span, Spanned, codes};

use super::super::tables::Tables;
use super::{everywhere, routes};

/// Headers whose value lets somebody in.
const HEADERS: &[&str] = &["authorization", "proxy-authorization", "x-api-key", "api-key", "x-auth-token", "cookie"];
/// Keys of a configuration whose value is a secret.
const KEYS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "client_secret",
    "secret_key",
    "secret_access_key",
    "token",
    "access_token",
    "auth_token",
    "api_key",
    "apikey",
    "private_key",
];
/// No secret that can be recognised is shorter.
const SHORTEST: usize = 20;
/// How the tokens of well-known services begin, and how long they are at least.
const PREFIXES: &[(&str, usize)] =
    &[("ghp_", 40), ("github_pat_", 40), ("glpat-", 26), ("xoxb-", 24), ("xoxp-", 24), ("sk_live_", 24)];

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for edits in everywhere::header_edits(mesh) {
        for header in edits.set.iter().chain(&edits.add) {
            let what = literal(header).or_else(|| recognised(&header.value.value));
            report(what, header.value.span, diagnostics);
        }
    }
    for text in texts(mesh) {
        report(recognised(text.value), text.span, diagnostics);
    }
    for text in configurations(mesh) {
        let json = serde_json::from_str(text.value).ok();
        let what = recognised(text.value).or_else(|| json.as_ref().and_then(keyed).map(str::to_owned));
        report(what, text.span, diagnostics);
    }
}

fn report(what: Option<String>, span: Span, diagnostics: &mut Diagnostics) {
    let Some(what) = what else { return };
    diagnostics.push(
        Diagnostic::of(codes::SECRET_IN_TEXT, span, format!("{what} stands in the text of the mesh"))
            .label("everybody who can read the mesh has it")
            .help("take it out, replace it where it was valid, and let the application fetch it from its own secrets"),
    );
}

/// A header that lets somebody in, with a value that is not made of the request.
fn literal(header: &HeaderValue) -> Option<String> {
    let made = header.format.as_ref().is_some_and(|format| format.value) && header.value.value.contains('%');
    let known = HEADERS.contains(&header.name.value.to_ascii_lowercase().as_str());
    let said = header.value.value.trim();
    // A scheme alone lets nobody in.
    let scheme = ["basic", "bearer"].contains(&said.to_ascii_lowercase().as_str());
    (known && !made && !said.is_empty() && !scheme).then(|| format!("a value of `{}`", header.name.value))
}

/// What a text holds that looks like a secret wherever it stands.
fn recognised(text: &str) -> Option<String> {
    if text.len() < SHORTEST {
        return None;
    }
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some("a private key".to_owned());
    }
    let word = |letter: char| !(letter.is_ascii_alphanumeric() || "_-.".contains(letter));
    text.split(word).find_map(secret_word).map(str::to_owned)
}

fn secret_word(word: &str) -> Option<&'static str> {
    let aws =
        |rest: &str| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if ["AKIA", "ASIA"].iter().any(|prefix| word.strip_prefix(prefix).is_some_and(aws)) {
        return Some("an AWS access key");
    }
    if PREFIXES.iter().any(|(prefix, length)| word.starts_with(prefix) && word.len() >= *length) {
        return Some("a token");
    }
    // RFC 7519, 3.1: two objects of JSON and a signature, in base64url.
    let parts: Vec<&str> = word.split('.').collect();
    match parts.as_slice() {
        [header, claims, signature]
            if header.starts_with("eyJ") && claims.starts_with("eyJ") && signature.len() >= 20 =>
        {
            Some("a signed token")
        }
        _ => None,
    }
}

/// A key of the configuration whose value is a secret.
fn keyed(json: &Value) -> Option<&'static str> {
    match json {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let key = key.to_ascii_lowercase().replace('-', "_");
            let literal = value.as_str().is_some_and(|text| !text.is_empty());
            let own = (literal && KEYS.contains(&key.as_str())).then_some("a secret of a filter's configuration");
            own.or_else(|| keyed(value))
        }),
        Value::Array(items) => items.iter().find_map(keyed),
        _ => None,
    }
}

/// Texts of the user's own that end up in Envoy's configuration.
fn texts(mesh: &Mesh) -> impl Iterator<Item = Spanned<&str>> {
    let lines = everywhere::access_logs(mesh).flat_map(|log| &log.line);
    let fields = everywhere::access_logs(mesh).flat_map(|log| &log.fields);
    let tags = everywhere::tracings(mesh).flat_map(|tracing| &tracing.tags);
    let tags = tags.chain(everywhere::stats(mesh).flat_map(|stats| &stats.tags));
    let bodies = routes(mesh).filter_map(|route| match &route.action.value {
        RouteAction::Respond(respond) => respond.body.as_ref(),
        RouteAction::To(_) | RouteAction::Redirect(_) => None,
    });
    let matched =
        routes(mesh).flat_map(|route| route.matches.all_headers()).filter_map(|header| match &header.value.value {
            HeaderValueMatch::Exact(text) => Some(Spanned::new(text.as_str(), header.value.span)),
            _ => None,
        });
    let texts = lines.chain(fields.chain(tags).map(|entry| &entry.value)).chain(bodies);
    texts.map(|text| Spanned::new(text.value.as_str(), text.span)).chain(matched)
}

/// Configurations of filters, and overlays.
fn configurations(mesh: &Mesh) -> impl Iterator<Item = Spanned<&str>> {
    let filters = mesh.wasm_filters.iter().filter_map(|filter| filter.configuration.as_ref());
    let filters = filters.filter_map(|said| match &said.value {
        WasmConfiguration::Text(text) => Some(Spanned::new(text.as_str(), said.span)),
        WasmConfiguration::File(_) => None,
    });
    let uses = everywhere::filter_uses(mesh).filter_map(|filter| filter.configuration.as_ref());
    let uses = uses.map(|said| Spanned::new(said.value.as_str(), said.span));
    let overlays = everywhere::overlays(mesh).filter_map(|overlay| match &overlay.source.value {
        OverlaySource::Json(text) => Some(Spanned::new(text.as_str(), overlay.source.span)),
        OverlaySource::File(_) => None,
    });
    filters.chain(uses).chain(overlays)
}

//! Secrets in clear: whoever may describe a task definition reads them, in every revision that ever was.

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, Span, codes};

use super::super::json::Json;
use super::super::read::containers;
use super::{Task, name};

const CODE: spec::Code = codes::SECRET_IN_ENVIRONMENT;

/// How names of what is secret end.
const NAMES: [&str; 14] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
    "CREDENTIALS",
    "_PWD",
];
/// How tokens of services that many use begin.
const PREFIXES: [&str; 9] = ["ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk_live_", "rk_live_", "SG."];

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    for container in containers(task.definition) {
        for pair in container.list_of("environment") {
            let (Some(variable), Some(value)) = (pair.text_of("name"), pair.get("value")) else { continue };
            let Some(text) = value.as_text() else { continue };
            if let Some(what) = by_value(text).or_else(|| by_name(variable, text)) {
                let where_ = format!("variable `{}` of container `{}`", quote(variable), quote(name(container)));
                found(&where_, what, value.span, diagnostics);
            }
        }
        let options = container.get("logConfiguration").and_then(|log| log.get("options"));
        for (place, map) in [("label", container.get("dockerLabels")), ("log option", options)] {
            for (key, value) in map.map_or(&[][..], Json::pairs) {
                let Some(text) = value.as_text() else { continue };
                if let Some(what) = by_value(text).or_else(|| by_name(&key.replace('-', "_"), text)) {
                    let where_ = format!("{place} `{}` of container `{}`", quote(key), quote(name(container)));
                    found(&where_, what, value.span, diagnostics);
                }
            }
        }
        for key in ["command", "entryPoint"] {
            for word in container.list_of(key) {
                if let Some(what) = word.as_text().and_then(by_value) {
                    found(&format!("`{key}` of container `{}`", quote(name(container))), what, word.span, diagnostics);
                }
            }
        }
    }
}

fn found(place: &str, what: &str, at: Span, diagnostics: &mut Diagnostics) {
    // The place is where it begins: its length is nobody's business either.
    let at = Span { end: at.start, ..at };
    diagnostics.push(
        Diagnostic::of(CODE, at, format!("{place} holds {what}"))
            .help("put it into Secrets Manager or Parameter Store, and name it in `secrets` (log options: `secretOptions`)")
            .help("and replace it: earlier revisions keep showing it"),
    );
}

fn by_value(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let is_key = |word: &str| {
        word.len() == 20
            && (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    if text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_key) {
        return Some("a key of AWS");
    }
    if PREFIXES.iter().any(|prefix| text.len() >= prefix.len() + 16 && text.starts_with(prefix)) {
        return Some("a token");
    }
    if text.starts_with("eyJ") && text.split('.').count() == 3 && text.len() > 40 {
        return Some("a signed token");
    }
    password_in_url(text).then_some("a password in a URL")
}

/// `scheme://user:password@host`, and the password is no variable.
fn password_in_url(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| is_literal(password))
}

fn by_name(name: &str, text: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let secret = NAMES.iter().any(|end| name.ends_with(end));
    (secret && is_literal(text)).then_some("what its name calls a secret")
}

/// Neither nothing, nor a switch or a number, nor where the secret is found.
fn is_literal(text: &str) -> bool {
    let text = text.trim();
    let elsewhere = ["arn:", "/", "${", "$(", "{{", "file:", "ssm:", "http://", "https://"];
    let is_switch = ["true", "false", "yes", "no", "none", "null"].iter().any(|it| text.eq_ignore_ascii_case(it));
    let is_number = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    !text.is_empty() && !is_switch && !is_number && !elsewhere.iter().any(|begin| text.starts_with(begin))
}

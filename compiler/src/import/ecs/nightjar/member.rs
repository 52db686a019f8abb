//! What one task says it is: a colour of a service, or a gateway, in a namespace.

use std::collections::BTreeSet;

use spec::mesh::Protocol;
use spec::{Diagnostic, Diagnostics, Name, Span, Spanned, codes};

use super::names;
use super::port::Selector;
use super::present::Present;
use super::route::{self, Route};
use super::words::Words;

#[derive(Clone, Debug)]
pub(super) struct Member<'o> {
    pub(super) it: Present<'o>,
    pub(super) namespace: Spanned<Name>,
    pub(super) protocol: Option<Spanned<Protocol>>,
    /// Where its Envoy listens for the application, or for the outside world.
    pub(super) listen: Option<Spanned<u16>>,
    pub(super) role: Role,
}

#[derive(Clone, Debug)]
pub(super) enum Role {
    Service(Colour),
    Gateway(Front),
}

#[derive(Clone, Debug)]
pub(super) struct Colour {
    pub(super) service: Spanned<Name>,
    pub(super) color: Spanned<Name>,
    pub(super) routes: Vec<Route>,
    /// Other namespaces, and the ports at which its application calls them.
    pub(super) others: Vec<(Spanned<Name>, Spanned<u16>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Front {
    /// Where other namespaces reach it.
    pub(super) port: Selector,
    /// Other namespaces call through it.
    pub(super) preferred: bool,
}

/// `None` for a task that takes no part, and, with an error, for one whose words are wrong.
pub(super) fn read<'o>(it: &Present<'o>, diagnostics: &mut Diagnostics) -> Option<Member<'o>> {
    let words = Words::of(it);
    let mode = words.get(MODE).map(|word| word.value.to_ascii_uppercase());
    match mode.as_deref() {
        Some("SERVICE") => service(it, &words, diagnostics),
        Some("GATEWAY") => gateway(it, &words, diagnostics),
        Some("TEST") => None,
        Some(_) => {
            let span = words.get(MODE).map_or(it.span, |word| word.span);
            let message = format!("`{MODE}` is neither `SERVICE` nor `GATEWAY`");
            diagnostics.push(Diagnostic::error(codes::INVALID_VALUE, span, message));
            None
        }
        None => {
            if let Some(word) = words.get(SERVICE) {
                let message = format!("it says `{SERVICE}`, but no `{MODE}`: as under nightjar, it takes no part");
                diagnostics.push(Diagnostic::warning(codes::NOT_MAPPED, word.span, message));
            }
            None
        }
    }
}

const MODE: &str = "NJ_PROXY_MODE";
const SERVICE: &str = "NJ_SERVICE";
const LISTEN: &str = "NJ_LISTEN_PORT";

fn service<'o>(it: &Present<'o>, words: &Words<'o>, diagnostics: &mut Diagnostics) -> Option<Member<'o>> {
    unknown(words, diagnostics);
    let namespace = name(it, words, "NJ_NAMESPACE", diagnostics);
    let service = name(it, words, SERVICE, diagnostics);
    let color = name(it, words, "NJ_COLOR", diagnostics);
    let listen = listen(words, diagnostics);
    let routes = route::routes(words, diagnostics);
    let others: Vec<_> = words.numbered("NJ_NAMESPACE_PORT_");
    let others: Vec<_> = others.into_iter().map(|(number, word)| other(number, word, diagnostics)).collect();
    let others = others.into_iter().collect::<Option<Vec<_>>>().map(|others| first_of_each(others, &namespace));
    let role = Role::Service(Colour { service: service?, color: color?, routes: routes?, others: others? });
    Some(Member { it: it.clone(), namespace: namespace?, protocol: protocol(words), listen: listen?, role })
}

fn gateway<'o>(it: &Present<'o>, words: &Words<'o>, diagnostics: &mut Diagnostics) -> Option<Member<'o>> {
    unknown(words, diagnostics);
    let namespace = name(it, words, "NJ_NAMESPACE", diagnostics);
    let listen = listen(words, diagnostics)?;
    if listen.is_none() {
        let message = format!("a gateway listens at `{LISTEN}`, which is not said");
        diagnostics.push(Diagnostic::error(codes::MISSING_FIELD, it.definition_span, message));
    }
    let said = words.get("NJ_ROUTE_PORT");
    let port = match said {
        Some(word) => match Selector::read(word.value) {
            Some(port) => port,
            None => {
                let message = "`NJ_ROUTE_PORT` is not a port";
                diagnostics.push(Diagnostic::error(codes::INVALID_VALUE, word.span, message));
                return None;
            }
        },
        None => listen.as_ref().map_or(Selector::Any, |port| Selector::Port(port.value)),
    };
    const TRUE: [&str; 5] = ["true", "yes", "1", "active", "on"];
    let preferred = words.get("NJ_PREFER_GATEWAY").is_some_and(|word| TRUE.contains(&word.value));
    let role = Role::Gateway(Front { port, preferred });
    listen.as_ref()?;
    Some(Member { it: it.clone(), namespace: namespace?, protocol: protocol(words), listen, role })
}

/// A part of the names of services.
fn name(it: &Present<'_>, words: &Words<'_>, key: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<Name>> {
    let Some(word) = words.get(key) else {
        let message = format!("`{key}` is not said: nightjar wants it of every task that takes part");
        diagnostics.push(Diagnostic::error(codes::MISSING_FIELD, it.definition_span, message));
        return None;
    };
    match Name::new(word.value).filter(|name| !name.as_str().contains('/')) {
        Some(name) if names::is_reserved(&name) => {
            let message =
                format!("`{key}` begins as the names do that stand for the routes or gateways of a namespace");
            diagnostics
                .push(Diagnostic::error(codes::RESERVED_NAME, word.span, message).help(
                    "`public-routes.`, `public-routes-for-` and `gateways-of.` are no beginnings of other names",
                ));
            None
        }
        Some(name) => Some(Spanned::new(name, word.span)),
        None => {
            diagnostics.push(not_a_name(key, word.span));
            None
        }
    }
}

fn not_a_name(key: &str, span: Span) -> Diagnostic {
    let message = format!("`{key}` cannot be a part of a service's name");
    Diagnostic::error(codes::INVALID_NAME, span, message)
        .help("use ASCII letters, digits, `.`, `_` and `-`; begin and end with a letter or digit")
}

/// As nightjar: whatever is not `HTTP2` is HTTP/1.1.
fn protocol(words: &Words<'_>) -> Option<Spanned<Protocol>> {
    let word = words.get("NJ_PROTOCOL")?;
    let is_http2 = word.value.trim().eq_ignore_ascii_case("HTTP2");
    is_http2.then_some(Spanned::new(Protocol::Http2, word.span))
}

/// `None`, with an error, when it is not a port.
fn listen(words: &Words<'_>, diagnostics: &mut Diagnostics) -> Option<Option<Spanned<u16>>> {
    let Some(word) = words.get(LISTEN) else { return Some(None) };
    let port = word.value.parse().ok().filter(|port| *port != 0);
    if port.is_none() {
        diagnostics.push(Diagnostic::error(codes::INVALID_VALUE, word.span, format!("`{LISTEN}` is not a port")));
    }
    port.map(|port| Some(Spanned::new(port, word.span)))
}

/// As nightjar: each other namespace once.
fn first_of_each(
    mut others: Vec<(Spanned<Name>, Spanned<u16>)>,
    own: &Option<Spanned<Name>>,
) -> Vec<(Spanned<Name>, Spanned<u16>)> {
    let mut known: BTreeSet<String> = own.iter().map(|own| own.value.key()).collect();
    others.retain(|(namespace, _)| known.insert(namespace.value.key()));
    others
}

/// `NAMESPACE:PORT`.
fn other(number: u32, word: Spanned<&str>, diagnostics: &mut Diagnostics) -> Option<(Spanned<Name>, Spanned<u16>)> {
    let key = format!("NJ_NAMESPACE_PORT_{number}");
    let read = word.value.rsplit_once(':').and_then(|(namespace, port)| {
        let port = port.trim().parse().ok().filter(|port| *port != 0)?;
        Some((namespace.trim(), port))
    });
    let Some((namespace, port)) = read else {
        let message = format!("`{key}` is not a namespace and a port");
        diagnostics.push(Diagnostic::error(codes::INVALID_VALUE, word.span, message).help("write `NAMESPACE:PORT`"));
        return None;
    };
    let Some(namespace) = Name::new(namespace).filter(|name| !name.as_str().contains('/')) else {
        diagnostics.push(not_a_name(&key, word.span));
        return None;
    };
    Some((Spanned::new(namespace, word.span), Spanned::new(port, word.span)))
}

/// Words that begin as nightjar's and are none: perhaps a slip of the pen.
fn unknown(words: &Words<'_>, diagnostics: &mut Diagnostics) {
    const KNOWN: [&str; 13] = [
        MODE,
        SERVICE,
        LISTEN,
        "NJ_COLOR",
        "NJ_NAMESPACE",
        "NJ_PROTOCOL",
        "NJ_ROUTE_PORT",
        "NJ_PREFER_GATEWAY",
        // Of nightjar's own processes: they mean nothing here.
        "NJ_ADMIN_PORT",
        "NJ_TEMP_DIR",
        "NJ_DMECS_AWS_CLUSTERS",
        "NJ_DMECS_REQUIRED_TAG",
        "NJ_DMECS_REQUIRED_TAG_VALUE",
    ];
    const NUMBERED: [&str; 4] = ["NJ_ROUTE_", "NJ_ROUTE_PORT_", "NJ_ROUTE_WEIGHT_", "NJ_NAMESPACE_PORT_"];
    const OF_STORES: [&str; 2] = ["NJ_DSLOCAL_", "NJ_DSS3_"];
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = |key: &str| {
        KNOWN.contains(&key)
            || NUMBERED.iter().any(|prefix| key.strip_prefix(prefix).is_some_and(is_number))
            || OF_STORES.iter().any(|prefix| key.starts_with(prefix))
    };
    for (key, span) in words.keys().filter(|(key, _)| !is_known(key)) {
        let message = format!("`{}` is no word of nightjar's: it is not read", spec::diagnostic::quote(key));
        diagnostics.push(Diagnostic::warning(codes::NOT_MAPPED, span, message));
    }
}

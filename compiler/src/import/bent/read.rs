//! The shape of bent's file: what every key is, with every mistake in it named.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spec::diagnostic::quote;
use spec::mesh::{Address, Entry};
use spec::yaml::{Data, Value};
use spec::{Diagnostic, Diagnostics, Name, Span, Spanned, codes, suggest};

/// A whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `services:` with its place.
    pub(super) services: Option<Spanned<Vec<Service>>>,
    /// `nodes:` with its place.
    pub(super) nodes: Option<Spanned<Vec<Node>>>,
}

/// A sidecar and what is behind it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: Spanned<Name>,
    pub(super) services: Vec<Service>,
}

/// One entry of `services:`, or of a node.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: Spanned<Name>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) annotations: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) address: Spanned<Address>,
    pub(super) annotations: Vec<Entry>,
}

pub(super) fn file(root: Value, diagnostics: &mut Diagnostics) -> Option<File> {
    let span = root.span;
    let [services, nodes] = fields(root, ["services", "nodes"], "a bent file", diagnostics)?;
    if services.is_none() && nodes.is_none() {
        let diagnostic = Diagnostic::error(codes::MISSING_FIELD, span, "the file has no `nodes`");
        diagnostics.push(diagnostic.help("write `nodes:` with one key for each sidecar"));
    }
    Some(File {
        services: services.map(|field| field.map(|value| self::services(value, "`services`", diagnostics))),
        nodes: nodes.map(|field| field.map(|value| self::nodes(value, diagnostics))),
    })
}

fn nodes(value: Value, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let entries = match value.data {
        Data::Map(entries) => entries,
        Data::Null => return Vec::new(),
        Data::List(_) | Data::Scalar(_) => {
            diagnostics.push(wrong_type(value.span, "`nodes`", "a mapping with one key for each sidecar"));
            return Vec::new();
        }
    };
    let mut seen = BTreeMap::new();
    let mut nodes = Vec::new();
    for (key, value) in entries {
        let services = services(value, &format!("node `{}`", quote(&key.value)), diagnostics);
        let Some(id) = name(key, "node", diagnostics) else { continue };
        match seen.insert(id.value.key(), id.span) {
            Some(earlier) => diagnostics.push(twice("node", &id, earlier)),
            None => nodes.push(Node { id, services }),
        }
    }
    nodes
}

/// A list of services; one that is listed again adds to the first.
fn services(value: Value, whose: &str, diagnostics: &mut Diagnostics) -> Vec<Service> {
    let Some(items) = list(value, whose, "a list of services, each beginning with `- name:`", diagnostics) else {
        return Vec::new();
    };
    let mut services: Vec<Service> = Vec::new();
    let mut seen = BTreeMap::new();
    for item in items {
        let Some(service) = service(item, diagnostics) else { continue };
        let position = *seen.entry(service.name.value.key()).or_insert(services.len());
        match services.get_mut(position) {
            None => services.push(service),
            Some(earlier) => {
                let message = format!("service `{}` is listed twice in {whose}", service.name.value);
                let diagnostic = Diagnostic::warning(codes::DUPLICATE_NAME, service.name.span, message);
                diagnostics.push(
                    diagnostic.label("added to the first").related(earlier.name.span, "the first").help("list it once"),
                );
                earlier.annotations.extend(service.annotations);
                earlier.endpoints.extend(service.endpoints);
            }
        }
    }
    for service in &mut services {
        service.endpoints = unique(std::mem::take(&mut service.endpoints), &service.name, diagnostics);
    }
    services
}

fn service(value: Value, diagnostics: &mut Diagnostics) -> Option<Service> {
    let span = value.span;
    let keys = ["name", "endpoints", "annotations"];
    let [name, endpoints, annotations] = fields(value, keys, "a service", diagnostics)?;
    // Everything is read before anything is given up, so that all mistakes are found at once.
    let name = required(name, "name", "a service", span, diagnostics)
        .and_then(|name| text(name.value, "the name of a service", diagnostics))
        .and_then(|text| self::name(text, "service", diagnostics));
    let items = endpoints.and_then(|it| list(it.value, "`endpoints`", "a list of endpoints", diagnostics));
    let endpoints = items.unwrap_or_default().into_iter().filter_map(|item| endpoint(item, diagnostics)).collect();
    let annotations = self::annotations(annotations, diagnostics);
    Some(Service { name: name?, endpoints, annotations })
}

fn endpoint(value: Value, diagnostics: &mut Diagnostics) -> Option<Endpoint> {
    let span = value.span;
    let keys = ["address", "port", "annotations"];
    let [address, port, annotations] = fields(value, keys, "an endpoint", diagnostics)?;
    let address = required(address, "address", "an endpoint", span, diagnostics)
        .and_then(|address| text(address.value, "an address", diagnostics))
        .and_then(|text| ip(text, diagnostics));
    let port = required(port, "port", "an endpoint", span, diagnostics)
        .and_then(|port| text(port.value, "a port", diagnostics))
        .and_then(|text| self::port(&text, diagnostics));
    let annotations = self::annotations(annotations, diagnostics);
    let address = address?;
    let address = Spanned::new(Address { host: address.value, port: port? }, address.span);
    Some(Endpoint { address, annotations })
}

fn annotations(field: Option<Spanned<Value>>, diagnostics: &mut Diagnostics) -> Vec<Entry> {
    let Some(Spanned { value, .. }) = field else { return Vec::new() };
    let entries = match value.data {
        Data::Map(entries) => entries,
        Data::Null => return Vec::new(),
        Data::List(_) | Data::Scalar(_) => {
            diagnostics.push(wrong_type(value.span, "`annotations`", "a mapping of keys to values"));
            return Vec::new();
        }
    };
    let read = entries.into_iter().filter_map(|(key, value)| {
        let span = if value.span.start == value.span.end { key.span } else { value.span };
        let text = match value.data {
            Data::Scalar(scalar) => scalar.text,
            Data::Null => String::new(),
            Data::List(_) | Data::Map(_) => {
                let what = format!("annotation `{}`", quote(&key.value));
                diagnostics.push(wrong_type(value.span, &what, "a single value, such as `\"30\"`"));
                return None;
            }
        };
        Some(Entry { key, value: Spanned::new(text, span) })
    });
    read.collect()
}

/// The endpoints without repetition; what is said of one that repeats is said of the first.
fn unique(endpoints: Vec<Endpoint>, service: &Spanned<Name>, diagnostics: &mut Diagnostics) -> Vec<Endpoint> {
    let mut unique: Vec<Endpoint> = Vec::new();
    let mut seen = BTreeMap::new();
    for endpoint in endpoints {
        let position = *seen.entry(endpoint.address.value.clone()).or_insert(unique.len());
        match unique.get_mut(position) {
            None => unique.push(endpoint),
            Some(earlier) => {
                let (address, name) = (&endpoint.address.value, &service.value);
                let message = format!("endpoint `{address}` of service `{name}` is listed twice");
                let diagnostic = Diagnostic::warning(codes::DUPLICATE_NAME, endpoint.address.span, message);
                diagnostics.push(diagnostic.related(earlier.address.span, "the first").help("list it once"));
                earlier.annotations.extend(endpoint.annotations);
            }
        }
    }
    unique
}

fn ip(text: Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Spanned<IpAddr>> {
    let address = text.value.parse().ok();
    if address.is_none() {
        let message = format!("`{}` is not an IP address", quote(&text.value));
        let help = match text.value.parse::<std::net::SocketAddr>() {
            Ok(socket) => format!("write `address: {}` and `port: {}`", socket.ip(), socket.port()),
            Err(_) => "write the address itself, such as `10.123.0.22`: names are not looked up".to_owned(),
        };
        diagnostics.push(Diagnostic::error(codes::INVALID_ADDRESS, text.span, message).help(help));
    }
    address.map(|address| Spanned::new(address, text.span))
}

fn port(text: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<u16> {
    let digits = !text.value.is_empty() && text.value.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.value.parse().ok().filter(|port| digits && *port != 0);
    if port.is_none() {
        let code = if digits { codes::INVALID_VALUE } else { codes::WRONG_TYPE };
        let message = format!("`{}` is not a port", quote(&text.value));
        diagnostics.push(Diagnostic::error(code, text.span, message).help("write a number from 1 to 65535"));
    }
    port
}

fn name(text: Spanned<String>, what: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<Name>> {
    let name = Name::new(&text.value);
    if name.is_none() {
        let message = format!("`{}` cannot be the name of a {what}", quote(&text.value));
        let help = "names have letters, digits, `.`, `_`, `-` and `/`, and begin and end with a letter or digit";
        diagnostics.push(Diagnostic::error(codes::INVALID_NAME, text.span, message).help(help));
    }
    name.map(|name| Spanned::new(name, text.span))
}

fn text(value: Value, what: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<String>> {
    match value.data {
        Data::Scalar(scalar) => Some(Spanned::new(scalar.text, value.span)),
        Data::Null | Data::List(_) | Data::Map(_) => {
            diagnostics.push(wrong_type(value.span, what, "a single value"));
            None
        }
    }
}

/// `None`, with a diagnostic, unless it is a list; a null is an empty one.
fn list(value: Value, whose: &str, expected: &str, diagnostics: &mut Diagnostics) -> Option<Vec<Value>> {
    match value.data {
        Data::List(items) => Some(items),
        Data::Null => Some(Vec::new()),
        Data::Scalar(_) | Data::Map(_) => {
            diagnostics.push(wrong_type(value.span, whose, expected));
            None
        }
    }
}

/// The values of `keys`, each with the place of its key; every other key is named as one that is not read.
fn fields<const N: usize>(
    value: Value,
    keys: [&str; N],
    whose: &str,
    diagnostics: &mut Diagnostics,
) -> Option<[Option<Spanned<Value>>; N]> {
    let Data::Map(entries) = value.data else {
        diagnostics.push(wrong_type(value.span, whose, &format!("a mapping with `{}`", keys.join("`, `"))));
        return None;
    };
    let mut found = [const { None }; N];
    for (key, mut value) in entries {
        match keys.iter().position(|known| *known == key.value).and_then(|index| found.get_mut(index)) {
            Some(field) => {
                if value.span.start == value.span.end {
                    value.span = key.span;
                }
                *field = Some(Spanned::new(value, key.span));
            }
            None => {
                let message = format!("`{}` of {whose} is not read", quote(&key.value));
                let diagnostic = Diagnostic::warning(codes::NOT_MAPPED, key.span, message);
                diagnostics.push(match suggest::closest(&key.value, keys.into_iter()) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                });
            }
        }
    }
    Some(found)
}

fn required(
    field: Option<Spanned<Value>>,
    key: &str,
    whose: &str,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<Value>> {
    let field = field.filter(|field| !matches!(field.value.data, Data::Null));
    if field.is_none() {
        diagnostics.push(Diagnostic::error(codes::MISSING_FIELD, span, format!("{whose} needs `{key}`")));
    }
    field
}

fn wrong_type(span: Span, what: &str, expected: &str) -> Diagnostic {
    Diagnostic::error(codes::WRONG_TYPE, span, format!("{what} must be {expected}"))
}

fn twice(kind: &str, name: &Spanned<Name>, earlier: Span) -> Diagnostic {
    let message = format!("{kind} `{}` is there twice: names that differ in case are the same", name.value);
    Diagnostic::error(codes::DUPLICATE_NAME, name.span, message).related(earlier, "the first")
}

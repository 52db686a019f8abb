//! Takes the annotations out of a mesh and sorts them by what they speak of.

use std::collections::BTreeMap;
use std::mem;

use spec::diagnostic::quote;
use spec::mesh::{Entry, Mesh};
use spec::{Diagnostic, Diagnostics, Spanned, annotate, codes};

use crate::suggest::did_you_mean;

use super::definition::{Definition, Kind, Level};
use super::read::{Outcome, advice, read};
use super::serving::{Position, Serving};
use super::settings::Settings;
use super::{DEFINITIONS, find};

/// Of what a setting speaks, by position in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Service(usize),
    /// A service on one node.
    Serve(Position),
    Endpoint {
        service: usize,
        endpoint: usize,
    },
    Upstream {
        at: Position,
        upstream: usize,
    },
}

/// Settings, and who said them.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) settings: Settings,
    /// Fields of the language by their keys, each once, in the order of the keys.
    pub(crate) fields: Vec<Entry>,
    /// The first place of each key.
    places: BTreeMap<String, (Spanned<String>, Place)>,
}

/// A list of annotations: where it stands and what it can speak of.
#[derive(Clone, Debug)]
struct Place {
    /// ``on endpoint `10.0.0.1:80` of node `a` ``, for messages.
    name: String,
    service: Option<usize>,
    /// The service on the node of this place; the whole service if the place is the service itself.
    node: Option<Subject>,
    /// Whose weight is meant.
    endpoint: Subject,
}

/// Everything that is said by annotations; afterwards the mesh has none.
pub(crate) fn collect(mesh: &mut Mesh, diagnostics: &mut Diagnostics) -> BTreeMap<Subject, Said> {
    let lists = take(mesh);
    if lists.is_empty() {
        return BTreeMap::new();
    }
    let serving = Serving::of(mesh);
    let mut said = BTreeMap::new();
    for (subject, annotations) in lists {
        let Some(place) = place(mesh, &serving, subject) else { continue };
        let fault_by_fields = says_fault_by_fields(&annotations);
        for annotation in annotations {
            if fault_by_fields && SHARED_WITH_FIELDS.contains(&annotation.key.value.as_str()) {
                put_field(&place, annotation, &mut said, diagnostics);
                continue;
            }
            put(&place, annotation, &mut said, diagnostics);
        }
    }
    said
}

/// Keys of bent's that are ways to fields, too.
const SHARED_WITH_FIELDS: [&str; 3] = ["fault.delay.percent", "fault.delay.duration", "fault.abort.percent"];

/// Whether a place says a fault in fields alone. Without `fault.inject` bent's keys would mean nothing there.
fn says_fault_by_fields(annotations: &[Entry]) -> bool {
    let mut keys = annotations.iter().map(|annotation| annotation.key.value.as_str());
    let by_fields = keys.clone().any(|key| key.starts_with("fault.") && find(key).is_none());
    by_fields && !keys.any(|key| key == "fault.inject")
}

/// Every list that is not empty, and where it stood, in the order of the mesh.
fn take(mesh: &mut Mesh) -> Vec<(Subject, Vec<Entry>)> {
    let mut lists = Vec::new();
    for (service, it) in mesh.services.iter_mut().enumerate() {
        lists.push((Subject::Service(service), mem::take(&mut it.annotations)));
        for (endpoint, it) in it.endpoints.iter_mut().enumerate() {
            lists.push((Subject::Endpoint { service, endpoint }, mem::take(&mut it.annotations)));
        }
    }
    for (node, it) in mesh.nodes.iter_mut().enumerate() {
        for (serve, it) in it.serves.iter_mut().enumerate() {
            let at = Position { node, serve };
            lists.push((Subject::Serve(at), mem::take(&mut it.annotations)));
            for (upstream, it) in it.upstreams.iter_mut().enumerate() {
                lists.push((Subject::Upstream { at, upstream }, mem::take(&mut it.annotations)));
            }
        }
    }
    lists.retain(|(_, annotations)| !annotations.is_empty());
    lists
}

/// `None` only for a subject of another mesh.
fn place(mesh: &Mesh, serving: &Serving, subject: Subject) -> Option<Place> {
    match subject {
        Subject::Service(service) => {
            let name = format!("on service `{}`", mesh.services.get(service)?.name.value);
            Some(Place { name, service: Some(service), node: Some(subject), endpoint: subject })
        }
        Subject::Endpoint { service, endpoint } => {
            let it = mesh.services.get(service)?;
            let endpoint = it.endpoints.get(endpoint)?;
            let at = serving.endpoint(&it.name, endpoint);
            let node = at.and_then(|at| mesh.nodes.get(at.node));
            let node = node.map_or(String::new(), |node| format!(" of node `{}`", node.name.value));
            let name = format!("on endpoint `{}` of service `{}`{node}", endpoint.address.value, it.name.value);
            Some(Place { name, service: Some(service), node: at.map(Subject::Serve), endpoint: subject })
        }
        Subject::Serve(at) | Subject::Upstream { at, .. } => {
            let node = mesh.nodes.get(at.node)?;
            let serve = node.serves.get(at.serve)?;
            let whose = format!("service `{}` of node `{}`", serve.service.value, node.name.value);
            let name = match subject {
                Subject::Upstream { upstream, .. } => {
                    format!("on endpoint `{}` of {whose}", serve.upstreams.get(upstream)?.address.value)
                }
                _ => format!("on {whose}"),
            };
            let service = serving.service(&serve.service.value);
            Some(Place { name, service, node: Some(Subject::Serve(at)), endpoint: subject })
        }
    }
}

/// Keeps one annotation with what it speaks of.
fn put(place: &Place, annotation: Entry, said: &mut BTreeMap<Subject, Said>, diagnostics: &mut Diagnostics) {
    let Entry { key, value } = annotation;
    let Some(definition) = find(&key.value) else {
        return put_field(place, Entry { key, value }, said, diagnostics);
    };
    if let Some(instead) = definition.instead {
        let message = format!("`{}` {} will go", definition.key, place.name);
        diagnostics.push(Diagnostic::of(codes::DEPRECATED, key.span, message).help(format!("write `{instead}`")));
    }
    let subject = match definition.level {
        Level::Service => place.service.map(Subject::Service),
        Level::Node => place.node,
        Level::Endpoint => Some(place.endpoint),
    };
    // A service that does not exist is reported by the check of names; the value is still read.
    let mut nobody = Said::default();
    let target = match subject {
        Some(subject) => said.entry(subject).or_default(),
        None if place.service.is_some() => return diagnostics.push(homeless(&key, place)),
        None => &mut nobody,
    };
    match read(definition, &value.value, value.span, &mut target.settings) {
        Outcome::Kept => {
            if let Some(warning) = useless_value(definition, &value, place) {
                diagnostics.push(warning);
            }
            target.places.entry(definition.key.to_owned()).or_insert_with(|| (value, place.clone()));
        }
        Outcome::Invalid => diagnostics.push(invalid(definition, &value, place)),
        Outcome::Conflict => {
            if let Some((earlier, first)) = target.places.get(definition.key) {
                let holds = definition.level;
                diagnostics.push(conflict((definition.key, holds), (earlier, first), (&value, place)));
            }
        }
    }
}

/// Keeps an annotation that says a field of the language: of the whole service, or of an endpoint.
fn put_field(place: &Place, entry: Entry, said: &mut BTreeMap<Subject, Said>, diagnostics: &mut Diagnostics) {
    let of_service = annotate::of_service(&entry.key.value).is_some();
    if !of_service && annotate::of_endpoint(&entry.key.value).is_none() {
        let unknown = unknown(&entry.key, place, diagnostics);
        return diagnostics.push(unknown);
    }
    let (subject, level) = match of_service {
        true => (place.service.map(Subject::Service), Level::Service),
        false => (Some(place.endpoint), Level::Endpoint),
    };
    // A service that does not exist is reported by the check of names.
    let Some(subject) = subject else { return };
    let target = said.entry(subject).or_default();
    match target.places.get(&entry.key.value) {
        Some((earlier, _)) if earlier.value == entry.value.value => {}
        Some((earlier, first)) => {
            diagnostics.push(conflict((&entry.key.value, level), (earlier, first), (&entry.value, place)));
        }
        None => {
            target.places.insert(entry.key.value.clone(), (entry.value.clone(), place.clone()));
            target.fields.push(entry);
        }
    }
}

fn unknown(key: &Spanned<String>, place: &Place, found: &Diagnostics) -> Diagnostic {
    let message = format!("no annotation is called `{}` ({})", quote(&key.value), place.name);
    let diagnostic = Diagnostic::error(codes::UNKNOWN_ANNOTATION, key.span, message);
    let fields: Vec<annotate::Key> = annotate::service_keys().into_iter().chain(annotate::endpoint_keys()).collect();
    let known =
        DEFINITIONS.iter().map(|definition| definition.key).chain(fields.iter().map(|key| key.pattern.as_str()));
    did_you_mean(diagnostic, &key.value, known, found)
}

fn invalid(definition: &Definition, value: &Spanned<String>, place: &Place) -> Diagnostic {
    let message = format!("`{}` cannot be `{}` {}", definition.key, quote(&value.value), place.name);
    Diagnostic::error(codes::INVALID_ANNOTATION, value.span, message)
        .label("not accepted")
        .help(advice(definition, &value.value))
}

/// People write `fault.inject: "false"` and expect nothing to be injected.
fn useless_value(definition: &Definition, value: &Spanned<String>, place: &Place) -> Option<Diagnostic> {
    let denies = ["false", "no", "off", "0", "disabled"].contains(&value.value.to_ascii_lowercase().as_str());
    let is_presence = matches!(definition.kind, Kind::Presence(_));
    (is_presence && denies).then(|| {
        let (key, value_text) = (definition.key, &value.value);
        let message = format!("`{key}` {} turns it on, although its value is `{value_text}`", place.name);
        Diagnostic::warning(codes::INEFFECTIVE_ANNOTATION, value.span, message)
            .label("has no effect")
            .help(format!("leave `{key}` out to turn it off"))
    })
}

fn conflict(
    (key, level): (&str, Level),
    (earlier, first): (&Spanned<String>, &Place),
    (later, second): (&Spanned<String>, &Place),
) -> Diagnostic {
    let (was, is) = (quote(&earlier.value), quote(&later.value));
    let message = match first.name == second.name {
        true => format!("`{key}` is both `{was}` and `{is}` {}", first.name),
        false => format!("`{key}` is `{was}` {}, but `{is}` {}", first.name, second.name),
    };
    let scope = match level {
        Level::Service => "it holds for the whole service: say it once, or everywhere the same",
        Level::Node | Level::Endpoint => "say it once",
    };
    Diagnostic::error(codes::CONFLICTING_ANNOTATION, later.span, message)
        .label(format!("`{is}` here"))
        .related(earlier.span, format!("`{was}` here"))
        .help(scope)
}

/// A fault on an endpoint that has no node, or one of many.
fn homeless(key: &Spanned<String>, place: &Place) -> Diagnostic {
    let message = format!("`{}` {} has no effect: no node is known to serve that endpoint", key.value, place.name);
    Diagnostic::warning(codes::INEFFECTIVE_ANNOTATION, key.span, message)
        .help("name the endpoint's node, or say it on the service")
}

//! bent's file format: `nodes:` with the services behind each sidecar, and `services:` with what callers dial.

mod notes;
mod read;
mod services;

use spec::mesh::{BasicAuth, Call, Callee, CircuitBreaker, Gateway, Mesh, Node, Service};
use spec::{Diagnostic, Diagnostics, FileId, Name, Sources, Span, Spanned, codes, yaml};

use crate::annotation;
use services::Services;

/// The port of every sidecar and of the front proxy.
const INGRESS_PORT: u16 = 4100;
/// The node id that bent reserves for its front proxy.
const FRONT_PROXY: &str = "ingress";
const REALM: &str = "bent";
const HTPASSWD_FILE: &str = "users.htpasswd";

/// Reads a file of bent's as a mesh; what behaves otherwise than under bent is a note.
///
/// Annotations are applied and bent's defaults written out, so the result says all that bent would do.
/// `None` only when there is no YAML to read, with an error that says why.
pub fn import(file: FileId, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Mesh> {
    let text = sources.file(file).map_or("", |file| file.text.as_str());
    let start = Span::new(file, 0, 0);
    let before = diagnostics.iter().count();
    let Some(root) = yaml::read_foreign(text, file, diagnostics) else {
        if diagnostics.iter().count() == before {
            let diagnostic = Diagnostic::error(codes::MISSING_FIELD, start, "the file is empty");
            diagnostics.push(diagnostic.help("write `nodes:` with one key for each sidecar"));
        }
        return None;
    };
    let file = read::file(root, diagnostics)?;
    notes::write(&file, diagnostics);
    let mut mesh = mesh(file, start, diagnostics)?;
    let mut found = Diagnostics::new();
    annotation::apply(&mut mesh, &mut found);
    // bent knows no other words: what to write instead is no use to its users.
    diagnostics.extend(found.into_iter().filter(|it| it.code != codes::DEPRECATED));
    mesh.services.iter_mut().for_each(write_defaults);
    Some(mesh)
}

fn mesh(file: read::File, start: Span, diagnostics: &mut Diagnostics) -> Option<Mesh> {
    let name = Spanned::new(Name::new("bent")?, start);
    let mut mesh = Mesh::named(name);
    let (fronts, nodes): (Vec<_>, Vec<_>) = file
        .nodes
        .map_or(Vec::new(), |nodes| nodes.value)
        .into_iter()
        .partition(|node| node.id.value.as_str() == FRONT_PROXY);
    for front in fronts {
        for service in &front.services {
            let message =
                format!("service `{}` is not served: node `{FRONT_PROXY}` is the front proxy", service.name.value);
            let diagnostic = Diagnostic::warning(codes::NOT_MAPPED, service.name.span, message);
            diagnostics.push(diagnostic.help("move it to a node of another name"));
        }
        mesh.gateways.push(front_proxy(&front.id));
    }
    let mut services = Services::default();
    for service in file.services.map_or(Vec::new(), |services| services.value) {
        services.declare(service);
    }
    for node in nodes {
        let served = node.services.into_iter();
        let serves = served.filter_map(|service| services.serve(&node.id, service, diagnostics)).collect();
        let calls = vec![Call::of(Spanned::new(Callee::All, node.id.span))];
        mesh.nodes.push(Node { serves, calls, ..Node::named(node.id) });
    }
    mesh.services = services.finish(diagnostics);
    Some(mesh)
}

/// bent's front proxy asks its authorization service on every request, which wants a user and password.
fn front_proxy(id: &Spanned<Name>) -> Gateway {
    let text = |text: &str| Spanned::new(text.to_owned(), id.span);
    Gateway {
        calls: vec![Call::of(Spanned::new(Callee::All, id.span))],
        basic_auth: Some(BasicAuth { realm: Some(text(REALM)), ..BasicAuth::of(text(HTPASSWD_FILE)) }),
        ..Gateway::named(id.clone(), Spanned::new(INGRESS_PORT, id.span))
    }
}

/// bent always checks health, and its limits are lower than Envoy's.
pub(super) fn write_defaults(service: &mut Service) {
    let span = service.span();
    service.health_check.get_or_insert_default();
    let limits = service.circuit_breaker.get_or_insert_default();
    let CircuitBreaker { max_connections, max_pending, max_requests, max_retries, place: _ } = limits.as_mut();
    for limit in [max_connections, max_pending, max_requests] {
        limit.get_or_insert(Spanned::new(1000, span));
    }
    max_retries.get_or_insert(Spanned::new(3, span));
}

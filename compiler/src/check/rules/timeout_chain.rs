//! A service does not wait longer for others than its own callers wait for it.
//!
//! `calls "*"` says what may be called, not what is, so it makes no chain.

use spec::mesh::{Callee, Node};
use spec::units::format_duration;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::tries::{Whole, said, whole_of};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for node in &mesh.nodes {
        let Some((served, patience)) = shortest(mesh, tables, node) else { continue };
        for call in &node.calls {
            let Callee::Service(name) = &call.service.value else { continue };
            let Some(called) = tables.find_service(name).and_then(|id| mesh.services.get(id.index())) else { continue };
            let waits = said(&call.timeout).unwrap_or_else(|| whole_of(mesh, called));
            if !waits.is_unlimited() && waits.limit <= patience.limit {
                continue;
            }
            let long = match waits.is_unlimited() {
                true => "without end".to_owned(),
                false => format!("up to {}", format_duration(waits.limit)),
            };
            let patient = format_duration(patience.limit);
            let message = format!("`{served}` waits {long} for `{name}`, and its callers {patient} for `{served}`");
            let mut diagnostic = Diagnostic::of(codes::TIMEOUT_CHAIN, call.service.span, message)
                .label("what it still waits for, nobody wants any more");
            if let Some(place) = waits.place {
                diagnostic = diagnostic.related(place, format!("so long a request to `{name}` may take"));
            }
            if let Some(place) = patience.place {
                diagnostic = diagnostic.related(place, format!("so long a request to `{served}` may take"));
            }
            diagnostics.push(diagnostic.help(format!("give this call a `timeout` of less than {patient}")));
        }
    }
}

/// Of the services behind a node, the one whose callers wait least.
fn shortest<'a>(mesh: &'a Mesh, tables: &Tables, node: &'a Node) -> Option<(&'a str, Whole)> {
    let services = node.serves.iter().filter_map(|serve| {
        let service = mesh.services.get(tables.find_service(&serve.service.value)?.index())?;
        Some((service.name.value.as_str(), whole_of(mesh, service)))
    });
    services.filter(|(_, whole)| !whole.is_unlimited()).min_by_key(|(_, whole)| whole.limit)
}

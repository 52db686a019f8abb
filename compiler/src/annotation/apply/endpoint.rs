//! Writes what annotations say of endpoints: their own first, then those of the service on their node, then the service's.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Endpoint, Entry, Mesh};
use spec::{Diagnostics, annotate};

use super::super::collect::{Said, Subject};
use super::super::serving::{Position, Serving};

pub(super) fn write(mesh: &mut Mesh, said: &BTreeMap<Subject, Said>, diagnostics: &mut Diagnostics) {
    let fields = |subject| said.get(&subject).map_or(&[][..], |said| said.fields.as_slice());
    if said.values().all(|said| said.fields.is_empty()) {
        return;
    }
    let serving = Serving::of(mesh);
    for (index, service) in mesh.services.iter_mut().enumerate() {
        for (endpoint, it) in service.endpoints.iter_mut().enumerate() {
            let own = fields(Subject::Endpoint { service: index, endpoint });
            let of_serve = serving.endpoint(&service.name, it).map_or(&[][..], |at| fields(Subject::Serve(at)));
            add(it, [own, of_serve, fields(Subject::Service(index))], diagnostics);
        }
    }
    for (node, it) in mesh.nodes.iter_mut().enumerate() {
        for (serve, it) in it.serves.iter_mut().enumerate() {
            let at = Position { node, serve };
            for (upstream, it) in it.upstreams.iter_mut().enumerate() {
                add(it, [fields(Subject::Upstream { at, upstream }), fields(Subject::Serve(at)), &[]], diagnostics);
            }
        }
    }
}

/// The first of the lists that has a key says it.
fn add(endpoint: &mut Endpoint, lists: [&[Entry]; 3], diagnostics: &mut Diagnostics) {
    let mut keys = BTreeSet::new();
    let of_endpoint = |entry: &&Entry| annotate::of_endpoint(&entry.key.value).is_some();
    let entries = lists.into_iter().flatten().filter(of_endpoint).filter(|entry| keys.insert(entry.key.value.as_str()));
    let entries: Vec<Entry> = entries.cloned().collect();
    if let Some(more) = annotate::endpoint(endpoint, &entries, diagnostics) {
        *endpoint = more;
    }
}

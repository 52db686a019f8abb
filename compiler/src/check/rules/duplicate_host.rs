//! A gateway answers for a host name once: Envoy refuses a whole route table in which two virtual hosts share a name.

use std::collections::BTreeMap;

use spec::mesh::Call;
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for gateway in &mesh.gateways {
        let mut seen: BTreeMap<String, Span> = match Call::all(&gateway.calls) {
            Some(_) => mesh.services.iter().map(|service| (service.name.value.key(), service.name.span)).collect(),
            None => Call::listed(&gateway.calls)
                .filter(|name| tables.find_service(name.value).is_some())
                .map(|name| (name.value.key(), name.span))
                .collect(),
        };
        for host in &gateway.hosts {
            let pattern = host.pattern.value.to_ascii_lowercase();
            if let Some(first) = seen.get(&pattern) {
                diagnostics.push(
                    Diagnostic::error(
                        codes::DUPLICATE_NAME,
                        host.pattern.span,
                        format!("gateway `{}` answers for `{pattern}` already", gateway.name.value),
                    )
                    .related(*first, "here")
                    .help("put all routes of a host into one block"),
                );
            } else {
                seen.insert(pattern, host.pattern.span);
            }
        }
    }
}

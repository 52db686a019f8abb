//! A gateway answers for a host name once: Envoy refuses a whole route table in which two virtual hosts share a name.

use std::collections::BTreeMap;

use spec::mesh::Call;
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for gateway in &mesh.gateways {
        let services: BTreeMap<String, Span> = match Call::all(&gateway.calls) {
            Some(_) => mesh.services.iter().map(|service| (service.name.value.key(), service.name.span)).collect(),
            None => Call::listed(&gateway.calls)
                .filter(|name| tables.find_service(name.value).is_some())
                .map(|name| (name.value.key(), name.span))
                .collect(),
        };
        let mut hosts: BTreeMap<(String, Option<u16>), Span> = BTreeMap::new();
        for host in &gateway.hosts {
            let pattern = host.pattern.value.to_ascii_lowercase();
            let (name, port) = name_and_port(&pattern);
            // A service that is called is known on every port.
            let first = services.get(name).or_else(|| hosts.get(&(name.to_owned(), port)));
            if let Some(first) = first {
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
                hosts.insert((name.to_owned(), port), host.pattern.span);
            }
        }
    }
}

fn name_and_port(pattern: &str) -> (&str, Option<u16>) {
    let split = pattern.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    split.map_or((pattern, None), |(name, port)| (name, Some(port)))
}

//! Hosts belong to the policy `listed`, and it to them; each is listed once, and is no service.

use std::collections::BTreeMap;

use spec::mesh::{Egress, EgressPolicy};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for egress in everywhere::egresses(mesh) {
        repeated(mesh, egress, diagnostics);
        let (policy, word) = match egress.policy.value {
            EgressPolicy::Listed if egress.hosts.is_empty() => {
                diagnostics.push(
                    Diagnostic::error(codes::EGRESS_HOSTS, egress.policy.span, "no host is listed")
                        .label("nothing can be reached")
                        .help("add `host \"api.example\"`, or say `egress \"none\"`"),
                );
                continue;
            }
            EgressPolicy::Listed => continue,
            EgressPolicy::None => (egress.policy.span, "none"),
            EgressPolicy::AllowAll => (egress.policy.span, "allow-all"),
        };
        let Some(host) = egress.hosts.first() else { continue };
        diagnostics.push(
            Diagnostic::error(codes::EGRESS_HOSTS, host.name.span, format!("`{word}` asks for no hosts"))
                .label("this host changes nothing")
                .related(policy, "the policy")
                .help("say `egress \"listed\"`, or leave the hosts out"),
        );
    }
}

/// One host and port is one thing: Envoy refuses a whole route table in which two virtual hosts share a name.
fn repeated(mesh: &Mesh, egress: &Egress, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<(String, u16), Span> = BTreeMap::new();
    for host in &egress.hosts {
        let name = host.name.value.to_ascii_lowercase();
        let service = mesh.services.iter().find(|service| service.name.value.key() == name);
        let usual = [443];
        let said = host.ports.iter().map(|port| port.value);
        let ports: Vec<u16> = if host.ports.is_empty() { usual.to_vec() } else { said.collect() };
        let mut other = service.map(|service| (service.name.span, "a service of the mesh"));
        for port in ports {
            match seen.get(&(name.clone(), port)) {
                Some(first) if *first != host.name.span => other = other.or(Some((*first, "here"))),
                _ => drop(seen.insert((name.clone(), port), host.name.span)),
            }
        }
        if let Some((place, what)) = other {
            let message = format!("`{}` means something already", host.name.value);
            diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_NAME, host.name.span, message)
                    .label("a request for it could go to either")
                    .related(place, what)
                    .help("list a host and port once, and no service of the mesh"),
            );
        }
    }
}

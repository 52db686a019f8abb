//! Requests of one protocol that are shared out among services of several: some of them cannot be understood.
//!
//! `http2` goes with either: gRPC is HTTP/2, and Envoy translates between HTTP/1.1 and HTTP/2.

use spec::mesh::{Failover, Protocol, Service, Target};
use spec::{Diagnostic, Diagnostics, Mesh, Name, Spanned, codes};

use super::super::tables::Tables;
use super::{protocols, splits};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for split in splits(mesh).filter(|split| split.len() > 1) {
        let names = split.iter().map(|Target { service, .. }| service);
        compare(mesh, tables, names, diagnostics);
    }
    for service in mesh.services.iter().filter(|service| !service.failover.is_empty()) {
        let others = service.failover.iter().map(|Failover { service, .. }| service);
        compare(mesh, tables, std::iter::once(&service.name).chain(others), diagnostics);
    }
}

fn compare<'a>(
    mesh: &'a Mesh,
    tables: &Tables,
    names: impl Iterator<Item = &'a Spanned<Name>>,
    diagnostics: &mut Diagnostics,
) {
    let mut first: Option<(&Spanned<Name>, &Service)> = None;
    for name in names {
        let Some(service) = protocols::service(mesh, tables, &name.value) else { continue };
        // What goes to `tcp` services is refused elsewhere.
        if matches!(protocols::of(service), Protocol::Http2 | Protocol::Tcp) {
            continue;
        }
        let Some((first_name, first_service)) = first else {
            first = Some((name, service));
            continue;
        };
        let (one, other) = (protocols::of(first_service), protocols::of(service));
        if one != other {
            let message = format!("`{}` speaks {}, `{}` {}", name.value, named(other), first_name.value, named(one));
            diagnostics.push(
                Diagnostic::of(codes::MIXED_PROTOCOLS, name.span, message)
                    .label("it shares the requests of the other")
                    .related(first_name.span, "the other")
                    .help("send requests of one protocol to services that speak it"),
            );
            return;
        }
    }
}

fn named(protocol: Protocol) -> String {
    format!("`{}`", protocols::word(protocol))
}

//! Behind one sidecar, callers of two services do not ask for the same server name: it could be only one of them.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Callee, CertificateFiles, Protocol, ProviderSource, ServerTls, Service, TlsMode};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::protocols;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let by_callers = said_by_callers(mesh);
    if by_callers.is_empty() && !said_by_services(mesh) {
        return;
    }
    let mut told = BTreeSet::new();
    for node in mesh.nodes.iter().filter(|node| node.serves.len() > 1) {
        let served = node.serves.iter().filter_map(|serve| protocols::service(mesh, tables, &serve.service.value));
        let encrypted: Vec<(&Service, &ServerTls)> =
            served.filter_map(|service| Some((service, accepts(mesh, service)?))).collect();
        let mut owners: BTreeMap<String, (&Service, &ServerTls)> =
            encrypted.iter().map(|it| (it.0.name.value.key(), *it)).collect();
        for &(service, tls) in &encrypted {
            let own = service.client_tls.as_deref().or(mesh.defaults.client_tls.as_ref());
            let own = own.and_then(|tls| tls.sni.as_ref());
            let callers = by_callers.get(&service.name.value.key()).into_iter().flatten().copied();
            for sni in own.into_iter().chain(callers) {
                let (owner, its) = *owners.entry(sni.value.to_ascii_lowercase()).or_insert((service, tls));
                let one = owner.name.span == service.name.span;
                if one || alike(mesh, (owner, its), (service, tls)) || !told.insert(sni.span) {
                    continue;
                }
                let name = &service.name.value;
                let message = format!("who asks for `{}` does not reach `{name}`", sni.value);
                diagnostics.push(
                    Diagnostic::error(codes::TLS_MISMATCH, sni.span, message)
                        .label(format!("the sidecar of `{}` takes it for `{}`", node.name.value, owner.name.value))
                        .related(owner.name.span, "another service of the same node")
                        .related(service.name.span, "the service that is called")
                        .help("leave out `sni`, or give each service of the node one of its own"),
                );
            }
        }
    }
}

fn said_by_services(mesh: &Mesh) -> bool {
    let services = mesh.services.iter().filter_map(|service| service.client_tls.as_deref());
    mesh.defaults.client_tls.iter().chain(services).any(|tls| tls.sni.is_some())
}

/// By the service that they call.
fn said_by_callers(mesh: &Mesh) -> BTreeMap<String, Vec<&Spanned<String>>> {
    let nodes = mesh.nodes.iter().flat_map(|node| &node.calls);
    let mut said: BTreeMap<String, Vec<&Spanned<String>>> = BTreeMap::new();
    for call in nodes.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls)) {
        let sni = call.client_tls.as_ref().and_then(|tls| tls.sni.as_ref());
        if let (Callee::Service(name), Some(sni)) = (&call.service.value, sni) {
            said.entry(name.key()).or_default().push(sni);
        }
    }
    said
}

fn accepts<'a>(mesh: &'a Mesh, service: &'a Service) -> Option<&'a ServerTls> {
    let tls = service.tls.as_deref().or(mesh.defaults.tls.as_ref())?;
    let disabled = tls.mode.as_ref().is_some_and(|mode| mode.value == TlsMode::Disabled);
    (!disabled).then_some(tls)
}

/// Whether it does not matter which of them a connection is taken for: its requests say whom they mean.
fn alike(mesh: &Mesh, one: (&Service, &ServerTls), other: (&Service, &ServerTls)) -> bool {
    let speaks_http = |service: &Service| protocols::of(service) != Protocol::Tcp;
    let is_its_own = one.1.certificate.iter().any(|certificate| match &certificate.source.value {
        CertificateFiles::Files(_) | CertificateFiles::Sds(_) => false,
        CertificateFiles::Provider(name) => mesh
            .certificate_providers
            .iter()
            .filter(|provider| provider.name.value.key() == name.key())
            .any(|provider| !matches!(provider.source.value, ProviderSource::Folder(_))),
    });
    speaks_http(one.0) && speaks_http(other.0) && one.1 == other.1 && !is_its_own
}

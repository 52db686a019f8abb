//! A listener of a gateway either passes bytes to its targets or serves the gateway's hosts.

use spec::mesh::{Callee, Gateway, Listener, Protocol, TlsMode};
use spec::{Diagnostics, Mesh};

use super::super::super::tables::Tables;
use super::super::protocols;
use super::mismatch;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for gateway in &mesh.gateways {
        for listener in &gateway.listen {
            listens(listener, diagnostics);
        }
        only_bytes(gateway, diagnostics);
        certificates(gateway, diagnostics);
        for call in &gateway.calls {
            let Callee::Service(name) = &call.service.value else { continue };
            let service = protocols::service(mesh, tables, name);
            if let Some(service) = service.filter(|service| protocols::of(service) == Protocol::Tcp) {
                diagnostics.push(
                    mismatch(call.service.span, format!("nobody can name `{name}` as `Host`: it speaks `tcp`"))
                        .label("a gateway tells these services apart by `Host`")
                        .related(service.name.span, "the service")
                        .help(format!("give it a port: `listen PORT protocol=\"tcp\" {{ to \"{name}\"; }}`")),
                );
            }
        }
    }
}

pub(super) fn passes_bytes(listener: &Listener) -> bool {
    listener.protocol.as_ref().is_some_and(|protocol| protocol.value == Protocol::Tcp)
}

fn listens(listener: &Listener, diagnostics: &mut Diagnostics) {
    match (passes_bytes(listener), listener.targets.first()) {
        (true, None) => diagnostics.push(
            mismatch(listener.port.span, format!("port {} passes bytes to nobody", listener.port.value))
                .label("a `tcp` listener has no hosts, and no `to`")
                .help(format!("write `listen {} protocol=\"tcp\" {{ to \"SERVICE\"; }}`", listener.port.value)),
        ),
        (false, Some(target)) => diagnostics.push(
            mismatch(target.service.span, format!("port {} serves hosts, and has no `to`", listener.port.value))
                .label("only a `tcp` listener sends everything to one place")
                .related(listener.port.span, "the listener")
                .help("add `protocol=\"tcp\"`, or write `host \"*\" { to \"SERVICE\"; }` in the gateway"),
        ),
        _ => {}
    }
}

/// Hosts and services by name need a listener that reads requests.
fn only_bytes(gateway: &Gateway, diagnostics: &mut Diagnostics) {
    let Some(listener) = gateway.listen.first() else { return };
    let Some(host) = gateway.hosts.first() else { return };
    if gateway.listen.iter().all(passes_bytes) {
        diagnostics.push(
            mismatch(host.pattern.span, format!("no listener of gateway `{}` reads requests", gateway.name.value))
                .label("no request ever meets this host")
                .related(listener.port.span, "this listener passes bytes")
                .help("add `listen PORT`"),
        );
    }
}

/// A host's certificate needs a listener that shows it.
fn certificates(gateway: &Gateway, diagnostics: &mut Diagnostics) {
    let encrypts = |listener: &Listener| {
        let mode = listener.tls.as_ref().map(|tls| tls.mode.as_ref().map(|mode| mode.value));
        mode.is_some_and(|mode| mode != Some(TlsMode::Disabled))
    };
    if gateway.listen.iter().any(encrypts) {
        return;
    }
    let Some(host) = gateway.hosts.iter().find(|host| host.certificate.is_some()) else { return };
    diagnostics.push(
        mismatch(host.pattern.span, format!("no listener of gateway `{}` speaks TLS", gateway.name.value))
            .label("nobody ever sees the certificate of this host")
            .help("add `tls` to a listener, or leave the certificate out"),
    );
}

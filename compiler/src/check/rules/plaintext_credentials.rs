//! Credentials of the outside world do not travel without encryption.

use spec::mesh::{Gateway, Listener, Protocol, TlsMode};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for gateway in &mesh.gateways {
        // A load balancer of ours may end TLS before the gateway; on loopback nobody listens in.
        let behind_others = gateway.trusted_hops.as_ref().is_some_and(|hops| hops.value > 0);
        let local = gateway.bind.as_ref().is_some_and(|bind| bind.value.to_canonical().is_loopback());
        let Some((what, span)) = credentials(gateway).filter(|_| !behind_others && !local) else { continue };
        let Some(listener) = gateway.listen.iter().find(|listener| is_plain(listener)) else { continue };
        let message = format!("{what} reach gateway `{}` without encryption", gateway.name.value);
        diagnostics.push(
            Diagnostic::of(codes::PLAINTEXT_CREDENTIALS, span, message)
                .label("whoever listens in can use them")
                .related(listener.port.span, "connections to this port need no TLS")
                .help("give the listener `tls`, or say `trusted-hops` if a load balancer ends TLS before it"),
        );
    }
}

fn credentials(gateway: &Gateway) -> Option<(&'static str, Span)> {
    let passwords = gateway.basic_auth.as_ref().map(|auth| ("passwords", auth.htpasswd_file.span));
    let keys = gateway.api_key.as_ref().map(|key| ("keys", key.place()));
    let tokens = gateway.jwt.as_ref().map(|jwt| {
        let provider = jwt.providers.first().map(|provider| provider.span);
        ("tokens", jwt.place.0.or(provider).unwrap_or(gateway.name.span))
    });
    passwords.or(keys).or(tokens)
}

fn is_plain(listener: &Listener) -> bool {
    let http = listener.protocol.as_ref().is_none_or(|protocol| protocol.value != Protocol::Tcp);
    let encrypted =
        listener.tls.as_ref().is_some_and(|tls| tls.mode.as_ref().is_none_or(|mode| mode.value == TlsMode::Strict));
    http && !encrypted
}

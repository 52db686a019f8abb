//! A signature that passes once is not sent twice by those who cannot sign.

use spec::mesh::{Callee, Retry, Service};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::unsafe_retry::after_sending;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for service in &mesh.services {
        let Some(signature) = service.hmac_signature.as_deref() else { continue };
        if signature.replay_memory.as_ref().is_some_and(|memory| memory.value == 0) {
            continue;
        }
        for (word, span) in retries(mesh, service).filter_map(after_sending) {
            let message = format!("a retry sends `{}` a signature that it may have seen", service.name.value);
            diagnostics.push(
                Diagnostic::of(codes::REPLAYED_RETRY, span, message)
                    .label(format!("{word} does not tell whether the request was there"))
                    .related(signature.secrets_file.span, "each signature passes once")
                    .help(
                        "write `on=\"connect-failure,refused-stream\"`, say `replay-memory=0`, or verify at a gateway",
                    ),
            );
        }
    }
}

/// The service's own, and those of its callers.
fn retries<'a>(mesh: &'a Mesh, service: &'a Service) -> impl Iterator<Item = &'a Retry> {
    let nodes = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls = nodes.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls));
    let calls = calls.filter(|call| match &call.service.value {
        Callee::Service(name) => name.key() == service.name.value.key(),
        Callee::All => true,
    });
    service.retry.iter().map(|retry| &**retry).chain(calls.filter_map(|call| call.retry.as_deref()))
}

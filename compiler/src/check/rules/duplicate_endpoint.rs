//! An endpoint that is said twice gets two shares of the requests.

use std::collections::BTreeMap;

use spec::mesh::Endpoint;
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().map(|service| service.endpoints.as_slice());
    let upstreams = mesh.nodes.iter().flat_map(|node| &node.serves).map(|serve| serve.upstreams.as_slice());
    for list in services.chain(upstreams) {
        let mut seen: BTreeMap<_, Span> = BTreeMap::new();
        for Endpoint { address, ingress_port, .. } in list {
            let ingress = ingress_port.as_ref().map(|port| port.value);
            let key = (address.value.host.to_canonical(), address.value.port, ingress);
            if let Some(first) = seen.get(&key) {
                diagnostics.push(
                    Diagnostic::of(
                        codes::DUPLICATE_ENDPOINT,
                        address.span,
                        format!("`{}` is said twice", address.value),
                    )
                    .label("it gets a second share of the requests")
                    .related(*first, "the first one")
                    .help("delete one, or say the share with `weight`"),
                );
            } else {
                seen.insert(key, address.span);
            }
        }
    }
}

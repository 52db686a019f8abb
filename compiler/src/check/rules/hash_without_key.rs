//! `ring-hash` and `maglev` need keys, and no other policy takes them.

use spec::mesh::{LoadBalancing, LoadBalancingPolicy};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().filter_map(|service| service.load_balancing.as_deref());
    for balancing in mesh.defaults.load_balancing.iter().chain(services) {
        if let Some(found) = finding(balancing) {
            diagnostics.push(found);
        }
    }
}

fn finding(balancing: &LoadBalancing) -> Option<Diagnostic> {
    let policy = balancing.policy.as_ref();
    let hashes =
        policy.filter(|policy| matches!(policy.value, LoadBalancingPolicy::RingHash | LoadBalancingPolicy::Maglev));
    match (hashes, balancing.hash_on.first()) {
        (Some(policy), None) => Some(
            Diagnostic::of(codes::HASH_WITHOUT_KEY, policy.span, "this policy takes a hash, and nothing says of what")
                .label("endpoints would be chosen by chance")
                .help("add `hash-on header=\"x-user\"`, `cookie=`, `query=` or `source-address=#true`"),
        ),
        (None, Some(hash)) => {
            let diagnostic =
                Diagnostic::of(codes::HASH_WITHOUT_KEY, hash.key.span, "this policy does not look at hashes")
                    .label("this key has no effect")
                    .help("write `policy=\"ring-hash\"` or `policy=\"maglev\"`, or delete `hash-on`");
            Some(match policy {
                Some(policy) => diagnostic.related(policy.span, "the policy"),
                None => diagnostic.help("without a `policy` it is `round-robin`"),
            })
        }
        _ => None,
    }
}

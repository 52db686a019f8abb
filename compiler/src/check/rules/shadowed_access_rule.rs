//! A rule below one that takes all its requests never decides.
//!
//! Exact cases only: what the earlier rule asks for, the later one asks for too.

use spec::mesh::{AccessRule, Cidr};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::everywhere;
use super::path_overlap::covers;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (authorization, _) in everywhere::authorizations(mesh) {
        let rules = &authorization.rules;
        for (index, later) in rules.iter().enumerate() {
            let Some(earlier) = rules.iter().take(index).find(|earlier| takes_all_of(earlier, later)) else { continue };
            diagnostics.push(
                Diagnostic::of(codes::SHADOWED_ACCESS_RULE, later.decision.span, "this rule never decides")
                    .label("the first match decides")
                    .related(earlier.decision.span, "this earlier rule takes all of its requests")
                    .help("move the narrower rule up, or delete it"),
            );
        }
    }
}

fn takes_all_of(earlier: &AccessRule, later: &AccessRule) -> bool {
    let inside = |network: &Spanned<Cidr>| earlier.source.iter().any(|wider| contains(&wider.value, &network.value));
    among(&earlier.from, &later.from)
        && among(&earlier.from_identity, &later.from_identity)
        && (earlier.source.is_empty() || (!later.source.is_empty() && later.source.iter().all(inside)))
        // Whether several claims are choices or conditions does not matter when they are the same.
        && (earlier.claim.is_empty() || earlier.claim == later.claim)
        && covers(&earlier.matches, &later.matches)
}

/// Whether whoever is one of the later is one of the earlier. An empty list is anybody.
fn among<T: PartialEq>(earlier: &[Spanned<T>], later: &[Spanned<T>]) -> bool {
    earlier.is_empty() || (!later.is_empty() && later.iter().all(|caller| earlier.contains(caller)))
}

/// Whether the first network contains the second one.
fn contains(wider: &Cidr, narrower: &Cidr) -> bool {
    let same_family = wider.address.is_ipv4() == narrower.address.is_ipv4();
    let shift = bits(wider).saturating_sub(wider.prefix);
    let network = |cidr: &Cidr| number(cidr).checked_shr(u32::from(shift)).unwrap_or(0);
    same_family && wider.prefix <= narrower.prefix && network(wider) == network(narrower)
}

fn bits(cidr: &Cidr) -> u8 {
    if cidr.address.is_ipv4() { 32 } else { 128 }
}

fn number(cidr: &Cidr) -> u128 {
    match cidr.address {
        std::net::IpAddr::V4(address) => u128::from(u32::from(address)),
        std::net::IpAddr::V6(address) => u128::from(address),
    }
}

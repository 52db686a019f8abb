//! A split's weights must not all be zero, and their sum must fit Envoy's 32 bits.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::splits;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for targets in splits(mesh) {
        let weights = targets.iter().map(|target| target.weight.as_ref().map_or(1, |weight| u64::from(weight.value)));
        let (Some(first), sum) = (targets.first(), weights.sum::<u64>()) else { continue };
        let place = first.weight.as_ref().map_or(first.service.span, |weight| weight.span);
        if sum == 0 {
            diagnostics.push(
                Diagnostic::error(codes::ZERO_WEIGHTS, place, "the weights of this split are all zero")
                    .label("no target gets a request")
                    .help("give at least one target a positive weight"),
            );
        } else if sum > u64::from(u32::MAX) {
            diagnostics.push(
                Diagnostic::error(codes::INVALID_VALUE, place, "the weights of this split are too large")
                    .label(format!("their sum is {sum}"))
                    .help(format!("weights are relative: keep their sum at most {}", u32::MAX)),
            );
        }
    }
}

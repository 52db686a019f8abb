//! One try must not be allowed longer than the whole request: its limit would never act.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::tries::{self, Tries};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut reported = BTreeSet::new();
    for Tries { retry, whole, .. } in tries::all(mesh, tables) {
        let Some(one) = &retry.per_try_timeout else { continue };
        if whole.is_unlimited() || one.value <= whole.limit || !reported.insert((one.span, whole.place)) {
            continue;
        }
        let diagnostic =
            Diagnostic::of(codes::TIMEOUT_ORDER, one.span, "one try may take longer than the whole request")
                .label("this limit never acts")
                .help("make `per-try-timeout` shorter than `timeout`");
        diagnostics.push(match whole.place {
            Some(place) => diagnostic.related(place, "the whole request ends here"),
            None => diagnostic.help("without a `timeout`, the whole request may take 15s"),
        });
    }
}

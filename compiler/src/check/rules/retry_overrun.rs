//! When every try takes its whole time, the last one must have begun before the request ends.

use std::collections::BTreeSet;

use spec::units::format_duration;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::tries::{self, Tries};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut reported = BTreeSet::new();
    for Tries { retry, whole, .. } in tries::all(mesh, tables) {
        let Some(one) = &retry.per_try_timeout else { continue };
        // A single try that is too long is a mistake of its own.
        if whole.is_unlimited() || one.value > whole.limit {
            continue;
        }
        let before_the_last = one.value.saturating_mul(retry.attempts.value);
        if before_the_last < whole.limit || !reported.insert((retry.attempts.span, whole.place)) {
            continue;
        }
        let message = format!(
            "{} tries of {} do not fit into {}",
            u64::from(retry.attempts.value) + 1,
            format_duration(one.value),
            format_duration(whole.limit)
        );
        let diagnostic = Diagnostic::of(codes::RETRY_OVERRUN, retry.attempts.span, message)
            .label("when the tries before it hang, the last one never begins")
            .help("make `attempts` or `per-try-timeout` smaller, or `timeout` longer");
        diagnostics.push(match whole.place {
            Some(place) => diagnostic.related(place, "the whole request ends here"),
            None => diagnostic.help("without a `timeout`, the whole request may take 15s"),
        });
    }
}

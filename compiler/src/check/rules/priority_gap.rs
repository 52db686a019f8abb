//! Priorities of endpoints are counted from 0 without a gap.

use std::collections::BTreeMap;

use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for service in &mesh.services {
        let mut said: BTreeMap<u32, Span> = BTreeMap::new();
        for endpoint in &service.endpoints {
            let (priority, span) =
                endpoint.priority.as_ref().map_or((0, endpoint.address.span), |said| (said.value, said.span));
            said.entry(priority).or_insert(span);
        }
        let gap = (0..).zip(&said).find(|(expected, (priority, _))| expected != *priority);
        let Some((expected, (priority, span))) = gap else { continue };
        let message = format!("no endpoint of `{}` has priority {expected}", service.name.value);
        diagnostics.push(
            Diagnostic::error(codes::PRIORITY_GAP, *span, message)
                .label(format!("{priority} comes without {expected}"))
                .help(format!("count from 0 without a gap: write `priority={expected}` here")),
        );
    }
}

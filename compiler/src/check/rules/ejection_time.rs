//! An endpoint is left out for the base time at least, so the longest time cannot be shorter: Envoy refuses it.

use std::time::Duration;

use spec::mesh::OutlierDetection;
use spec::units::format_duration;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere::outlier_detections;

const DEFAULT_BASE: Duration = Duration::from_secs(30);

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    outlier_detections(mesh).filter_map(finding).for_each(|found| diagnostics.push(found));
}

fn finding(detection: &OutlierDetection) -> Option<Diagnostic> {
    let longest = detection.max_ejection_time?;
    let base = detection.base_ejection_time;
    let shortest = base.map_or(DEFAULT_BASE, |base| base.value);
    if longest.value >= shortest {
        return None;
    }
    let (shortest, limit) = (format_duration(shortest), format_duration(longest.value));
    let message = format!("endpoints are left out for {shortest}, and for {limit} at the longest");
    let diagnostic =
        Diagnostic::error(codes::EJECTION_TIME, longest.span, message).label("shorter than `base-ejection-time`");
    Some(match base {
        Some(base) => diagnostic.related(base.span, "they are left out for this time at first").help("make it longer"),
        None => diagnostic.help(format!("write `base-ejection-time=\"{limit}\"` too: it is 30s unless said")),
    })
}

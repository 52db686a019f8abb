//! A health check is answered, or given up, before it is time for the next one.

use std::time::Duration;

use spec::units::format_duration;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().filter_map(|service| service.health_check.as_deref());
    for health_check in mesh.defaults.health_check.iter().chain(services) {
        let (interval, timeout) = (health_check.interval.as_ref(), health_check.timeout.as_ref());
        let every = interval.map_or(DEFAULT_INTERVAL, |interval| interval.value);
        let limit = timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.value);
        let Some(span) = timeout.or(interval).map(|said| said.span).filter(|_| limit > every) else { continue };
        let (every, limit) = (format_duration(every), format_duration(limit));
        let message = format!("a check may take {limit}, and there is to be one every {every}");
        let diagnostic = Diagnostic::of(codes::HEALTH_CHECK_OVERLAP, span, message)
            .label("an endpoint that hangs is asked more seldom than one that answers");
        let diagnostic = match interval.filter(|interval| interval.span != span) {
            Some(interval) => diagnostic.related(interval.span, "the time between checks"),
            None => diagnostic,
        };
        diagnostics.push(diagnostic.help("make `timeout` shorter than `interval`"));
    }
}

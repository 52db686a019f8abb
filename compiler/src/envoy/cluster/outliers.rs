//! `OutlierDetection`: endpoints that fail requests are left out for a while.

use std::time::Duration;

use envoy::config::cluster::v3::OutlierDetection as Message;
use spec::Spanned;
use spec::mesh::OutlierDetection;

use crate::envoy::duration;

/// Only failures in a row count: Envoy would also compare endpoints by their rates of success, unless told not to.
pub(super) fn detection(declared: &OutlierDetection) -> Message {
    let enforced = number(&declared.enforcing_percent).or(Some(100));
    let gateway = number(&declared.consecutive_gateway_failure);
    let local = number(&declared.consecutive_local_origin_failure);
    Message {
        consecutive_5xx: number(&declared.consecutive_5xx),
        enforcing_consecutive_5xx: enforced,
        consecutive_gateway_failure: gateway,
        enforcing_consecutive_gateway_failure: gateway.and(enforced),
        split_external_local_origin_errors: local.is_some(),
        consecutive_local_origin_failure: local,
        enforcing_consecutive_local_origin_failure: local.and(enforced),
        enforcing_success_rate: Some(0),
        enforcing_local_origin_success_rate: local.and(Some(0)),
        interval: span(&declared.interval),
        base_ejection_time: span(&declared.base_ejection_time),
        max_ejection_time: span(&declared.max_ejection_time),
        max_ejection_percent: number(&declared.max_ejection_percent),
        // Of two endpoints 10 % is none.
        always_eject_one_host: Some(true),
        ..Default::default()
    }
}

fn number(said: &Option<Spanned<u32>>) -> Option<u32> {
    said.as_ref().map(|said| said.value)
}

fn span(said: &Option<Spanned<Duration>>) -> Option<prost_types::Duration> {
    said.as_ref().map(|said| duration(said.value))
}

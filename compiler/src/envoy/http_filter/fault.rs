//! `envoy.filters.http.fault`: Envoy's own deliberate failures.

use envoy::config::route::v3::HeaderMatcher;
use envoy::extensions::filters::common::fault::v3::{
    FaultDelay, FaultRateLimit,
    fault_delay::FaultDelaySecifier,
    fault_rate_limit::{FixedLimit, LimitType},
};
use envoy::extensions::filters::http::fault::v3::{FaultAbort, HttpFault, fault_abort::ErrorType};
use envoy::r#type::v3::{FractionalPercent, fractional_percent::DenominatorType};
use policy::HEALTH_CHECK_HEADER;
use spec::units::Percent;

use super::{HttpFilter, Rank, typed};
use crate::checked::Fault;
use crate::envoy::duration;
use crate::envoy::route::{header_is_there, header_matcher};

/// The filter where nothing fails; virtual hosts say what does.
pub(crate) fn sound() -> HttpFilter {
    let nothing = HttpFault { disable_downstream_cluster_stats: true, ..Default::default() };
    typed(Rank::Fault, "envoy.filters.http.fault", &nothing)
}

/// The whole of a fault. No header of a caller changes what it does.
pub(crate) fn native(fault: &Fault, spares_health_checks: bool) -> HttpFault {
    // All conditions must hold: the mesh's own checks are no fault's business, whatever their path.
    let spared = HeaderMatcher { invert_match: true, ..header_is_there(HEALTH_CHECK_HEADER) };
    let headers = fault.headers.iter().map(header_matcher).chain(spares_health_checks.then_some(spared));
    HttpFault {
        delay: fault.delay.map(|(time, percent)| FaultDelay {
            percentage: Some(share(percent)),
            fault_delay_secifier: Some(FaultDelaySecifier::FixedDelay(duration(time))),
        }),
        abort: abort(fault),
        headers: headers.collect(),
        max_active_faults: fault.max_active,
        response_rate_limit: fault.response_rate_limit.map(|(kib, percent)| FaultRateLimit {
            percentage: Some(share(percent)),
            limit_type: Some(LimitType::FixedLimit(FixedLimit { limit_kbps: u64::from(kib) })),
        }),
        // They would be called after a header that callers choose.
        disable_downstream_cluster_stats: true,
        ..Default::default()
    }
}

fn abort(fault: &Fault) -> Option<FaultAbort> {
    let http = fault.abort.map(|(status, percent)| (ErrorType::HttpStatus(u32::from(status)), percent));
    let grpc = fault.grpc_abort.map(|(status, percent)| (ErrorType::GrpcStatus(status), percent));
    let (error, percent) = http.or(grpc)?;
    Some(FaultAbort { percentage: Some(share(percent)), error_type: Some(error), ..Default::default() })
}

/// Exact to one in a million.
pub(crate) fn share(percent: Percent) -> FractionalPercent {
    FractionalPercent { numerator: percent.per_million(), denominator: DenominatorType::Million.into() }
}

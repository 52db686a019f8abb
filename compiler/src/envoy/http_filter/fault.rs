//! `envoy.filters.http.fault`: Envoy's own deliberate failures.

use envoy::extensions::filters::common::fault::v3::{
    FaultDelay, FaultRateLimit,
    fault_delay::FaultDelaySecifier,
    fault_rate_limit::{FixedLimit, LimitType},
};
use envoy::extensions::filters::http::fault::v3::{FaultAbort, HttpFault, fault_abort::ErrorType};
use envoy::r#type::v3::{FractionalPercent, fractional_percent::DenominatorType};
use spec::mesh::Fault;
use spec::units::Percent;

use super::{HttpFilter, Rank, typed};
use crate::envoy::duration;
use crate::envoy::route::header_matcher;

/// The filter where nothing fails; virtual hosts say what does.
pub(crate) fn sound() -> HttpFilter {
    let nothing = HttpFault { disable_downstream_cluster_stats: true, ..Default::default() };
    typed(Rank::Fault, "envoy.filters.http.fault", &nothing)
}

/// The whole of a fault. No header of a caller changes what it does.
pub(crate) fn whole(fault: &Fault) -> HttpFault {
    HttpFault {
        delay: fault.delay.as_ref().map(|delay| FaultDelay {
            percentage: Some(share(delay.percent.value)),
            fault_delay_secifier: Some(FaultDelaySecifier::FixedDelay(duration(delay.duration.value))),
        }),
        abort: abort(fault),
        response_rate_limit: response_rate_limit(fault),
        ..conditions(fault)
    }
}

/// What Envoy's filter does beside ours: a wasm filter can hold a body back, and cannot let a part of it go.
pub(crate) fn slow(fault: &Fault) -> Option<HttpFault> {
    Some(HttpFault { response_rate_limit: Some(response_rate_limit(fault)?), ..conditions(fault) })
}

fn conditions(fault: &Fault) -> HttpFault {
    HttpFault {
        headers: fault.headers.iter().map(header_matcher).collect(),
        max_active_faults: fault.max_active.map(|most| most.value),
        // They would be called after a header that callers choose.
        disable_downstream_cluster_stats: true,
        ..Default::default()
    }
}

fn response_rate_limit(fault: &Fault) -> Option<FaultRateLimit> {
    fault.response_rate_limit.as_ref().map(|limit| FaultRateLimit {
        percentage: Some(share(limit.percent.value)),
        limit_type: Some(LimitType::FixedLimit(FixedLimit { limit_kbps: u64::from(limit.kib_per_second.value) })),
    })
}

fn abort(fault: &Fault) -> Option<FaultAbort> {
    let http = fault.abort.as_ref();
    let http = http.map(|it| (ErrorType::HttpStatus(u32::from(it.status.value)), it.percent.value));
    let grpc = fault.grpc_abort.as_ref().map(|it| (ErrorType::GrpcStatus(it.status.value), it.percent.value));
    let (error, percent) = http.or(grpc)?;
    Some(FaultAbort { percentage: Some(share(percent)), error_type: Some(error), ..Default::default() })
}

/// Exact to one in a million.
pub(crate) fn share(percent: Percent) -> FractionalPercent {
    FractionalPercent { numerator: percent.per_million(), denominator: DenominatorType::Million.into() }
}

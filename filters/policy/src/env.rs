//! What a policy needs of the world around it.

use alloc::vec::Vec;

/// Clocks, chance, counters, and what all workers of one Envoy share.
pub trait Env {
    /// A uniformly distributed number. Called once for each decision by chance, and never where the chance is none or
    /// certainty.
    fn random(&mut self) -> u64;

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    fn unix_nanos(&mut self) -> u64;

    /// Nanoseconds of a clock that never goes back.
    fn monotonic_nanos(&mut self) -> u64;

    /// Told once for each thing worth counting.
    fn count(&mut self, counter: Counter);

    /// How many requests the filter holds back, on all workers.
    fn held(&mut self) -> u64;

    /// What any worker has stored under the key.
    fn shared(&mut self, key: &[u8]) -> Option<Shared>;

    /// Stores a value for all workers, unless another one has since `version` was read; 0 is a new key. Whether it did.
    fn share(&mut self, key: &[u8], value: &[u8], version: u32) -> bool;
}

/// A value that all workers share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The bytes.
    pub value: Vec<u8>,
    /// For [`Env::share`].
    pub version: u32,
}

/// Something operators want to see a rate of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// A request was answered with 401 or 403.
    ApiKeyDenied,
    /// A request was answered with 400, 401, 403 or 503.
    BasicAuthDenied,
    /// A password was checked against a slow hash.
    BasicAuthSlowChecks,
    /// A request was answered with 429, because too many wrong passwords had come.
    BasicAuthThrottled,
    /// A request was answered with the configured fault.
    FaultAborts,
    /// A request was held back.
    FaultDelays,
    /// A request was spared because so many were held back already.
    FaultOverflows,
    /// A request was sent to a route chosen by its headers.
    HeaderRoutingRouted,
    /// The value of a header could not be made of the request.
    HeadersUnfilled,
    /// A request was answered in place of its service.
    MaintenanceAnswered,
    /// A request passed although its service is being worked on.
    MaintenancePassed,
    /// A request kept its id.
    RequestIdKept,
    /// A request got a new id.
    RequestIdReplaced,
    /// A request would have been, were the rule not a dry run.
    HeaderRoutingDryRun,
    /// A rule was passed over because something that it asks for is repeated.
    HeaderRoutingUndecided,
    /// A request was answered with 401 or 403.
    HmacSignatureDenied,
    /// A request was answered with 503, because there was no room to remember its signature.
    HmacSignatureUnremembered,
    /// A client was refused for its address, or would have been.
    IpAccessDenied,
    /// A request was refused because there were too many, or would have been.
    RateLimitLimited,
}

impl Counter {
    /// The name of the counter among Envoy's statistics.
    pub fn name(self) -> &'static str {
        match self {
            Counter::ApiKeyDenied => "meshwright_api_key_denied",
            Counter::BasicAuthDenied => "meshwright_basic_auth_denied",
            Counter::BasicAuthSlowChecks => "meshwright_basic_auth_slow_checks",
            Counter::BasicAuthThrottled => "meshwright_basic_auth_throttled",
            Counter::FaultAborts => "meshwright_fault_aborts",
            Counter::FaultDelays => "meshwright_fault_delays",
            Counter::FaultOverflows => "meshwright_fault_overflows",
            Counter::HeaderRoutingRouted => "meshwright_header_routing_routed",
            Counter::HeadersUnfilled => "meshwright_headers_unfilled",
            Counter::MaintenanceAnswered => "meshwright_maintenance_answered",
            Counter::MaintenancePassed => "meshwright_maintenance_passed",
            Counter::RequestIdKept => "meshwright_request_id_kept",
            Counter::RequestIdReplaced => "meshwright_request_id_replaced",
            Counter::HeaderRoutingDryRun => "meshwright_header_routing_dry_run",
            Counter::HeaderRoutingUndecided => "meshwright_header_routing_undecided",
            Counter::HmacSignatureDenied => "meshwright_hmac_signature_denied",
            Counter::HmacSignatureUnremembered => "meshwright_hmac_signature_unremembered",
            Counter::IpAccessDenied => "meshwright_ip_access_denied",
            Counter::RateLimitLimited => "meshwright_rate_limit_limited",
        }
    }
}

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
    BasicAuthDenied,
    /// A request was answered with the configured fault.
    FaultAborts,
    /// A request was held back.
    FaultDelays,
    /// A request was spared because so many were held back already.
    FaultOverflows,
    /// A request was sent to a route chosen by its headers.
    HeaderRoutingRouted,
    /// A request would have been, were the rule not a dry run.
    HeaderRoutingDryRun,
    /// A rule was passed over because something that it asks for is repeated.
    HeaderRoutingUndecided,
    /// A client was refused for its address, or would have been.
    IpAccessDenied,
    /// A request was refused because there were too many, or would have been.
    RateLimitLimited,
}

impl Counter {
    /// The name of the counter among Envoy's statistics.
    pub fn name(self) -> &'static str {
        match self {
            Counter::BasicAuthDenied => "meshwright_basic_auth_denied",
            Counter::FaultAborts => "meshwright_fault_aborts",
            Counter::FaultDelays => "meshwright_fault_delays",
            Counter::FaultOverflows => "meshwright_fault_overflows",
            Counter::HeaderRoutingRouted => "meshwright_header_routing_routed",
            Counter::HeaderRoutingDryRun => "meshwright_header_routing_dry_run",
            Counter::HeaderRoutingUndecided => "meshwright_header_routing_undecided",
            Counter::IpAccessDenied => "meshwright_ip_access_denied",
            Counter::RateLimitLimited => "meshwright_rate_limit_limited",
        }
    }
}

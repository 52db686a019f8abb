//! Everything annotations can say of one thing, before it becomes part of the model.

use std::time::Duration;

use spec::Spanned;
use spec::mesh::{CircuitBreaker, HeaderRouting, HealthCheck};
use spec::units::Percent;

/// What was said of one service, of one service on one node, or of one endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) health_check: HealthCheck,
    pub(crate) circuit_breaker: CircuitBreaker,
    pub(crate) timeout: Option<Spanned<Duration>>,
    pub(crate) weight: Option<Spanned<u32>>,
    pub(crate) fault: FaultSettings,
    pub(crate) retry: RetrySettings,
    pub(crate) basic_auth: BasicAuthSettings,
    pub(crate) header_routing: Option<Spanned<HeaderRouting>>,
}

/// A fault in pieces: it takes effect when `inject` is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultSettings {
    pub(crate) inject: Option<Spanned<()>>,
    pub(crate) delay_percent: Option<Spanned<Percent>>,
    pub(crate) delay_duration: Option<Spanned<Duration>>,
    pub(crate) abort_percent: Option<Spanned<Percent>>,
    pub(crate) abort_code: Option<Spanned<u16>>,
}

/// Retries in pieces: either one turns them on.
#[derive(Clone, Debug, Default)]
pub(crate) struct RetrySettings {
    pub(crate) enable: Option<Spanned<()>>,
    pub(crate) attempts: Option<Spanned<u32>>,
}

/// Basic authentication in pieces: it takes effect when the file is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct BasicAuthSettings {
    pub(crate) htpasswd_file: Option<Spanned<String>>,
    pub(crate) realm: Option<Spanned<String>>,
}

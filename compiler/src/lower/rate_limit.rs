//! How many requests are accepted.

use spec::mesh::RateLimit;

use super::policies::{Chain, Policies};
use super::scope::Scope;
use crate::envoy::http_filter::FilterOverrides;

/// A bucket for each limit.
pub(super) fn lower(_scope: &Scope<'_>, _policies: &Policies<'_>, _chain: &mut Chain) {}

/// What a route says of the filters of its limits.
pub(super) fn of_route(_scope: &Scope<'_>, _limits: &[&RateLimit]) -> FilterOverrides {
    FilterOverrides::new()
}

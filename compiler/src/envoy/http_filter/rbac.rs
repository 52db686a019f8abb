//! `envoy.filters.http.rbac`: who may pass; and, only told to other filters, of which requests something is true.

use envoy::config::rbac::v3::Rbac as Rules;
use envoy::extensions::filters::http::rbac::v3::Rbac;
use envoy::extensions::filters::network::rbac::v3::Rbac as NetworkRbac;

use super::{HttpFilter, Rank, typed};
use crate::envoy::names;

/// Answers 403 to whom the rules do not let pass.
pub(crate) fn rbac(owner: &str, rules: Rules) -> HttpFilter {
    let config = Rbac { rules: Some(rules), ..Default::default() };
    typed(Rank::Authorization, names::filter("rbac", owner), &config)
}

/// The same before anything else is asked of requests.
pub(crate) fn ip_access(owner: &str, rules: Rules) -> HttpFilter {
    let config = Rbac { rules: Some(rules), ..Default::default() };
    typed(Rank::IpAccess, names::filter("rbac_ip_access", owner), &config)
}

/// Refuses nobody: notes in metadata below `envoy.filters.http.rbac` whether the rules would.
pub(crate) fn noted(owner: &str, note: &str, rules: Rules) -> HttpFilter {
    let config = Rbac { shadow_rules: Some(rules), shadow_rules_stat_prefix: note.to_owned(), ..Default::default() };
    typed(Rank::Noted, names::filter("rbac_noted", owner), &config)
}

/// Closes connections of whom the rules do not let pass.
pub(crate) fn network(rules: Rules) -> envoy::config::listener::v3::Filter {
    let config = NetworkRbac { rules: Some(rules), stat_prefix: "tcp.".to_owned(), ..Default::default() };
    crate::envoy::listener::network("envoy.filters.network.rbac", &config)
}

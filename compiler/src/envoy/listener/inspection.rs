//! How much of a connection a listener looks at before it chooses a chain: as little as its chains ask for.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy::config::listener::v3::{
    FilterChainMatch, ListenerFilter, ListenerFilterChainMatchPredicate, listener_filter,
    listener_filter_chain_match_predicate::{MatchSet, Rule},
};
use envoy::extensions::filters::listener::http_inspector::v3::HttpInspector;
use envoy::extensions::filters::listener::original_dst::v3::OriginalDst;
use envoy::r#type::v3::Int32Range;

use super::super::tls;
use super::{Chain, Serves, Side};

/// How long a listener waits for the first bytes of a caller before it takes it for one that listens first.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Inspection {
    pub(super) filters: Vec<ListenerFilter>,
    /// Then a connection that said nothing goes on as one that is not encrypted.
    pub(super) timeout: Option<Duration>,
}

/// What the listener of these chains needs.
pub(super) fn of(chains: &[Chain], side: Side) -> Inspection {
    let mut filters = Vec::new();
    if matches!(side, Side::InterceptedInbound | Side::InterceptedOutbound) {
        filters.push(filter("envoy.filters.listener.original_dst", &OriginalDst {}));
    }
    let silent = || ports_left_alone(chains);
    let for_tls = chains.iter().any(|chain| asks_for_tls(&chain.when));
    let for_http = chains.iter().any(|chain| !chain.when.application_protocols.is_empty());
    if for_tls || for_http {
        filters.push(ListenerFilter { filter_disabled: silent(), ..tls::inspector() });
    }
    if for_http {
        let inspector = filter("envoy.filters.listener.http_inspector", &HttpInspector {});
        filters.push(ListenerFilter { filter_disabled: silent(), ..inspector });
    }
    let listens_first =
        |chain: &Chain| matches!(chain.serves, Serves::Tcp(_)) && chain.when.transport_protocol != "tls";
    let waits = (for_tls || for_http) && chains.iter().any(listens_first);
    Inspection { filters, timeout: waits.then_some(PATIENCE) }
}

fn asks_for_tls(when: &FilterChainMatch) -> bool {
    !when.transport_protocol.is_empty() || !when.server_names.is_empty()
}

/// Ports whose chains ask for nothing: a server that speaks first is not kept waiting there.
fn ports_left_alone(chains: &[Chain]) -> Option<ListenerFilterChainMatchPredicate> {
    let mut ports: BTreeMap<u32, bool> = BTreeMap::new();
    for when in chains.iter().map(|chain| &chain.when) {
        let Some(port) = when.destination_port else { continue };
        *ports.entry(port).or_default() |= asks_for_tls(when) || !when.application_protocols.is_empty();
    }
    let mut rules: Vec<ListenerFilterChainMatchPredicate> =
        ports.into_iter().filter(|(_, asks)| !asks).map(|(port, _)| at(port)).collect();
    match rules.len() {
        0 | 1 => rules.pop(),
        _ => Some(ListenerFilterChainMatchPredicate { rule: Some(Rule::OrMatch(MatchSet { rules })) }),
    }
}

fn at(port: u32) -> ListenerFilterChainMatchPredicate {
    let start = i32::try_from(port).unwrap_or(i32::MAX);
    let range = Int32Range { start, end: start.saturating_add(1) };
    ListenerFilterChainMatchPredicate { rule: Some(Rule::DestinationPortRange(range)) }
}

fn filter<M: prost::Name>(name: &str, config: &M) -> ListenerFilter {
    let config_type = Some(listener_filter::ConfigType::TypedConfig(envoy::any(config)));
    ListenerFilter { name: name.to_owned(), config_type, ..Default::default() }
}

//! Rules about meaning. One file each; a new rule is a new file and a line here.

mod backoff_order;
mod blind_failover;
mod condition_size;
mod cors_credentials;
mod double_rewrite;
mod duplicate_definition;
mod duplicate_endpoint;
mod duplicate_host;
mod egress_hosts;
mod ejection_time;
mod empty_block;
mod empty_subset;
mod engine_ability;
mod engine_mismatch;
pub(super) mod everywhere;
mod fail_open;
mod failover_to_self;
mod fault_values;
mod forbidden_address;
mod format_string;
mod hash_without_key;
mod health_check_overlap;
mod idle_node;
mod indistinct_tcp;
mod insecure_keys;
mod invalid_overlay;
mod local_port_conflict;
mod locality_unknown;
mod maintenance;
mod many_methods;
mod mirror_to_self;
mod missing_certificate;
mod mixed_discovery;
mod mixed_protocols;
mod no_endpoints;
mod open_authorization;
mod open_egress;
mod order;
mod outlier_without_choice;
mod own_answers;
mod password_rules;
mod path_overlap;
mod permissive_tls;
mod plaintext_credentials;
mod port_conflict;
mod priority_gap;
mod priority_tie;
mod protocol_mismatch;
mod protocols;
mod providers;
mod proxyless;
mod rate_limit_keys;
mod rate_limit_status;
mod redirect_loop;
mod regex;
mod replayed_retry;
mod reserved_header;
mod reserved_name;
mod retry_overrun;
mod retry_storm;
mod retry_vocabulary;
mod retry_without_limit;
mod rewrite_then_regex;
mod rewrite_without_prefix;
mod route_budget;
mod routing_engine;
mod secret_in_text;
mod shadowed_access_rule;
mod shadowed_host;
mod shared_sni;
mod sticky_failover;
mod subsets;
mod tcp_needs_port;
mod telemetry_address;
mod template;
mod timeout_chain;
mod timeout_order;
mod tls_mismatch;
mod tls_versions;
mod total_fault;
mod tracing_address;
mod tries;
mod unexplained_overlay;
mod unknown_filter;
mod unknown_host;
mod unknown_provider;
mod unknown_reference;
mod unknown_subset;
mod unproven_caller;
mod unreachable_route;
mod unreachable_service;
mod unsafe_retry;
mod unused_definition;
mod unverified_peer;
mod visitor_cookie;
mod wasm_digest;
mod without_effect;
mod zero_limit;
mod zero_weights;

use spec::mesh::{Route, RouteMatch, Target};
use spec::{Diagnostics, Mesh};

use super::tables::Tables;

/// Whether one certainly takes every request of the other.
pub(super) fn covers(one: &RouteMatch, other: &RouteMatch) -> bool {
    path_overlap::covers(one, other)
}

pub(super) fn named_subsets(mesh: &Mesh) -> impl Iterator<Item = (&spec::Name, &spec::Spanned<String>)> {
    subsets::named(mesh).map(|it| (it.service, it.subset))
}

type Rule = fn(&Mesh, &Tables, &mut Diagnostics);

const RULES: &[Rule] = &[
    blind_failover::check,
    backoff_order::check,
    condition_size::check,
    cors_credentials::check,
    double_rewrite::check,
    duplicate_definition::check,
    duplicate_endpoint::check,
    duplicate_host::check,
    egress_hosts::check,
    ejection_time::check,
    empty_block::check,
    empty_subset::check,
    engine_ability::check,
    engine_mismatch::check,
    fail_open::check,
    failover_to_self::check,
    fault_values::check,
    forbidden_address::check,
    format_string::check,
    hash_without_key::check,
    health_check_overlap::check,
    idle_node::check,
    indistinct_tcp::check,
    insecure_keys::check,
    invalid_overlay::check,
    local_port_conflict::check,
    locality_unknown::check,
    maintenance::check,
    many_methods::check,
    mirror_to_self::check,
    missing_certificate::check,
    mixed_discovery::check,
    mixed_protocols::check,
    no_endpoints::check,
    open_authorization::check,
    open_egress::check,
    outlier_without_choice::check,
    own_answers::check,
    password_rules::check,
    permissive_tls::check,
    plaintext_credentials::check,
    port_conflict::check,
    priority_gap::check,
    priority_tie::check,
    protocol_mismatch::check,
    proxyless::check,
    rate_limit_keys::check,
    rate_limit_status::check,
    redirect_loop::check,
    regex::check,
    reserved_header::check,
    reserved_name::check,
    retry_overrun::check,
    retry_storm::check,
    retry_vocabulary::check,
    retry_without_limit::check,
    rewrite_then_regex::check,
    rewrite_without_prefix::check,
    route_budget::check,
    routing_engine::check,
    secret_in_text::check,
    shadowed_access_rule::check,
    shadowed_host::check,
    shared_sni::check,
    sticky_failover::check,
    tcp_needs_port::check,
    template::check,
    timeout_chain::check,
    timeout_order::check,
    telemetry_address::check,
    tls_mismatch::check,
    tls_versions::check,
    total_fault::check,
    tracing_address::check,
    unexplained_overlay::check,
    unknown_filter::check,
    unknown_host::check,
    unknown_provider::check,
    unknown_reference::check,
    unknown_subset::check,
    unproven_caller::check,
    unreachable_route::check,
    unreachable_service::check,
    replayed_retry::check,
    unsafe_retry::check,
    unused_definition::check,
    unverified_peer::check,
    visitor_cookie::check,
    wasm_digest::check,
    without_effect::check,
    zero_limit::check,
    zero_weights::check,
];

pub(super) fn run(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for rule in RULES {
        rule(mesh, tables, diagnostics);
    }
}

/// Every list of routes that Envoy tries in order.
fn route_tables(mesh: &Mesh) -> impl Iterator<Item = &[Route]> {
    let services = mesh.services.iter().map(|service| service.routes.as_slice());
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).map(|host| host.routes.as_slice());
    services.chain(hosts)
}

/// Every list of targets that share requests.
fn splits(mesh: &Mesh) -> impl Iterator<Item = &[Target]> {
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).map(|host| host.targets.as_slice());
    let listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen);
    let routing = mesh.services.iter().filter_map(|service| service.header_routing.as_ref());
    let rules = routing.flat_map(|routing| &routing.rules).map(|rule| rule.to.as_slice());
    let of_routes = routes(mesh).map(Route::targets);
    of_routes.chain(hosts).chain(listeners.map(|listener| listener.targets.as_slice())).chain(rules)
}

/// Every target of every split.
fn targets(mesh: &Mesh) -> impl Iterator<Item = &Target> {
    splits(mesh).flatten()
}

fn routes(mesh: &Mesh) -> impl Iterator<Item = &Route> {
    route_tables(mesh).flatten()
}

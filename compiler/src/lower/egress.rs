//! What may be reached outside the mesh.
//!
//! Only by nodes: a gateway that went wherever its callers say would be an open proxy.

mod forbidden;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::envoy::config::route::v3::Route;
use spec::mesh::{Egress, EgressPolicy, HostPort, PathMatch};

use super::Parts;
use super::scope::Scope;
use crate::envoy::egress::{Forbidden, Travel, host, original_destination, tunnel};
use crate::envoy::http_filter::{FilterOverrides, HttpFilter, enabled};
use crate::envoy::route::{ClusterShare, Host, ToClusters, refuse_several_hosts, route};
use crate::envoy::{forward_proxy, names};

/// The usual port of HTTPS.
const HTTPS: u16 = 443;
/// The usual port of HTTP.
const HTTP: u16 = 80;

/// What a route table and its listener need for hosts outside the mesh.
#[derive(Default)]
pub(super) struct Reachable {
    pub hosts: Vec<Host>,
    pub filters: Vec<HttpFilter>,
}

/// A host and port that the mesh lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    /// In lower case; with `*.` before it, every name below.
    pub name: String,
    pub port: u16,
    /// Whether this is the port that is meant when a request names none.
    first: bool,
    originate_tls: bool,
}

/// For applications that use their sidecar as a proxy.
pub(super) fn explicit(scope: &Scope<'_>, parts: &mut Parts) -> Reachable {
    match policy(scope) {
        Some(EgressPolicy::Listed) => reachable(scope, parts),
        Some(EgressPolicy::AllowAll) => {
            parts.cluster(Arc::new(forward_proxy::anywhere(Travel::AsTheyCame, &forbidden::to(scope))));
            let routes = vec![tunnel(names::EGRESS_ANYWHERE), everything(names::EGRESS_ANYWHERE, None)];
            let host = Host::new("*".to_owned(), vec!["*".to_owned()], routes);
            Reachable { hosts: vec![resolved(host)], filters: vec![forward_proxy::filter()] }
        }
        Some(EgressPolicy::None) | None => Reachable::default(),
    }
}

/// For applications whose connections are taken: what is not listed goes where it was going, or nowhere.
pub(super) fn intercepted(scope: &Scope<'_>, parts: &mut Parts) -> Reachable {
    match policy(scope) {
        Some(EgressPolicy::Listed) => reachable(scope, parts),
        Some(EgressPolicy::AllowAll) => {
            parts.cluster(Arc::new(original_destination(&forbidden::to(scope))));
            let routes = vec![everything(names::EGRESS_ORIGINAL, None)];
            Reachable { hosts: vec![Host::new("*".to_owned(), vec!["*".to_owned()], routes)], filters: Vec::new() }
        }
        Some(EgressPolicy::None) | None => Reachable::default(),
    }
}

/// What this node may reach; `None`: nothing was said.
pub(super) fn policy(scope: &Scope<'_>) -> Option<EgressPolicy> {
    said(scope).map(|egress| egress.policy.value)
}

/// The listed hosts that applications may reach in TLS of their own.
pub(super) fn listed(scope: &Scope<'_>) -> Vec<Listed> {
    let mut listed: BTreeMap<(String, u16), Listed> = BTreeMap::new();
    let hosts = said(scope).filter(|egress| egress.policy.value == EgressPolicy::Listed);
    for host in hosts.iter().flat_map(|egress| &egress.hosts) {
        let name = host.name.value.to_ascii_lowercase();
        let originate_tls = host.originate_tls.as_ref().is_some_and(|said| said.value);
        let ports: Vec<u16> = match host.ports.is_empty() {
            true => vec![HTTPS],
            false => host.ports.iter().map(|port| port.value).collect(),
        };
        for (index, port) in ports.into_iter().enumerate() {
            let entry = Listed { name: name.clone(), port, first: index == 0, originate_tls };
            listed.entry((name.clone(), port)).or_insert(entry);
        }
    }
    listed.into_values().collect()
}

/// What callers must not reach by way of this sidecar.
pub(super) fn forbidden(scope: &Scope<'_>) -> Forbidden {
    forbidden::to(scope)
}

fn said<'a>(scope: &Scope<'a>) -> Option<&'a Egress> {
    scope.at().egress.as_ref().filter(|_| scope.gateway().is_none())
}

fn reachable(scope: &Scope<'_>, parts: &mut Parts) -> Reachable {
    let listed = listed(scope);
    let wildcards = listed.iter().any(|it| it.name.starts_with("*."));
    let filters = if wildcards { vec![forward_proxy::filter()] } else { Vec::new() };
    Reachable { hosts: listed.iter().map(|listed| virtual_host(scope, listed, parts)).collect(), filters }
}

fn virtual_host(scope: &Scope<'_>, listed: &Listed, parts: &mut Parts) -> Host {
    let Listed { name, port, originate_tls, .. } = listed;
    let plain = towards(scope, listed, Travel::AsTheyCame, parts);
    let is_wildcard = name.starts_with("*.");
    // A port that a request does not name is the scheme's; with TLS of ours, the host's first.
    let usual = match (*originate_tls, is_wildcard) {
        (true, true) => *port == HTTPS,
        (true, false) => listed.first,
        (false, _) => *port == HTTP,
    };
    let with_port = format!("{name}:{port}");
    let mut domains = vec![with_port.clone()];
    if usual {
        domains.push(name.clone());
    }
    let encrypted = originate_tls.then(|| towards(scope, listed, Travel::Encrypted, parts));
    let renamed = (*originate_tls && !is_wildcard).then(|| match *port {
        HTTPS => name.clone(),
        _ => with_port.clone(),
    });
    let mut routes = vec![tunnel(&plain), everything(encrypted.as_ref().unwrap_or(&plain), renamed)];
    if is_wildcard {
        routes.insert(0, refuse_several_hosts());
    }
    let host = Host::new(with_port, domains, routes);
    if is_wildcard { resolved(host) } else { host }
}

fn towards(scope: &Scope<'_>, listed: &Listed, travel: Travel, parts: &mut Parts) -> String {
    let Listed { name, port, .. } = listed;
    let forbidden = forbidden::to(scope);
    if name.starts_with("*.") {
        let cluster = forward_proxy::anywhere(travel, &forbidden);
        let name = cluster.name.clone();
        parts.cluster(Arc::new(cluster));
        return name;
    }
    let cluster_name = match travel {
        Travel::AsTheyCame => names::egress_cluster(name, *port),
        Travel::Encrypted => names::encrypted_egress_cluster(name, *port),
    };
    let at = HostPort { host: name.clone(), port: *port };
    parts.cluster(Arc::new(host(cluster_name.clone(), &at, travel, &forbidden)));
    cluster_name
}

/// Every request, for as long as the application waits.
fn everything(cluster: &str, renamed: Option<String>) -> Route {
    let share = ClusterShare { rewrite_host: renamed, ..ClusterShare::new(cluster) };
    let action = ToClusters { clusters: vec![share], timeout: None, retry: None };
    route(&PathMatch::Prefix("/".to_owned()), Vec::new(), action)
}

/// A virtual host whose requests say by their `Host` where they go.
fn resolved(host: Host) -> Host {
    let mut overrides = FilterOverrides::new();
    overrides.insert(forward_proxy::FILTER.to_owned(), enabled());
    Host { overrides, ..host }
}

//! The user's own changes to what was lowered.

use spec::Span;
use spec::mesh::OverlayTarget;

use super::scope::Scope;
use super::{NodeConfig, Shared, without_overlays};
use crate::WasmModule;
use crate::checked::{CheckedMesh, Overlay, Proxy, Service};
use crate::envoy::{names, overlay as envoy};

/// Merges every overlay that holds here, in the order: mesh, proxy, service. Those that cannot be merged were refused
/// by the check.
pub(super) fn apply(scope: &Scope<'_>, config: &mut NodeConfig) {
    each(scope, config, &mut |_, _| ());
}

/// What is wrong with overlays: where they are said, and why.
pub(crate) fn problems(mesh: &CheckedMesh) -> Vec<(Span, String)> {
    let of_services = mesh.services().any(|(_, service)| !service.overlays.is_empty());
    let has = |proxy: &Proxy| of_services || !mesh.situation(*proxy).overlays.is_empty();
    let proxies: Vec<Proxy> = mesh.proxies().filter(has).collect();
    let module = WasmModule { sha256: String::new(), folder: String::new() };
    let shared = Shared::default();
    let mut problems: Vec<(Span, String)> = Vec::new();
    let mut named: Vec<(Span, String, bool)> = Vec::new();
    for proxy in proxies {
        let scope = Scope::new(mesh, &module, proxy, &shared);
        let mut config = without_overlays(&scope);
        each(&scope, &mut config, &mut |overlay, result| match result {
            Err(reason) if problems.iter().all(|(span, _)| *span != overlay.span) => {
                problems.push((overlay.span, reason));
            }
            Ok(changed) => {
                if let Some(name) = &overlay.name {
                    match named.iter_mut().find(|(span, ..)| *span == overlay.span) {
                        Some((_, _, found)) => *found |= changed > 0,
                        None => named.push((overlay.span, name.clone(), changed > 0)),
                    }
                }
            }
            Err(_) => {}
        });
    }
    let nowhere = named.into_iter().filter(|(.., found)| !found);
    problems.extend(nowhere.map(|(span, name, _)| (span, format!("nothing of this kind is called `{name}`"))));
    problems
}

/// Merges each, and tells how many resources it changed, or why it cannot be merged.
fn each(scope: &Scope<'_>, config: &mut NodeConfig, told: &mut dyn FnMut(&Overlay, Result<usize, String>)) {
    for overlay in &scope.at().overlays {
        let chosen = |name: &str| overlay.name.as_ref().is_none_or(|said| said == name);
        told(overlay, change(overlay, &chosen, config));
    }
    for id in scope.shared.overlaid(scope.mesh) {
        let service = scope.mesh.service(*id);
        for overlay in &service.overlays {
            if overlay.target != OverlayTarget::Cluster {
                told(overlay, Err("a service has clusters, and nothing else that can be changed".to_owned()));
                continue;
            }
            let chosen = |name: &str| {
                overlay.name.as_ref().is_none_or(|said| said == name) && is_cluster_of(scope.mesh, service, name)
            };
            told(overlay, change(overlay, &chosen, config));
        }
    }
}

fn change(overlay: &Overlay, chosen: &dyn Fn(&str) -> bool, config: &mut NodeConfig) -> Result<usize, String> {
    let json = &overlay.json;
    match overlay.target {
        OverlayTarget::Bootstrap => envoy::bootstrap(&mut config.bootstrap, json).map(|()| 1),
        OverlayTarget::Listener => envoy::listeners(&mut config.listeners, chosen, json),
        OverlayTarget::HttpConnectionManager => envoy::connection_managers(&mut config.listeners, chosen, json),
        OverlayTarget::RouteConfiguration => envoy::routes(&mut config.routes, chosen, json),
        OverlayTarget::Cluster => envoy::clusters(&mut config.clusters, &mut config.bootstrap, chosen, json),
    }
}

/// Towards a service or a subset of it, but for services whose name begins so.
fn is_cluster_of(mesh: &CheckedMesh, service: &Service, name: &str) -> bool {
    let own = names::cluster(service);
    name == own
        || name.strip_prefix(&own).is_some_and(|rest| rest.starts_with('/'))
            && !mesh.services().any(|(_, other)| names::cluster(other) == name)
}

//! HTTP filters that a control plane serves by themselves.

use std::collections::BTreeMap;

use envoy::config::core::v3::TypedExtensionConfig;
use envoy::config::listener::v3::{Listener, filter};
use envoy::extensions::filters::network::http_connection_manager::v3::{HttpConnectionManager, http_filter};
use meshwright_compiler::snapshot::{ResourceKind, Snapshot};
use meshwright_compiler::{CheckedMesh, check};
use prost::Message;
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use crate::golden::module;

#[track_caller]
pub(crate) fn checked(body: &str) -> CheckedMesh {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.kdl", format!("mesh \"m\" {{\n{body}\n}}")));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics).unwrap();
    check(&mesh, &sources, &mut diagnostics)
        .unwrap_or_else(|| panic!("{}", spec::render(&diagnostics, &sources, spec::Color::Plain)))
}

#[track_caller]
fn snapshot(body: &str) -> Snapshot {
    Snapshot::of(&checked(body), &module())
}

/// The types of which a proxy is told something else.
fn changed(before: &Snapshot, after: &Snapshot, proxy: &str) -> Vec<ResourceKind> {
    let differs = |kind: &ResourceKind| before.version(proxy, *kind) != after.version(proxy, *kind);
    ResourceKind::ALL.into_iter().filter(differs).collect()
}

const SHOP: &str = "service \"beta.svc\" { endpoint \"10.0.0.1:80\"; FAULT }\n\
                    node \"beta\" serves=\"beta.svc\" calls=\"beta.svc\"\n";

#[test]
fn a_faults_share_changes_one_filter_and_no_listener() {
    let with = |percent: u32| {
        snapshot(&SHOP.replace("FAULT", &format!("fault engine=\"wasm\" {{ delay \"50ms\" percent={percent} }}")))
    };
    let (before, after) = (with(10), with(20));
    assert_eq!(changed(&before, &after, "beta"), [ResourceKind::Extension]);
    let names = |snapshot: &Snapshot| -> BTreeMap<String, String> {
        let resources = snapshot.resources("beta").filter(|it| it.kind == ResourceKind::Extension);
        resources.map(|it| (it.name.clone(), it.version.clone())).collect()
    };
    let (before, after) = (names(&before), names(&after));
    assert!(before.keys().eq(after.keys()));
    let other: Vec<_> = before.iter().filter(|(name, version)| after[*name] != **version).collect();
    assert_eq!(other.len(), 1, "{before:?} {after:?}");
}

#[test]
fn a_native_faults_share_changes_no_listener() {
    let with = |percent: u32| {
        snapshot(&SHOP.replace("FAULT", &format!("fault engine=\"native\" {{ delay \"50ms\" percent={percent} }}")))
    };
    assert_eq!(changed(&with(10), &with(20), "beta"), [ResourceKind::Routes]);
}

/// Every filter of every chain of a proxy's listeners, and the extensions it is told.
fn filters(snapshot: &Snapshot, proxy: &str) -> (Vec<(String, &'static str, bool)>, Vec<TypedExtensionConfig>) {
    let mut filters = Vec::new();
    let mut extensions = Vec::new();
    for resource in snapshot.resources(proxy) {
        match resource.kind {
            ResourceKind::Extension => extensions.push(TypedExtensionConfig::decode(&*resource.bytes).unwrap()),
            ResourceKind::Listener => {
                let listener = Listener::decode(&*resource.bytes).unwrap();
                for network in listener.filter_chains.iter().flat_map(|chain| &chain.filters) {
                    let Some(filter::ConfigType::TypedConfig(config)) = &network.config_type else { continue };
                    let Ok(manager) = HttpConnectionManager::decode(&*config.value) else { continue };
                    let upgrades = manager.upgrade_configs.iter().flat_map(|upgrade| &upgrade.filters);
                    for filter in manager.http_filters.iter().chain(upgrades) {
                        let how = match &filter.config_type {
                            Some(http_filter::ConfigType::TypedConfig(_)) => "inside",
                            Some(http_filter::ConfigType::ConfigDiscovery(_)) => "asked for",
                            None => "nothing",
                        };
                        filters.push((filter.name.clone(), how, filter.disabled));
                    }
                }
            }
            _ => {}
        }
    }
    (filters, extensions)
}

#[test]
fn a_filter_of_one_service_stays_switched_off_elsewhere() {
    let (filters, extensions) =
        filters(&snapshot(&SHOP.replace("FAULT", "fault engine=\"wasm\" { delay \"50ms\" percent=5 }")), "beta");
    let fault = filters.iter().find(|(name, ..)| name == "meshwright.filters.http.fault.beta.svc");
    assert_eq!(fault.map(|(_, how, disabled)| (*how, *disabled)), Some(("asked for", true)), "{filters:?}");
    assert!(extensions.iter().any(|it| it.name == fault.unwrap().0));
}

#[test]
fn the_router_stays_in_its_listener() {
    let (filters, _) = filters(&snapshot(&SHOP.replace("FAULT", "")), "beta");
    let routers: Vec<_> = filters.iter().filter(|(name, ..)| name == "envoy.filters.http.router").collect();
    assert!(!routers.is_empty() && routers.iter().all(|(_, how, _)| *how == "inside"), "{filters:?}");
}

#[test]
fn whatever_is_asked_for_is_served_and_nothing_else() {
    let body = "service \"beta.svc\" { endpoint \"10.0.0.1:80\"; fault engine=\"wasm\" { delay \"50ms\" percent=5 }\n\
                health-check path=\"/healthz\"; ip-access { allow \"10.0.0.0/8\" }\n\
                rate-limit requests=5 per=\"1s\"\n inbound max-request-bytes=1000 }\n\
                node \"beta\" serves=\"beta.svc\" calls=\"beta.svc\"";
    let (filters, extensions) = filters(&snapshot(body), "beta");
    let mut asked: Vec<_> = filters.iter().filter(|(_, how, _)| *how == "asked for").map(|(name, ..)| name).collect();
    asked.sort();
    asked.dedup();
    assert!(asked.len() >= 3, "{filters:?}");
    assert!(asked.into_iter().eq(extensions.iter().map(|extension| &extension.name)), "{filters:?}");
    for extension in &extensions {
        assert_eq!(envoy::validate(extension), [], "{}", extension.name);
    }
}

//! HTTP filters that a control plane serves by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use envoy::config::core::v3::TypedExtensionConfig;
use envoy::config::listener::v3::{Listener, filter};
use envoy::extensions::filters::network::http_connection_manager::v3::{HttpConnectionManager, http_filter};
use meshwright_compiler::emit::Delivery;
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
    assert!(diagnostics.is_empty(), "{}", spec::render(&diagnostics, &sources, spec::Color::Plain));
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
            ResourceKind::Extension => extensions.push(TypedExtensionConfig::decode(&*resource.whole()).unwrap()),
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

/// A module that no Envoy has a folder for comes with each of its filters; the digest stays in the `vm_id`.
#[test]
fn modules_come_inside_where_that_is_asked_for() {
    let mesh = checked(&SHOP.replace(
        "FAULT",
        "fault engine=\"wasm\" { delay \"50ms\" percent=5 }; ip-access engine=\"wasm\" { allow \"10.0.0.0/8\"; }",
    ));
    let bytes: Arc<[u8]> = b"\0asm of ours".as_slice().into();
    let snapshot = Snapshot::delivering(&mesh, &module(), &Delivery::Inside(Arc::clone(&bytes)));
    let (_, extensions) = filters(&snapshot, "beta");
    assert_eq!(extensions.len(), 2);
    for extension in &extensions {
        let text = envoy::to_yaml(extension);
        assert!(text.contains("inline_bytes: AGFzbSBvZiBvdXJz"), "{text}");
        assert!(text.contains(&format!("vm_id: meshwright-{}", module().sha256)), "{text}");
        assert!(!text.contains("filename"), "{text}");
        assert_eq!(envoy::validate(extension), []);
    }
    // Of a module of a quarter of a megabyte there is one, however many filters have it.
    let inside: Vec<_> = snapshot.all().iter().filter_map(|resource| resource.module.as_ref()).collect();
    assert!(inside.len() == 2 && inside.iter().all(|it| Arc::ptr_eq(&it.bytes, &bytes)));
}

/// The module of a filter that a mesh names by `file`.
struct Module;

impl spec::load::Files for Module {
    fn read(&self, _: &str) -> Result<Vec<u8>, spec::load::FileError> {
        Ok(include_bytes!("../golden/filters-wasm/tenant.wasm").to_vec())
    }
}

/// A node whose two listeners have a user's filter.
fn twice(source: &str, inbound: &str, outbound: &str) -> Snapshot {
    let body = format!(
        "mesh \"m\" {{\nwasm-filter \"tenant\" {{ {source}; configuration \"1\" }}\n\
         service \"a.svc\" {{ endpoint \"10.0.0.1:80\"; filter \"tenant\" {inbound} }}\n\
         node \"n\" {{ serves \"a.svc\"; filter \"tenant\" at=\"outbound\" {outbound} }}\n}}"
    );
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.kdl", body));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics).unwrap();
    spec::load::attach(&mesh, &Module, &mut sources, &mut diagnostics);
    let checked = check(&mesh, &sources, &mut diagnostics);
    Snapshot::of(
        &checked.unwrap_or_else(|| panic!("{}", spec::render(&diagnostics, &sources, spec::Color::Plain))),
        &module(),
    )
}

/// How the user's filter stands in each listener, and how many extensions are served.
fn users(snapshot: &Snapshot) -> (Vec<&'static str>, usize) {
    let (filters, extensions) = filters(snapshot, "n");
    let users = filters.into_iter().filter(|(name, ..)| name == "meshwright.filters.http.user.tenant");
    (users.map(|(_, how, _)| how).collect(), extensions.len())
}

#[test]
fn filters_of_one_name_and_two_contents_stay_where_they_are() {
    let file = "file \"tenant.wasm\"";
    assert_eq!(users(&twice(file, "", "")), (vec!["asked for", "asked for"], 1));
    assert_eq!(users(&twice(file, "", "configuration=\"2\"")), (vec!["inside", "inside"], 0));
}

/// Envoy can wait for a module only with the listener it belongs to.
#[test]
fn a_filter_whose_module_is_fetched_stays_where_it_is() {
    let url = format!("url \"http://10.9.9.9/t.wasm\"; sha256 \"{}\"", "0".repeat(64));
    assert_eq!(users(&twice(&url, "", "")), (vec!["inside", "inside"], 0));
}

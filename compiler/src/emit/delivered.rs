//! Wasm modules put into the configuration itself, for Envoys that have no folder of modules.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::envoy::config::core::v3::{DataSource, TypedExtensionConfig, async_data_source, data_source::Specifier};
use ::envoy::config::listener::v3::Listener;
use ::envoy::extensions::filters::http::wasm::v3::Wasm;
use ::envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType;
use ::envoy::extensions::wasm::v3::plugin_config::Vm;
use prost::{Message, Name};
use prost_types::Any;

use super::connection_managers::{self, Edit};
use super::discovered::{Discovered, filters};
use crate::WasmModule;
use crate::checked::CheckedMesh;

/// How Envoys get the modules of wasm filters that are not fetched from a URL. In the `vm_id` there is always the
/// module's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// They read them from the folder of [`WasmModule`].
    Files,
    /// With the configuration of every filter come the bytes of its module; ours are these.
    Inside(Arc<[u8]>),
}

/// The modules that are put inside, by the file that configurations name.
pub(crate) type Modules = BTreeMap<String, Arc<[u8]>>;

pub(crate) fn modules(mesh: &CheckedMesh, module: &WasmModule, delivery: &Delivery) -> Modules {
    let Delivery::Inside(ours) = delivery else { return Modules::new() };
    let users = mesh.wasm_files().map(|(sha256, bytes)| {
        let users = WasmModule { sha256: sha256.to_owned(), folder: module.folder.clone() };
        (users.path(), Arc::clone(bytes))
    });
    users.chain([(module.path(), Arc::clone(ours))]).collect()
}

/// The same with modules inside wherever one of their files is named.
pub(crate) fn delivered(discovered: Discovered, modules: &Modules) -> Discovered {
    if modules.is_empty() {
        return discovered;
    }
    Discovered {
        listeners: discovered.listeners.iter().map(|listener| with_modules(listener, modules)).collect(),
        extensions: discovered.extensions.iter().map(|extension| with_module(extension, modules)).collect(),
    }
}

fn with_module(extension: &TypedExtensionConfig, modules: &Modules) -> Arc<TypedExtensionConfig> {
    let typed_config = extension.typed_config.as_ref().map(|config| inside(config, modules).unwrap_or(config.clone()));
    Arc::new(TypedExtensionConfig { name: extension.name.clone(), typed_config })
}

fn with_modules(listener: &Listener, modules: &Modules) -> Arc<Listener> {
    let mut listener = listener.clone();
    connection_managers::edit(&mut listener, |manager| {
        let mut edit = Edit::Untouched;
        for filter in filters(manager) {
            let Some(ConfigType::TypedConfig(config)) = &mut filter.config_type else { continue };
            if let Some(with) = inside(config, modules) {
                *config = with;
                edit = Edit::Changed;
            }
        }
        edit
    });
    Arc::new(listener)
}

/// `None` for what names no file of a module.
fn inside(config: &Any, modules: &Modules) -> Option<Any> {
    if config.type_url != Wasm::type_url() {
        return None;
    }
    // What we encoded can be decoded.
    let mut wasm = Wasm::decode(config.value.as_slice()).ok()?;
    let Vm::VmConfig(vm) = wasm.config.as_mut()?.vm.as_mut()?;
    let async_data_source::Specifier::Local(DataSource { specifier, .. }) = vm.code.as_mut()?.specifier.as_mut()?
    else {
        return None;
    };
    let Some(Specifier::Filename(path)) = specifier else { return None };
    let bytes = modules.get(path.as_str())?;
    *specifier = Some(Specifier::InlineBytes(bytes.to_vec()));
    Some(::envoy::any(&wasm))
}

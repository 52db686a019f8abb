//! Removes what Envoy does not need from a linked module.

use walrus::{ExportItem, Module, ModuleConfig};

/// What Envoy must find. It calls every callback it finds, for every request: those not listed
/// here do nothing in our filters, and each would cost a change into the virtual machine.
const EXPORTS: [&str; 12] = [
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_memory_allocate",
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_tick",
];

/// The module with only [`EXPORTS`], without the functions and imports that nothing else needs,
/// and without names and other custom sections.
pub(crate) fn prune(linked: &[u8]) -> Result<Vec<u8>, String> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    let mut module = config.parse(linked).map_err(|error| format!("the linked module is damaged: {error}"))?;
    for export in EXPORTS {
        if !module.exports.iter().any(|known| known.name == export) {
            return Err(format!("the linked module does not export `{export}`"));
        }
    }
    let unwanted: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !EXPORTS.contains(&export.name.as_str()))
        .map(|export| export.id())
        .collect();
    for export in unwanted {
        module.exports.delete(export);
    }
    let custom: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    for section in custom {
        module.customs.delete(section);
    }
    walrus::passes::gc::run(&mut module);
    require_memory_limit(&module)?;
    Ok(module.emit_wasm())
}

/// Without it, one request could take all the memory of the task.
fn require_memory_limit(module: &Module) -> Result<(), String> {
    let memory = module.exports.iter().find_map(|export| match export.item {
        ExportItem::Memory(memory) => Some(module.memories.get(memory)),
        _ => None,
    });
    match memory {
        Some(memory) if memory.maximum.is_some() => Ok(()),
        _ => Err("the linked module's memory has no limit".to_owned()),
    }
}

//! The functions that a module exports for its host.

use wasmtime::{Instance, Store, TypedFunc, WasmParams, WasmResults};

use crate::guest::Exports;
use crate::host::Host;
use crate::module::AbiVersion;

/// Every callback is optional; a missing one agrees with whatever happens.
pub(super) struct Callbacks {
    pub(super) initialize: Option<TypedFunc<(), ()>>,
    pub(super) on_context_create: Option<TypedFunc<(u32, u32), ()>>,
    pub(super) on_vm_start: Option<TypedFunc<(u32, u32), u32>>,
    pub(super) on_configure: Option<TypedFunc<(u32, u32), u32>>,
    pub(super) on_request_headers: Option<TypedFunc<(u32, u32, u32), u32>>,
    pub(super) on_request_headers_0_1_0: Option<TypedFunc<(u32, u32), u32>>,
    pub(super) on_request_body: Option<TypedFunc<(u32, u32, u32), u32>>,
    pub(super) on_request_trailers: Option<TypedFunc<(u32, u32), u32>>,
    pub(super) on_response_headers: Option<TypedFunc<(u32, u32, u32), u32>>,
    pub(super) on_tick: Option<TypedFunc<u32, ()>>,
    pub(super) on_log: Option<TypedFunc<u32, ()>>,
    pub(super) on_done: Option<TypedFunc<u32, u32>>,
    pub(super) on_delete: Option<TypedFunc<u32, ()>>,
}

impl Callbacks {
    /// Finds the callbacks, and shows the module's memory and allocator to the hostcalls. Envoy
    /// prefers `malloc`, although the specification says the reverse.
    pub(super) fn find(store: &mut Store<Host>, instance: &Instance, abi: AbiVersion) -> wasmtime::Result<Callbacks> {
        let memory = instance.get_memory(&mut *store, "memory");
        let memory = memory.ok_or_else(|| wasmtime::Error::msg("no memory"))?;
        let malloc = find(store, instance, "malloc")?;
        let allocate = match malloc {
            Some(malloc) => Some(malloc),
            None => find(store, instance, "proxy_on_memory_allocate")?,
        };
        store.data_mut().exports = Some(Exports { memory, allocate });

        let initialize = match find(store, instance, "_initialize")? {
            Some(initialize) => Some(initialize),
            None => find(store, instance, "_start")?,
        };
        const ON_REQUEST_HEADERS: &str = "proxy_on_request_headers";
        let (on_request_headers, on_request_headers_0_1_0) = match abi {
            AbiVersion::V0_1_0 => (None, find(store, instance, ON_REQUEST_HEADERS)?),
            _ => (find(store, instance, ON_REQUEST_HEADERS)?, None),
        };
        let on_response_headers = match abi {
            // Another signature; nobody has asked for it.
            AbiVersion::V0_1_0 => None,
            _ => find(store, instance, "proxy_on_response_headers")?,
        };
        Ok(Callbacks {
            initialize,
            on_context_create: find(store, instance, "proxy_on_context_create")?,
            on_vm_start: find(store, instance, "proxy_on_vm_start")?,
            on_configure: find(store, instance, "proxy_on_configure")?,
            on_request_headers,
            on_request_headers_0_1_0,
            on_request_body: find(store, instance, "proxy_on_request_body")?,
            on_request_trailers: find(store, instance, "proxy_on_request_trailers")?,
            on_response_headers,
            on_tick: find(store, instance, "proxy_on_tick")?,
            on_log: find(store, instance, "proxy_on_log")?,
            on_done: find(store, instance, "proxy_on_done")?,
            on_delete: find(store, instance, "proxy_on_delete")?,
        })
    }
}

fn find<P: WasmParams, R: WasmResults>(
    store: &mut Store<Host>,
    instance: &Instance,
    name: &str,
) -> wasmtime::Result<Option<TypedFunc<P, R>>> {
    let function = instance.get_func(&mut *store, name);
    function.map(|function| function.typed(&*store)).transpose()
}

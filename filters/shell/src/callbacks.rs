//! The functions that Envoy calls, and the contexts which it calls them for.

#![allow(unsafe_code, reason = "exported functions need fixed names")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem;
use std::ptr::null_mut;
use std::rc::Rc;

use crate::filter::Filter;
use crate::plugin::Plugin;
use crate::stream::{self, Action, Stream};

/// Remembers the filters of this module. Called once, before any callback.
pub fn initialize(filters: &'static [Filter]) {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker provides it, and the host calls the caller of this function once.
    unsafe { __wasm_call_ctors() };
    with(|contexts| contexts.filters = filters);
}

/// Every live context. Envoy never uses one number for two of them at a time.
struct Contexts {
    filters: &'static [Filter],
    /// None is a plugin that is not configured.
    plugins: BTreeMap<u32, Option<Rc<Plugin>>>,
    streams: BTreeMap<u32, Stream>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> = const {
        RefCell::new(Contexts {
            filters: &[],
            plugins: BTreeMap::new(),
            streams: BTreeMap::new(),
        })
    };
}

/// Nothing that runs in here calls the host, so no callback can find the contexts borrowed.
fn with<T: Default>(act: impl FnOnce(&mut Contexts) -> T) -> T {
    CONTEXTS.with(|contexts| contexts.try_borrow_mut().map(|mut contexts| act(&mut contexts))).unwrap_or_default()
}

fn plugin(context: u32) -> Option<Rc<Plugin>> {
    with(|contexts| contexts.plugins.get(&context).cloned().flatten())
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Memory for what hostcalls return: `hostcalls::returned` takes it over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut memory = Vec::new();
    if memory.try_reserve_exact(size).is_err() {
        return null_mut();
    }
    let start = memory.as_mut_ptr();
    mem::forget(memory);
    start
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    with(|contexts| {
        if parent == 0 {
            contexts.plugins.insert(context, None);
            return;
        }
        let plugin = contexts.plugins.get(&parent).cloned().flatten();
        contexts.streams.insert(context, Stream::new(context, plugin));
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(context: u32, _size: u32) -> u32 {
    let plugin = Plugin::configured(with(|contexts| contexts.filters)).map(Rc::new);
    let accepted = plugin.is_some();
    with(|contexts| contexts.plugins.insert(context, plugin));
    u32::from(accepted)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _headers: u32, _end_of_stream: u32) -> u32 {
    let action = match with(|contexts| contexts.streams.remove(&context)) {
        Some(mut stream) => {
            let action = stream.on_request_headers();
            with(|contexts| contexts.streams.insert(context, stream));
            action
        }
        None => stream::fail(),
    };
    match action {
        Action::Continue => 0,
        Action::Pause => 1,
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(context: u32) {
    if let Some(plugin) = plugin(context) {
        plugin.on_tick();
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    // Dropped here, a held request is forgotten.
    let stream = with(|contexts| contexts.streams.remove(&context));
    if stream.is_none() {
        with(|contexts| contexts.plugins.remove(&context));
    }
}

//! The functions that Envoy calls, and the contexts which it calls them for.

#![allow(unsafe_code, reason = "exported functions need fixed names, and a static value an owner")]

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem;
use core::ptr::null_mut;

use crate::delays::Hold;
use crate::plugin::Plugin;
use crate::stream::{self, Action, Release, Stream};
use crate::table::Table;

/// Called once, before any callback.
pub fn initialize() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker provides it, and the host calls the caller of this function once.
    unsafe { __wasm_call_ctors() };
}

/// Every live context. Envoy never uses one number for two of them at a time.
struct Contexts {
    /// None is a plugin that is not configured.
    plugins: Vec<(u32, Option<Rc<Plugin>>)>,
    streams: Table<Stream>,
}

struct OneThread(RefCell<Contexts>);

// SAFETY: a module of proxy-wasm has one thread.
unsafe impl Sync for OneThread {}

static CONTEXTS: OneThread = OneThread(RefCell::new(Contexts { plugins: Vec::new(), streams: Table::new() }));

/// Nothing that runs in here calls the host, so no callback can find the contexts borrowed.
fn with<T: Default>(act: impl FnOnce(&mut Contexts) -> T) -> T {
    CONTEXTS.0.try_borrow_mut().map(|mut contexts| act(&mut contexts)).unwrap_or_default()
}

impl Contexts {
    fn plugin(&self, context: u32) -> Option<Rc<Plugin>> {
        let (_, plugin) = self.plugins.iter().find(|(known, _)| *known == context)?;
        plugin.clone()
    }

    fn set_plugin(&mut self, context: u32, plugin: Option<Rc<Plugin>>) -> Option<Rc<Plugin>> {
        match self.plugins.iter_mut().find(|(known, _)| *known == context) {
            Some((_, known)) => mem::replace(known, plugin),
            None => {
                self.plugins.push((context, plugin));
                None
            }
        }
    }
}

/// What follows the delay of a held request that is due now.
pub(crate) fn released(due: Hold) -> Option<Release> {
    with(|contexts| contexts.streams.get_mut(due.context)?.released(due))
}

/// Lets a stream act while the contexts are free: it calls the host.
fn on_stream<T>(context: u32, act: impl FnOnce(&mut Stream) -> T) -> Option<T> {
    let mut stream = with(|contexts| contexts.streams.remove(context))?;
    let result = act(&mut stream);
    with(|contexts| contexts.streams.insert(context, stream));
    Some(result)
}

fn code(action: Action) -> u32 {
    match action {
        Action::Continue => 0,
        Action::Pause => 1,
    }
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
            contexts.set_plugin(context, None);
            return;
        }
        let stream = Stream::new(contexts.plugin(parent));
        contexts.streams.insert(context, stream);
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(context: u32, _size: u32) -> u32 {
    let plugin = Plugin::configured().map(Rc::new);
    let accepted = plugin.is_some();
    with(|contexts| contexts.set_plugin(context, plugin));
    u32::from(accepted)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _headers: u32, end_of_stream: u32) -> u32 {
    let action = on_stream(context, |stream| stream.on_request_headers(context, end_of_stream != 0));
    code(action.unwrap_or_else(stream::fail))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context: u32, _size: u32, end_of_stream: u32) -> u32 {
    let action = on_stream(context, |stream| stream.on_request_body(end_of_stream != 0));
    code(action.unwrap_or_else(stream::fail))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, _trailers: u32) -> u32 {
    let action = on_stream(context, Stream::on_request_trailers);
    code(action.unwrap_or_else(stream::fail))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context: u32, _headers: u32, _end_of_stream: u32) -> u32 {
    on_stream(context, Stream::on_response_headers);
    code(Action::Continue)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(context: u32) {
    if let Some(plugin) = with(|contexts| contexts.plugin(context)) {
        plugin.on_tick();
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    // Dropped out here, where it may call the host.
    let stream = with(|contexts| contexts.streams.remove(context));
    if stream.is_none() {
        let plugin = with(|contexts| {
            let position = contexts.plugins.iter().position(|(known, _)| *known == context)?;
            contexts.plugins.swap_remove(position).1
        });
        drop(plugin);
    }
}

//! Envoy's functions, each with a status that is a value and never a panic.

#![allow(unsafe_code, reason = "hostcalls are foreign functions")]

use alloc::vec::Vec;
use core::ptr::null_mut;

use policy::{Headers, Shared};

/// A status other than OK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// A header map of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Map {
    Request = 0,
    Response = 2,
}

/// What a metric does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    Counter = 0,
    Gauge = 1,
}

const REQUEST_HEADERS: u32 = Map::Request as u32;
const REQUEST_STREAM: u32 = 0;
const REALTIME_CLOCK: u32 = 0;
const NO_GRPC_STATUS: i32 = -1;
const MONOTONIC_CLOCK: u32 = 1;

pub(crate) fn log_error(message: &str) {
    const ERROR: u32 = 4;
    // SAFETY: the pointer and length are of a live string, which the host only reads.
    unsafe { proxy_log(ERROR, message.as_ptr(), message.len()) };
}

/// Nanoseconds of a clock that never goes back; 0 if there is none.
pub(crate) fn monotonic_nanos() -> u64 {
    clock(MONOTONIC_CLOCK).unwrap_or_default()
}

/// Nanoseconds since 1970. Without a clock it is so late that nothing is valid any more.
pub(crate) fn unix_nanos() -> u64 {
    clock(REALTIME_CLOCK).unwrap_or(u64::MAX)
}

fn clock(number: u32) -> Result<u64, Refused> {
    let mut nanos = 0;
    // SAFETY: the host writes eight bytes to a live, aligned u64.
    accepted(unsafe { clock_time_get(number, 1, &mut nanos) })?;
    Ok(nanos)
}

/// A number from the host's random source. If that fails, chance gives 0: the fault happens.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the host writes at most eight bytes to a live array of that length.
    unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
    u64::from_le_bytes(bytes)
}

pub(crate) fn plugin_configuration() -> Result<Vec<u8>, Refused> {
    const PLUGIN_CONFIGURATION: u32 = 7;
    // SAFETY: the out-pointers are of live locals; see `returned`.
    returned(|data, length| unsafe { proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX >> 1, data, length) })
}

/// The segments of a path are separated by NUL.
pub(crate) fn property(path: &str) -> Result<Vec<u8>, Refused> {
    // SAFETY: the path is a live string; the out-pointers are of live locals; see `returned`.
    returned(|data, length| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, length) })
}

pub(crate) fn request_header(name: &str) -> Result<Vec<u8>, Refused> {
    // SAFETY: the name is a live string; the out-pointers are of live locals; see `returned`.
    returned(|data, length| unsafe {
        proxy_get_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len(), data, length)
    })
}

pub(crate) fn request_headers() -> Result<Headers, Refused> {
    // SAFETY: the out-pointers are of live locals; see `returned`.
    let bytes = returned(|data, length| unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, data, length) })?;
    Ok(Headers::from_pairs(bytes))
}

/// A part of the request's body, as far as it has arrived.
pub(crate) fn request_body(start: usize, max: usize) -> Result<Vec<u8>, Refused> {
    const REQUEST_BODY: u32 = 0;
    // SAFETY: the out-pointers are of live locals; see `returned`.
    returned(|data, length| unsafe { proxy_get_buffer_bytes(REQUEST_BODY, start, max, data, length) })
}

pub(crate) fn has_header(map: Map, name: &str) -> bool {
    // SAFETY: the name is a live string; the out-pointers are of live locals; see `returned`.
    let value = returned(|data, length| unsafe {
        proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, length)
    });
    value.is_ok()
}

pub(crate) fn replace_header(map: Map, name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: both pointers and lengths are of live slices, which the host only reads.
    accepted(unsafe {
        proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

pub(crate) fn add_header(map: Map, name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: both pointers and lengths are of live slices, which the host only reads.
    accepted(unsafe { proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

pub(crate) fn remove_header(map: Map, name: &str) -> Result<(), Refused> {
    // SAFETY: the pointer and length are of a live string, which the host only reads.
    accepted(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// What any virtual machine of this Envoy has stored.
pub(crate) fn shared_data(key: &[u8]) -> Result<Shared, Refused> {
    let mut version = 0;
    // SAFETY: the key is a live slice; the out-pointers are of live locals; see `returned`.
    let value =
        returned(|data, length| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, length, &mut version) })?;
    Ok(Shared { value, version })
}

/// Refused where another value has been stored since the version was read.
pub(crate) fn set_shared_data(key: &[u8], value: &[u8], version: u32) -> Result<(), Refused> {
    // SAFETY: both pointers and lengths are of live slices, which the host only reads.
    accepted(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) })
}

pub(crate) fn continue_request() -> Result<(), Refused> {
    // SAFETY: takes no pointers.
    accepted(unsafe { proxy_continue_stream(REQUEST_STREAM) })
}

pub(crate) fn send_local_response(
    status: u16,
    details: &str,
    body: &str,
    headers: &[u8],
    grpc_status: Option<u8>,
) -> Result<(), Refused> {
    // SAFETY: every pointer and length is of a live slice, which the host only reads.
    accepted(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status.map_or(NO_GRPC_STATUS, i32::from),
        )
    })
}

/// The number of a metric, new or known.
pub(crate) fn define_metric(kind: Metric, name: &str) -> Result<u32, Refused> {
    let mut id = 0;
    // SAFETY: the name is a live string; the host writes four bytes to a live, aligned u32.
    accepted(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut id) })?;
    Ok(id)
}

pub(crate) fn add_to_metric(metric: u32, offset: i64) -> Result<(), Refused> {
    // SAFETY: takes no pointers.
    accepted(unsafe { proxy_increment_metric(metric, offset) })
}

pub(crate) fn metric(metric: u32) -> Result<u64, Refused> {
    let mut value = 0;
    // SAFETY: the host writes eight bytes to a live, aligned u64.
    accepted(unsafe { proxy_get_metric(metric, &mut value) })?;
    Ok(value)
}

/// Wakes the root context again and again; a period of 0 lets it sleep.
pub(crate) fn set_tick_period(millis: u32) -> Result<(), Refused> {
    // SAFETY: takes no pointers.
    accepted(unsafe { proxy_set_tick_period_milliseconds(millis) })
}

/// Makes the next hostcalls act on another context, until this callback returns.
pub(crate) fn set_effective_context(context: u32) -> Result<(), Refused> {
    // SAFETY: takes no pointers.
    accepted(unsafe { proxy_set_effective_context(context) })
}

fn accepted(status: u32) -> Result<(), Refused> {
    if status == 0 { Ok(()) } else { Err(Refused) }
}

/// Takes over the buffer which a hostcall returns through two out-pointers.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Refused> {
    let (mut data, mut length) = (null_mut(), 0);
    accepted(call(&mut data, &mut length))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the host allocated exactly `length` bytes through the exported allocator, which
    // leaks a vector of that capacity, filled them, and gave them to us alone.
    Ok(unsafe { Vec::from_raw_parts(data, length, length) })
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, length: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_length: usize, data: *mut *mut u8, length: *mut usize) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max: usize, data: *mut *mut u8, length: *mut usize) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, length: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_length: usize) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_length: usize,
        body: *const u8,
        body_length: usize,
        headers: *const u8,
        headers_length: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, length: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_get_metric(id: u32, value: *mut u64) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_length: usize,
        data: *mut *mut u8,
        length: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_length: usize,
        value: *const u8,
        value_length: usize,
        version: u32,
    ) -> u32;
    fn proxy_set_tick_period_milliseconds(millis: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, nanos: *mut u64) -> u32;
    fn random_get(buffer: *mut u8, length: usize) -> u32;
}

//! The part of WASI that Envoy gives to filters, with Envoy's error numbers.

use wasmtime::{Caller, Linker};

use crate::guest::{Guest, Status};
use crate::host::{Host, LogLevel};

const OK: u32 = 0;
const BAD_DESCRIPTOR: u32 = 8;
const FAULT: u32 = 21;
const INVALID: u32 = 28;
const NO_ENTRY: u32 = 44;
const NO_SYSTEM_CALL: u32 = 52;
const NOT_SUPPORTED: u32 = 58;

const MAX_RANDOM_BYTES: u32 = 64 * 1024;

/// The same functions are found under both names.
pub(crate) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        link_module(linker, module)?;
    }
    Ok(())
}

fn link_module(linker: &mut Linker<Host>, wasi: &str) -> wasmtime::Result<()> {
    type C<'c> = Caller<'c, Host>;
    let sizes = |c: C<'_>, count: u32, size: u32| {
        errno(c, |guest| {
            guest.write_u32(count, 0)?;
            guest.write_u32(size, 0)?;
            Ok(OK)
        })
    };
    linker
        .func_wrap(wasi, "args_sizes_get", sizes)?
        .func_wrap(wasi, "args_get", |_: u32, _: u32| OK)?
        .func_wrap(wasi, "environ_sizes_get", sizes)?
        .func_wrap(wasi, "environ_get", |_: u32, _: u32| OK)?
        .func_wrap(wasi, "clock_time_get", |c: C<'_>, clock: u32, _: u64, nanos: u32| {
            errno(c, |guest| clock_time_get(guest, clock, nanos))
        })?
        .func_wrap(wasi, "random_get", |c: C<'_>, start: u32, length: u32| {
            errno(c, |guest| random_get(guest, start, length))
        })?
        .func_wrap(wasi, "fd_write", |c: C<'_>, fd: u32, parts: u32, count: u32, out: u32| {
            errno(c, |guest| fd_write(guest, fd, parts, count, out))
        })?
        .func_wrap(wasi, "fd_fdstat_get", |c: C<'_>, _: u32, out: u32| {
            errno(c, |guest| {
                guest.write(out, &[0; 8])?;
                guest.write_u64(out.wrapping_add(8), 64)?;
                guest.write_u64(out.wrapping_add(16), 0)?;
                Ok(OK)
            })
        })?
        .func_wrap(wasi, "poll_oneoff", |c: C<'_>, _: u32, _: u32, _: u32, events: u32| {
            errno(c, |guest| guest.write_u32(events, 0).map(|()| OK))
        })?
        .func_wrap(wasi, "proc_exit", |code: u32| -> wasmtime::Result<()> {
            Err(wasmtime::Error::msg(format!("proc_exit({code})")))
        })?
        .func_wrap(wasi, "sched_yield", || OK)?
        .func_wrap(wasi, "fd_close", |_: u32| BAD_DESCRIPTOR)?
        .func_wrap(wasi, "fd_fdstat_set_flags", |_: u32, _: u32| NO_SYSTEM_CALL)?
        .func_wrap(wasi, "fd_prestat_get", |_: u32, _: u32| BAD_DESCRIPTOR)?
        .func_wrap(wasi, "fd_prestat_dir_name", |_: u32, _: u32, _: u32| NO_SYSTEM_CALL)?
        .func_wrap(wasi, "fd_read", |_: u32, _: u32, _: u32, _: u32| NO_SYSTEM_CALL)?
        .func_wrap(wasi, "fd_seek", |_: u32, _: u64, _: u32, _: u32| NOT_SUPPORTED)?
        .func_wrap(wasi, "path_open", |_: u32, _: u32, _: u32, _: u32, _: u32, _: u64, _: u64, _: u32, _: u32| {
            NO_ENTRY
        })?;
    Ok(())
}

fn errno(caller: Caller<'_, Host>, act: impl FnOnce(&mut Guest<'_>) -> Result<u32, Status>) -> wasmtime::Result<u32> {
    Ok(act(&mut Guest::of(caller)?).unwrap_or(FAULT))
}

fn clock_time_get(guest: &mut Guest<'_>, clock: u32, nanos: u32) -> Result<u32, Status> {
    const REALTIME: u32 = 0;
    const MONOTONIC: u32 = 1;
    if clock != REALTIME && clock != MONOTONIC {
        return Ok(NOT_SUPPORTED);
    }
    let host = guest.host();
    let now = if clock == REALTIME { host.unix_nanos() } else { host.clock_nanos };
    guest.write_u64(nanos, now)?;
    Ok(OK)
}

fn random_get(guest: &mut Guest<'_>, start: u32, length: u32) -> Result<u32, Status> {
    if length > MAX_RANDOM_BYTES {
        return Ok(INVALID);
    }
    let mut bytes = vec![0; length as usize];
    guest.host().random.fill(&mut bytes);
    guest.write(start, &bytes)?;
    Ok(OK)
}

/// Standard output and standard error are logs.
fn fd_write(guest: &mut Guest<'_>, fd: u32, parts: u32, count: u32, written: u32) -> Result<u32, Status> {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Ok(BAD_DESCRIPTOR),
    };
    let mut text = Vec::new();
    for index in 0..count {
        let part = index.checked_mul(8).and_then(|offset| parts.checked_add(offset));
        let part = part.ok_or(Status::InvalidMemoryAccess)?;
        let start = guest.read_u32(part)?;
        let length = guest.read_u32(part.wrapping_add(4))?;
        text.extend(guest.read(start, length)?);
        if text.len() > 1 << 20 {
            return Ok(INVALID);
        }
    }
    guest.host().log(level, String::from_utf8_lossy(&text).into_owned());
    guest.write_u32(written, u32::try_from(text.len()).unwrap_or(u32::MAX))?;
    Ok(OK)
}

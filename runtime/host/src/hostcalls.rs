//! The functions of the `env` module, as Envoy 1.40 answers them.

mod buffers;
mod maps;
mod shared;
mod streams;

use wasmtime::{Caller, Engine, FuncType, Linker, ValType};

use crate::guest::{Guest, Halt, Status};
use crate::host::{Host, LogLevel, Phase, Tick};

/// What a hostcall answers: OK, a status, or a trap.
type Answer = Result<(), Halt>;

/// Links every hostcall; those that are not implemented answer so.
pub(crate) fn link(linker: &mut Linker<Host>, engine: &Engine) -> wasmtime::Result<()> {
    buffers::link(linker)?;
    maps::link(linker)?;
    shared::link(linker)?;
    streams::link(linker)?;
    linker
        .func_wrap("env", "proxy_log", |c: Caller<'_, Host>, level: u32, text: u32, len: u32| {
            answer_always(c, |guest| log(guest, level, text, len))
        })?
        .func_wrap("env", "proxy_get_log_level", |c: Caller<'_, Host>, level: u32| {
            answer(c, |guest| Ok(guest.write_u32(level, LogLevel::Trace as u32)?))
        })?
        .func_wrap("env", "proxy_get_current_time_nanoseconds", |c: Caller<'_, Host>, nanos: u32| {
            answer_always(c, |guest| {
                let now = guest.host().unix_nanos();
                Ok(guest.write_u64(nanos, now)?)
            })
        })?
        .func_wrap("env", "proxy_set_tick_period_milliseconds", |c: Caller<'_, Host>, ms: u32| {
            answer(c, |guest| set_tick_period(guest, ms))
        })?
        .func_wrap("env", "proxy_define_metric", |c: Caller<'_, Host>, kind: u32, name: u32, len: u32, id: u32| {
            answer(c, |guest| {
                let name = guest.read_text(name, len)?;
                let number = guest.host().metrics.define(kind, name)?;
                Ok(guest.write_u32(id, number)?)
            })
        })?
        .func_wrap("env", "proxy_increment_metric", |c: Caller<'_, Host>, id: u32, by: i64| {
            answer(c, |guest| Ok(guest.host().metrics.increment(id, by)?))
        })?
        .func_wrap("env", "proxy_record_metric", |c: Caller<'_, Host>, id: u32, value: u64| {
            answer(c, |guest| Ok(guest.host().metrics.record(id, value)?))
        })?
        .func_wrap("env", "proxy_get_metric", |c: Caller<'_, Host>, id: u32, value: u32| {
            answer(c, |guest| {
                let current = guest.host().metrics.get(id)?;
                Ok(guest.write_u64(value, current)?)
            })
        })?;
    for (name, parameters) in UNIMPLEMENTED {
        let kind = FuncType::new(engine, parameters.iter().cloned(), [ValType::I32]);
        linker.func_new("env", name, kind, |_, _, results| {
            if let Some(result) = results.first_mut() {
                *result = wasmtime::Val::I32(Status::Unimplemented as i32);
            }
            Ok(())
        })?;
    }
    linker.func_wrap("env", "emscripten_notify_memory_growth", |_: u32| {})?;
    Ok(())
}

const I32: ValType = ValType::I32;

/// Known hostcalls that do nothing yet, with their parameters.
const UNIMPLEMENTED: [(&str, &[ValType]); 18] = [
    ("proxy_get_status", &[I32; 3]),
    ("proxy_set_property", &[I32; 4]),
    ("proxy_http_call", &[I32; 10]),
    ("proxy_grpc_call", &[I32; 12]),
    ("proxy_grpc_stream", &[I32; 9]),
    ("proxy_grpc_send", &[I32; 4]),
    ("proxy_grpc_cancel", &[I32; 1]),
    ("proxy_grpc_close", &[I32; 1]),
    ("proxy_register_shared_queue", &[I32; 3]),
    ("proxy_resolve_shared_queue", &[I32; 5]),
    ("proxy_enqueue_shared_queue", &[I32; 3]),
    ("proxy_dequeue_shared_queue", &[I32; 3]),
    ("proxy_call_foreign_function", &[I32; 6]),
    ("proxy_done", &[]),
    ("proxy_get_configuration", &[I32; 2]),
    ("proxy_continue_request", &[]),
    ("proxy_continue_response", &[]),
    ("proxy_clear_route_cache", &[]),
];

/// Answers a hostcall which a module may use once it is initialized, and not in its allocator.
fn answer(caller: Caller<'_, Host>, act: impl FnOnce(&mut Guest<'_>) -> Answer) -> wasmtime::Result<u32> {
    match caller.data().phase {
        Phase::Initializing | Phase::Allocating => Err(wasmtime::Error::msg("restricted_callback")),
        Phase::Configuring | Phase::Running => answer_always(caller, act),
    }
}

/// Answers a hostcall which a module may use at any time.
fn answer_always(caller: Caller<'_, Host>, act: impl FnOnce(&mut Guest<'_>) -> Answer) -> wasmtime::Result<u32> {
    let mut guest = Guest::of(caller)?;
    match act(&mut guest) {
        Ok(()) => Ok(0),
        Err(Halt::Status(status)) => Ok(status as u32),
        Err(Halt::Trap(trap)) => Err(trap),
    }
}

fn log(guest: &mut Guest<'_>, level: u32, text: u32, length: u32) -> Answer {
    let level = match level {
        0 => LogLevel::Trace,
        1 => LogLevel::Debug,
        2 => LogLevel::Info,
        3 => LogLevel::Warn,
        4 => LogLevel::Error,
        5 => LogLevel::Critical,
        _ => return Err(Status::BadArgument.into()),
    };
    let message = guest.read_text(text, length)?;
    guest.host().log(level, message);
    Ok(())
}

fn set_tick_period(guest: &mut Guest<'_>, millis: u32) -> Answer {
    let host = guest.host();
    let next_nanos = host.clock_nanos.saturating_add(u64::from(millis) * 1_000_000);
    host.tick = (millis > 0).then_some(Tick { next_nanos, period_millis: millis });
    Ok(())
}

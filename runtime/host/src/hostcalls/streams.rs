//! Going on with a request, ending it, or answering it.

use wasmtime::{Caller, Linker};

use super::{Answer, answer};
use crate::guest::{Guest, Status};
use crate::host::Host;
use crate::outcome::Reply;
use crate::pairs;
use crate::vm::ROOT_CONTEXT;

const REQUEST: u32 = 0;
const LAST_STREAM: u32 = 3;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker
        .func_wrap("env", "proxy_continue_stream", |c: Caller<'_, Host>, stream: u32| {
            answer(c, |guest| continue_stream(guest, stream))
        })?
        .func_wrap("env", "proxy_close_stream", |c: Caller<'_, Host>, stream: u32| {
            answer(c, |guest| close_stream(guest, stream))
        })?
        .func_wrap(
            "env",
            "proxy_send_local_response",
            |c: Caller<'_, Host>,
             status: u32,
             details: u32,
             details_len: u32,
             body: u32,
             body_len: u32,
             headers: u32,
             headers_len: u32,
             grpc_status: i32| {
                answer(c, |guest| {
                    let reply = Reply {
                        status,
                        headers: pairs::decode(&guest.read(headers, headers_len)?),
                        body: guest.read(body, body_len)?,
                        details: guest.read_text(details, details_len)?,
                        grpc_status: (grpc_status >= 0).then_some(grpc_status),
                    };
                    send_local_response(guest, reply)
                })
            },
        )?
        .func_wrap("env", "proxy_set_effective_context", |c: Caller<'_, Host>, context: u32| {
            answer(c, |guest| set_effective_context(guest, context))
        })?;
    Ok(())
}

fn continue_stream(guest: &mut Guest<'_>, stream: u32) -> Answer {
    if stream > LAST_STREAM {
        return Err(Status::BadArgument.into());
    }
    if stream == REQUEST
        && let Some(open) = guest.host().open_stream()
    {
        open.continued = true;
    }
    Ok(())
}

fn close_stream(guest: &mut Guest<'_>, stream: u32) -> Answer {
    if stream > LAST_STREAM {
        return Err(Status::BadArgument.into());
    }
    if let Some(open) = guest.host().open_stream() {
        open.closed = true;
    }
    Ok(())
}

/// The first answer counts; later ones are accepted and ignored.
fn send_local_response(guest: &mut Guest<'_>, reply: Reply) -> Answer {
    if let Some(open) = guest.host().open_stream() {
        open.reply.get_or_insert(reply);
    }
    Ok(())
}

fn set_effective_context(guest: &mut Guest<'_>, context: u32) -> Answer {
    let host = guest.host();
    if context != ROOT_CONTEXT && !host.streams.contains_key(&context) {
        return Err(Status::BadArgument.into());
    }
    host.effective = context;
    Ok(())
}

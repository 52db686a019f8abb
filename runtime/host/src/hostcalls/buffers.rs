//! Buffers and properties. Configurations and the request's body have contents.

use wasmtime::{Caller, Linker};

use super::{Answer, answer};
use crate::guest::{Guest, Status};
use crate::host::{Host, Phase};

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker
        .func_wrap(
            "env",
            "proxy_get_buffer_bytes",
            |c: Caller<'_, Host>, buffer: u32, start: u32, max: u32, data: u32, len: u32| {
                answer(c, |guest| get(guest, buffer, start, max, data, len))
            },
        )?
        .func_wrap("env", "proxy_get_buffer_status", |c: Caller<'_, Host>, buffer: u32, len: u32, flags: u32| {
            answer(c, |guest| {
                let size = contents(guest.host(), buffer)?.len();
                guest.write_u32(len, u32::try_from(size).unwrap_or(u32::MAX))?;
                Ok(guest.write_u32(flags, 0)?)
            })
        })?
        .func_wrap("env", "proxy_set_buffer_bytes", |c: Caller<'_, Host>, _: u32, _: u32, _: u32, _: u32, _: u32| {
            answer(c, |_| Err(Status::BadArgument.into()))
        })?
        .func_wrap(
            "env",
            "proxy_get_property",
            |c: Caller<'_, Host>, path: u32, path_len: u32, data: u32, len: u32| {
                answer(c, |guest| get_property(guest, path, path_len, data, len))
            },
        )?;
    Ok(())
}

fn get(guest: &mut Guest<'_>, buffer: u32, start: u32, max: u32, data: u32, len: u32) -> Answer {
    let end = start.checked_add(max).ok_or(Status::BadArgument)?;
    let contents = contents(guest.host(), buffer)?;
    let length = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    let range = start.min(length) as usize..end.min(length) as usize;
    let bytes = contents.get(range).unwrap_or_default();
    guest.give(bytes, data, len)
}

/// The plugin's configuration can be read while it is configured, and not after.
fn contents(host: &mut Host, buffer: u32) -> Result<Vec<u8>, Status> {
    const REQUEST_BODY: u32 = 0;
    const PLUGIN_CONFIGURATION: u32 = 7;
    match buffer {
        PLUGIN_CONFIGURATION if host.phase == Phase::Configuring => Ok(host.plugin_config.clone()),
        PLUGIN_CONFIGURATION => Err(Status::NotFound),
        REQUEST_BODY => Ok(host.stream().and_then(|stream| stream.body.clone()).unwrap_or_default()),
        1..=8 => Ok(Vec::new()),
        _ => Err(Status::BadArgument),
    }
}

fn get_property(guest: &mut Guest<'_>, path: u32, path_len: u32, data: u32, len: u32) -> Answer {
    let path = guest.read(path, path_len)?;
    let path = path.strip_suffix(b"\0").unwrap_or(&path);
    let path = String::from_utf8_lossy(path).replace('\0', ".");
    let host = guest.host();
    let value = match path.as_str() {
        "plugin_root_id" => host.root_id.clone().into_bytes(),
        "plugin_name" | "plugin_vm_id" => b"meshwright".to_vec(),
        _ => host.properties.get(&path).cloned().ok_or(Status::NotFound)?,
    };
    guest.give(&value, data, len)
}

//! Header maps: of the request and of the response.

use wasmtime::{Caller, Linker};

use super::{Answer, answer};
use crate::guest::{Guest, Status};
use crate::header_map::HeaderMap;
use crate::host::Host;
use crate::pairs;

const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;
const LAST_MAP: u32 = 7;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker
        .func_wrap("env", "proxy_get_header_map_pairs", |c: Caller<'_, Host>, map: u32, data: u32, len: u32| {
            answer(c, |guest| pairs_of(guest, map, data, len))
        })?
        .func_wrap("env", "proxy_get_header_map_size", |c: Caller<'_, Host>, map: u32, out: u32| {
            answer(c, |guest| {
                let size = headers(guest, map)?.byte_size();
                Ok(guest.write_u32(out, u32::try_from(size).unwrap_or(u32::MAX))?)
            })
        })?
        .func_wrap("env", "proxy_set_header_map_pairs", |c: Caller<'_, Host>, map: u32, data: u32, len: u32| {
            answer(c, |guest| {
                let bytes = guest.read(data, len)?;
                let decoded = pairs::decode(&bytes);
                *headers(guest, map)? = match map {
                    RESPONSE_HEADERS => HeaderMap::of_response(&decoded),
                    _ => decoded.into_iter().collect(),
                };
                Ok(())
            })
        })?
        .func_wrap(
            "env",
            "proxy_get_header_map_value",
            |c: Caller<'_, Host>, map: u32, name: u32, name_len: u32, data: u32, len: u32| {
                answer(c, |guest| {
                    let name = guest.read(name, name_len)?;
                    let value = headers(guest, map)?.get(&name).map(<[u8]>::to_vec);
                    guest.give(&value.ok_or(Status::NotFound)?, data, len)
                })
            },
        )?
        .func_wrap(
            "env",
            "proxy_add_header_map_value",
            |c: Caller<'_, Host>, map: u32, name: u32, name_len: u32, value: u32, len: u32| {
                answer(c, |guest| {
                    let (name, value) = (guest.read(name, name_len)?, guest.read(value, len)?);
                    headers(guest, map)?.add(&name, &value);
                    Ok(())
                })
            },
        )?
        .func_wrap(
            "env",
            "proxy_replace_header_map_value",
            |c: Caller<'_, Host>, map: u32, name: u32, name_len: u32, value: u32, len: u32| {
                answer(c, |guest| {
                    let (name, value) = (guest.read(name, name_len)?, guest.read(value, len)?);
                    headers(guest, map)?.replace(&name, &value);
                    Ok(())
                })
            },
        )?
        .func_wrap(
            "env",
            "proxy_remove_header_map_value",
            |c: Caller<'_, Host>, map: u32, name: u32, name_len: u32| {
                answer(c, |guest| {
                    let name = guest.read(name, name_len)?;
                    headers(guest, map)?.remove(&name);
                    Ok(())
                })
            },
        )?;
    Ok(())
}

/// A map that is not there cannot be asked for, except for all of it: then it is empty.
fn headers<'g>(guest: &'g mut Guest<'_>, map: u32) -> Result<&'g mut HeaderMap, Status> {
    let headers = match map {
        REQUEST_HEADERS => guest.host().open_stream().map(|stream| &mut stream.request),
        RESPONSE_HEADERS => guest.host().stream().and_then(|stream| stream.response.as_mut()),
        _ => None,
    };
    headers.ok_or(Status::BadArgument)
}

fn pairs_of(guest: &mut Guest<'_>, map: u32, data: u32, len: u32) -> Answer {
    if map > LAST_MAP {
        return Err(Status::BadArgument.into());
    }
    match headers(guest, map).map(|map| pairs::encode(map.pairs())) {
        Ok(bytes) => guest.give(&bytes, data, len),
        Err(_) => guest.give(&[], data, len),
    }
}

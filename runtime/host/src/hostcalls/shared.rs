//! Data that all virtual machines of an Envoy share.

use wasmtime::{Caller, Linker};

use super::{Answer, answer};
use crate::guest::{Guest, Status};
use crate::host::Host;

pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker
        .func_wrap(
            "env",
            "proxy_get_shared_data",
            |c: Caller<'_, Host>, key: u32, key_len: u32, data: u32, len: u32, version: u32| {
                answer(c, |guest| {
                    let key = guest.read(key, key_len)?;
                    let (value, changes) = guest.host().shared.get(&key).cloned().ok_or(Status::NotFound)?;
                    guest.give(&value, data, len)?;
                    Ok(guest.write_u32(version, changes)?)
                })
            },
        )?
        .func_wrap(
            "env",
            "proxy_set_shared_data",
            |c: Caller<'_, Host>, key: u32, key_len: u32, value: u32, len: u32, version: u32| {
                answer(c, |guest| set(guest, (key, key_len), (value, len), version))
            },
        )?;
    Ok(())
}

/// A version that is not 0 must be the current one; a key that is new takes any.
fn set(guest: &mut Guest<'_>, key: (u32, u32), value: (u32, u32), version: u32) -> Answer {
    let (key, value) = (guest.read(key.0, key.1)?, guest.read(value.0, value.1)?);
    let shared = &mut guest.host().shared;
    let current = shared.get(&key).map(|(_, changes)| *changes);
    if current.is_some_and(|current| version != 0 && version != current) {
        return Err(Status::CasMismatch.into());
    }
    shared.insert(key, (value, current.unwrap_or_default().wrapping_add(1).max(1)));
    Ok(())
}

//! A module's side of a hostcall: its memory, always with checked bounds.

use wasmtime::{Caller, Memory, TypedFunc};

use crate::host::{Host, Phase};

/// A status other than OK, by its number in the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    NotFound = 1,
    BadArgument = 2,
    InvalidMemoryAccess = 6,
    CasMismatch = 8,
    InternalFailure = 10,
    Unimplemented = 12,
}

/// Why a hostcall does not answer OK.
pub(crate) enum Halt {
    /// The module gets a status.
    Status(Status),
    /// The module is stopped.
    Trap(wasmtime::Error),
}

impl From<Status> for Halt {
    fn from(status: Status) -> Halt {
        Halt::Status(status)
    }
}

/// The module's memory and allocator.
#[derive(Clone)]
pub(crate) struct Exports {
    pub(crate) memory: Memory,
    pub(crate) allocate: Option<TypedFunc<u32, u32>>,
}

/// A module that waits for the answer of a hostcall.
pub(crate) struct Guest<'c> {
    caller: Caller<'c, Host>,
    exports: Exports,
}

impl<'c> Guest<'c> {
    /// Fails where the module calls the host before it is instantiated.
    pub(crate) fn of(caller: Caller<'c, Host>) -> wasmtime::Result<Guest<'c>> {
        let exports = caller.data().exports.clone();
        let exports = exports.ok_or_else(|| wasmtime::Error::msg("hostcall in a start function"))?;
        Ok(Guest { caller, exports })
    }

    pub(crate) fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    pub(crate) fn read(&self, start: u32, length: u32) -> Result<Vec<u8>, Status> {
        let memory = self.exports.memory.data(&self.caller);
        let bytes = range(start, length).and_then(|range| memory.get(range));
        bytes.map(<[u8]>::to_vec).ok_or(Status::InvalidMemoryAccess)
    }

    pub(crate) fn read_text(&self, start: u32, length: u32) -> Result<String, Status> {
        Ok(String::from_utf8_lossy(&self.read(start, length)?).into_owned())
    }

    pub(crate) fn read_u32(&self, start: u32) -> Result<u32, Status> {
        let bytes = self.read(start, 4)?;
        let bytes = bytes.try_into().map_err(|_| Status::InvalidMemoryAccess)?;
        Ok(u32::from_le_bytes(bytes))
    }

    pub(crate) fn write(&mut self, start: u32, bytes: &[u8]) -> Result<(), Status> {
        let memory = self.exports.memory.data_mut(&mut self.caller);
        let length = u32::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let place = range(start, length).and_then(|range| memory.get_mut(range));
        place.ok_or(Status::InvalidMemoryAccess)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, start: u32, number: u32) -> Result<(), Status> {
        self.write(start, &number.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, start: u32, number: u64) -> Result<(), Status> {
        self.write(start, &number.to_le_bytes())
    }

    /// Returns bytes in memory that the module allocates, through two out-pointers.
    pub(crate) fn give(&mut self, bytes: &[u8], data: u32, length: u32) -> Result<(), Halt> {
        let size = u32::try_from(bytes.len()).map_err(|_| Status::InternalFailure)?;
        let start = if bytes.is_empty() { 0 } else { self.allocate(size)? };
        self.write(start, bytes)?;
        self.write_u32(data, start)?;
        self.write_u32(length, size)?;
        Ok(())
    }

    fn allocate(&mut self, size: u32) -> Result<u32, Halt> {
        let allocate = self.exports.allocate.clone().ok_or(Status::InternalFailure)?;
        let phase = std::mem::replace(&mut self.host().phase, Phase::Allocating);
        let start = allocate.call(&mut self.caller, size);
        self.host().phase = phase;
        match start {
            Ok(0) => Err(Status::InvalidMemoryAccess.into()),
            Ok(start) => Ok(start),
            Err(trap) => Err(Halt::Trap(trap)),
        }
    }
}

fn range(start: u32, length: u32) -> Option<std::ops::Range<usize>> {
    let end = start.checked_add(length)?;
    Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

//! Counters, gauges and histograms, shared by name.

use std::collections::BTreeMap;

use crate::guest::Status;

/// All metrics of a virtual machine. The kind is in the last two bits of a metric's number.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// The name behind each number: defining a name again gives another number.
    names: BTreeMap<u32, String>,
    values: BTreeMap<String, u64>,
    next: u32,
}

const COUNTER: u32 = 0;
const GAUGE: u32 = 1;
const HISTOGRAM: u32 = 2;
const KINDS: u32 = 4;

impl Metrics {
    pub(crate) fn value(&self, name: &str) -> Option<u64> {
        self.values.get(name).copied()
    }

    pub(crate) fn define(&mut self, kind: u32, name: String) -> Result<u32, Status> {
        if kind > HISTOGRAM {
            return Err(Status::BadArgument);
        }
        let number = self.next.checked_mul(KINDS).ok_or(Status::InternalFailure)? + kind;
        self.next += 1;
        self.values.entry(name.clone()).or_default();
        self.names.insert(number, name);
        Ok(number)
    }

    pub(crate) fn increment(&mut self, number: u32, offset: i64) -> Result<(), Status> {
        let kind = number % KINDS;
        let value = self.value_mut(number)?;
        match (kind, offset) {
            (COUNTER, 1..) | (GAUGE, _) => {
                *value = value.saturating_add_signed(offset);
                Ok(())
            }
            _ => Err(Status::BadArgument),
        }
    }

    pub(crate) fn record(&mut self, number: u32, recorded: u64) -> Result<(), Status> {
        let value = self.value_mut(number)?;
        match number % KINDS {
            COUNTER => *value = value.saturating_add(recorded),
            _ => *value = recorded,
        }
        Ok(())
    }

    pub(crate) fn get(&self, number: u32) -> Result<u64, Status> {
        let name = self.names.get(&number).ok_or(Status::NotFound)?;
        if number % KINDS == HISTOGRAM {
            return Err(Status::BadArgument);
        }
        Ok(self.value(name).unwrap_or_default())
    }

    fn value_mut(&mut self, number: u32) -> Result<&mut u64, Status> {
        let name = self.names.get(&number).ok_or(Status::NotFound)?;
        self.values.get_mut(name).ok_or(Status::NotFound)
    }
}

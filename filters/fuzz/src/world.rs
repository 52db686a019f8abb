//! The request and the world that a conversation describes: clocks go anywhere, workers share anything.

use std::collections::BTreeMap;

use meshwright_policy::{Counter, Env, Header, HeaderList, Headers, Property, Request, Shared, SingleHeader, pairs};

use crate::conversation::Moment;

/// What a filter learns from one request to the next.
#[derive(Clone, Debug)]
pub(crate) struct World {
    unix_nanos: u64,
    monotonic_nanos: u64,
    draws: Vec<u64>,
    drawn: u64,
    held: u64,
    hostile: Option<Vec<u8>>,
    shared: BTreeMap<Vec<u8>, Shared>,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            unix_nanos: 1_700_000_000_000_000_000,
            monotonic_nanos: 0,
            draws: Vec::new(),
            drawn: 0,
            held: 0,
            hostile: None,
            shared: BTreeMap::new(),
        }
    }

    pub(crate) fn meet(&mut self, moment: &Moment) {
        self.unix_nanos = moment.unix_nanos.unwrap_or(self.unix_nanos);
        self.monotonic_nanos = moment.monotonic_nanos.unwrap_or(self.monotonic_nanos);
        self.draws = moment.random.iter().rev().copied().collect();
        self.held = moment.held;
        self.hostile.clone_from(&moment.shared);
    }
}

impl Env for World {
    fn random(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.draws.pop().unwrap_or(self.drawn)
    }

    fn unix_nanos(&mut self) -> u64 {
        self.unix_nanos
    }

    fn monotonic_nanos(&mut self) -> u64 {
        self.monotonic_nanos
    }

    fn count(&mut self, counter: Counter) {
        assert!(counter.name().starts_with("meshwright_"));
    }

    fn held(&mut self) -> u64 {
        self.held
    }

    fn shared(&mut self, key: &[u8]) -> Option<Shared> {
        if let Some(value) = &self.hostile {
            return Some(Shared { value: value.clone(), version: 7 });
        }
        self.shared.get(key).cloned()
    }

    fn share(&mut self, key: &[u8], value: &[u8], version: u32) -> bool {
        if self.hostile.is_some() {
            return false;
        }
        let known = self.shared.get(key).map_or(0, |shared| shared.version);
        if known != version {
            return false;
        }
        self.shared.insert(key.to_vec(), Shared { value: value.to_vec(), version: known.saturating_add(1) });
        assert!(self.shared.len() < 1000, "a few requests share so many values");
        true
    }
}

/// A request as Envoy shows it, except that properties are any bytes.
pub(crate) struct Asked {
    headers: Vec<Header>,
    properties: Vec<(Property, Vec<u8>)>,
}

impl Asked {
    pub(crate) fn of(moment: &Moment) -> Asked {
        let headers = HeaderList::from_wire(moment.headers.iter().cloned()).headers().to_vec();
        Asked { headers, properties: moment.properties.clone() }
    }
}

impl Request for Asked {
    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>> {
        let found = self.headers.iter().find(|(name, _)| name == header.name().as_bytes())?;
        Some(found.1.clone())
    }

    fn all(&mut self) -> Headers {
        Headers::from_pairs(pairs::write(&self.headers))
    }

    fn property(&mut self, property: Property) -> Option<Vec<u8>> {
        let (_, value) = self.properties.iter().find(|(known, _)| *known == property)?;
        Some(value.clone())
    }
}

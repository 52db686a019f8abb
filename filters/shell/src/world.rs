//! What Envoy is to a policy: the request at hand, and everything around it.

use alloc::vec::Vec;

use policy::{Counter, Env, Headers, Property, Request, Shared, SingleHeader};

use crate::hostcalls;
use crate::plugin::Plugin;

/// The request of the effective context, fetched from Envoy when asked for.
pub(crate) struct Current;

impl Request for Current {
    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>> {
        hostcalls::request_header(header.name()).ok()
    }

    fn all(&mut self) -> Headers {
        hostcalls::request_headers().unwrap_or_default()
    }

    fn property(&mut self, property: Property) -> Option<Vec<u8>> {
        hostcalls::property(&property.path().replace('.', "\0")).ok()
    }
}

/// The world around the streams of one plugin.
pub(crate) struct World<'p>(pub(crate) &'p Plugin);

impl Env for World<'_> {
    fn random(&mut self) -> u64 {
        hostcalls::random()
    }

    fn unix_nanos(&mut self) -> u64 {
        hostcalls::unix_nanos()
    }

    fn monotonic_nanos(&mut self) -> u64 {
        hostcalls::monotonic_nanos()
    }

    fn count(&mut self, counter: Counter) {
        self.0.count(counter);
    }

    fn held(&mut self) -> u64 {
        self.0.held()
    }

    fn shared(&mut self, key: &[u8]) -> Option<Shared> {
        hostcalls::shared_data(key).ok()
    }

    fn share(&mut self, key: &[u8], value: &[u8], version: u32) -> bool {
        hostcalls::set_shared_data(key, value, version).is_ok()
    }
}

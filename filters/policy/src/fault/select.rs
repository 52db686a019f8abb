//! What decides whether a fault happens: chance, or a hash of something that the request brings.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Env;
use crate::chance::{fate, happens};
use crate::condition::View;
use crate::decode::config;

config! {
    /// A hash decides: requests that bring the same meet the same fate, at every Envoy and every time.
    pub struct FaultSelect {
        /// The header, in lower case. Of requests without it chance decides.
        pub header: String,
        /// Another seed is another choice.
        pub seed: String,
    }
}

/// Draws for one request.
pub(super) struct Fates<'f, 'r> {
    pub select: Option<&'f FaultSelect>,
    pub view: &'f mut View<'r>,
    pub env: &'f mut dyn Env,
}

impl Fates<'_, '_> {
    pub(super) fn happens(&mut self, per_million: u32, what: &'static str) -> bool {
        happens(per_million, || self.draw(what))
    }

    /// Independent for each thing that is drawn for.
    pub(super) fn draw(&mut self, what: &'static str) -> u64 {
        let by_hash = self.select.and_then(|select| {
            let values: Vec<&[u8]> = self.view.headers().values(select.header.as_bytes()).collect();
            // Of several values none is more right than the others: all of them together decide.
            (!values.is_empty()).then(|| fate(&select.seed, what, &values.join(&b","[..])))
        });
        by_hash.unwrap_or_else(|| self.env.random())
    }
}

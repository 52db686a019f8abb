//! An id for each request: the client's where it is trusted and well-formed, else a new one.

mod format;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

pub use self::format::RequestIdFormat;
use crate::client::{self, Network, Networks};
use crate::decode::config;
use crate::headers::HeaderName;
use crate::{Counter, Edits, Env, HeaderEdit, HttpPolicy, Request, SingleHeader, Verdict};

/// The filter's root id in the wasm module.
pub const REQUEST_ID_ROOT_ID: &str = "request-id";

/// Where Envoy has its own id of a request.
const ENVOYS: SingleHeader = SingleHeader::RequestId;

config! {
    /// One request-id plugin.
    pub struct RequestIdConfig {
        /// The header with the id.
        pub header: HeaderName,
        /// How new ids look.
        pub format: RequestIdFormat,
        /// Whether every client's id is kept.
        pub trust_all: bool = false,
        /// Clients whose id is kept.
        pub trust_from: Vec<Network>,
        /// So many entries of `x-forwarded-for` are believed.
        pub trusted_hops: u32 = 0,
        /// Whether a trusted client's id may be any token; else it has the format of new ones.
        pub accept_any: bool = false,
        /// The header of the response with the same id.
        pub response_header: Option<HeaderName>,
    }
}

/// A prepared [`RequestIdConfig`].
#[derive(Debug)]
pub struct RequestId {
    config: RequestIdConfig,
    trusted: Networks,
    is_envoys: bool,
}

impl HttpPolicy for RequestId {
    type Config = RequestIdConfig;
    const ROOT_ID: &'static str = REQUEST_ID_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::RequestIdKept, Counter::RequestIdReplaced];

    fn new(config: RequestIdConfig) -> RequestId {
        let trusted = Networks::new(&config.trust_from);
        let is_envoys = config.header.as_str() == ENVOYS.name();
        RequestId { config, trusted, is_envoys }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let name = || String::from(self.config.header.as_str());
        let (id, edit) = match self.kept(request) {
            Some(id) => {
                env.count(Counter::RequestIdKept);
                (id, Vec::new())
            }
            None => {
                env.count(Counter::RequestIdReplaced);
                let id = self.new_id(request, env);
                let edit = HeaderEdit::Replace { name: name(), value: id.clone() };
                (id, vec![edit])
            }
        };
        let echo = |header: &HeaderName| HeaderEdit::Replace { name: header.as_str().into(), value: id.clone() };
        let response = self.config.response_header.iter().map(echo).collect();
        Verdict::Continue(Edits { request: edit, response })
    }
}

impl RequestId {
    /// The client's id, if it is to be believed and the only one.
    fn kept(&self, request: &mut dyn Request) -> Option<Vec<u8>> {
        if !self.trusts(request) {
            return None;
        }
        let id = if self.is_envoys {
            request.single(ENVOYS)
        } else {
            let headers = request.all();
            let mut values = headers.values(self.config.header.as_str().as_bytes());
            let first = values.next().map(<[u8]>::to_vec);
            first.filter(|_| values.next().is_none())
        };
        let fits = |id: &Vec<u8>| if self.config.accept_any { is_id(id) } else { self.config.format.is(id) };
        id.filter(fits)
    }

    fn trusts(&self, request: &mut dyn Request) -> bool {
        if self.config.trust_all || self.trusted.is_empty() {
            return self.config.trust_all;
        }
        client::address(request, self.config.trusted_hops).is_some_and(|address| self.trusted.contain(address))
    }

    fn new_id(&self, request: &mut dyn Request, env: &mut dyn Env) -> Vec<u8> {
        let id = self.config.format.make(env);
        // Envoys read from the version of their own ids whether a request is traced.
        match (self.is_envoys, self.config.format) {
            (true, RequestIdFormat::Uuid4) => format::keep_trace(id, &request.single(ENVOYS).unwrap_or_default()),
            _ => id,
        }
    }
}

/// What can be an id of any system: visible, short, and the same in every header, log and address.
fn is_id(id: &[u8]) -> bool {
    let visible = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=:@".contains(byte);
    (1..=128).contains(&id.len()) && id.iter().all(visible)
}

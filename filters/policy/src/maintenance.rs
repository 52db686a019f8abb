//! Answers in place of a service that is being worked on: now, or at set times; not for those who work on it.

mod schedule;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use subtle::ConstantTimeEq as _;

pub use self::schedule::{Day, Minute, Weekly, Window};
use self::schedule::{Schedule, Under};
use crate::client::{self, Network, Networks};
use crate::condition::{Values, View};
use crate::decode::config;
use crate::fault::Status;
use crate::{Counter, Decode, Env, HeaderEdit, HttpPolicy, Invalid, LocalReply, Request, SingleHeader, Verdict, path};

/// The filter's root id in the wasm module.
pub const MAINTENANCE_ROOT_ID: &str = "maintenance";

/// gRPC's UNAVAILABLE: clients may try again.
const UNAVAILABLE: u8 = 14;

config! {
    /// One maintenance plugin. Without windows it holds at all times.
    pub struct MaintenanceConfig {
        /// Times that come once.
        pub windows: Vec<Window>,
        /// Times that come every week.
        pub weekly: Vec<Weekly>,
        /// Seconds after which clients may come back; none is the end of the window.
        pub retry_after: Option<u32>,
        /// Headers that let a request pass; they are taken out of it.
        pub pass_headers: Vec<PassSecret>,
        /// Cookies that let a request pass.
        pub pass_cookies: Vec<PassSecret>,
        /// Clients who pass.
        pub pass_from: Vec<Network>,
        /// So many entries of `x-forwarded-for` are believed.
        pub trusted_hops: u32 = 0,
        /// Paths that pass, without query.
        pub except_paths: Vec<String>,
        /// Beginnings of paths that pass.
        pub except_path_prefixes: Vec<String>,
        /// Of the answer.
        pub status: Status = Status(503),
        /// Of the answer.
        pub body: String = String::new(),
        /// Of the answer's body.
        pub content_type: String = String::new(),
    }
}

config! {
    /// A header or cookie whose value lets requests pass.
    pub struct PassSecret {
        /// What it is called; a header in lower case.
        pub name: String,
        /// The digest of its value.
        pub sha256: Digest,
    }
}

/// A prepared [`MaintenanceConfig`].
#[derive(Debug)]
pub struct Maintenance {
    schedule: Schedule,
    passing: Networks,
    config: MaintenanceConfig,
}

impl HttpPolicy for Maintenance {
    type Config = MaintenanceConfig;
    const ROOT_ID: &'static str = MAINTENANCE_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::MaintenanceAnswered, Counter::MaintenancePassed];

    fn new(mut config: MaintenanceConfig) -> Maintenance {
        config.pass_headers.iter_mut().for_each(|header| header.name.make_ascii_lowercase());
        let windows = core::mem::take(&mut config.windows);
        let schedule = Schedule::new(windows, core::mem::take(&mut config.weekly));
        Maintenance { schedule, passing: Networks::new(&config.pass_from), config }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let until = match self.schedule.now(env) {
            Under::Nothing => return Verdict::PASS,
            Under::Way { seconds_left } => seconds_left,
        };
        if self.is_excepted(request) {
            return Verdict::PASS;
        }
        let hops = self.config.trusted_hops;
        let is_known = |address| self.passing.contain(address);
        let is_passing = !self.passing.is_empty() && client::address(request, hops).is_some_and(is_known);
        let mut view = View::of(request);
        // Every digest is compared, so that how long it takes tells nothing.
        let by_header = self
            .config
            .pass_headers
            .iter()
            .fold(false, |passes, header| header.sha256.is_of(view.header(header.name.as_bytes())) | passes);
        let by_cookie = self.config.pass_cookies.iter().fold(false, |passes, cookie| {
            view.cookie(cookie.name.as_bytes(), |values| cookie.sha256.is_of(values)) | passes
        });
        if is_passing || by_header || by_cookie {
            env.count(Counter::MaintenancePassed);
            let removed = |header: &PassSecret| HeaderEdit::Remove { name: header.name.clone() };
            let edits: Vec<_> = self.config.pass_headers.iter().map(removed).collect();
            return Verdict::Continue(edits.into());
        }
        env.count(Counter::MaintenanceAnswered);
        let is_grpc =
            matches!(view.header(b"content-type"), Values::One(kind) if kind.starts_with(b"application/grpc"));
        Verdict::Respond(self.reply(until, is_grpc))
    }
}

impl Maintenance {
    fn is_excepted(&self, request: &mut dyn Request) -> bool {
        let MaintenanceConfig { except_paths, except_path_prefixes, .. } = &self.config;
        if except_paths.is_empty() && except_path_prefixes.is_empty() {
            return false;
        }
        let path = request.single(SingleHeader::Path).and_then(|target| path::normalised(&target));
        path.is_some_and(|path| {
            except_paths.iter().any(|except| except.as_bytes() == path)
                || except_path_prefixes.iter().any(|except| path.starts_with(except.as_bytes()))
        })
    }

    fn reply(&self, until: Option<u64>, is_grpc: bool) -> LocalReply {
        let mut headers = Vec::with_capacity(3);
        headers.push((Cow::Borrowed("cache-control"), "no-store".into()));
        if let Some(seconds) = self.config.retry_after.map(u64::from).or(until) {
            let seconds = crate::calendar::decimal(seconds);
            headers.push((Cow::Borrowed("retry-after"), String::from_utf8(seconds).unwrap_or_default()));
        }
        // Envoy would put it beside gRPC's own.
        if !is_grpc && !self.config.body.is_empty() && !self.config.content_type.is_empty() {
            headers.push((Cow::Borrowed("content-type"), self.config.content_type.clone()));
        }
        LocalReply {
            status: self.config.status.0,
            grpc_status: Some(UNAVAILABLE),
            headers,
            body: self.config.body.clone().into(),
            details: "meshwright_maintenance",
        }
    }
}

/// The SHA-256 of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Digest> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut digest = [0; 32];
        if pairs.len() != digest.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            let value = char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?;
            *byte = u8::try_from(value).ok()?;
        }
        Some(Digest(digest))
    }

    /// Whether there is one value and this is its digest.
    fn is_of(&self, values: Values<'_>) -> bool {
        let Values::One(value) = values else { return false };
        crate::sha256(value).ct_eq(&self.0).into()
    }
}

impl core::fmt::Debug for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
        let text: String = self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        serializer.serialize_str(&text)
    }
}

impl Decode for Digest {
    fn blank() -> Digest {
        Digest([0; 32])
    }

    fn decode(value: &crate::Value) -> Result<Digest, Invalid> {
        let digest = Digest::parse(&String::decode(value)?);
        digest.ok_or_else(|| Invalid::new("64 hexadecimal digits are expected"))
    }
}

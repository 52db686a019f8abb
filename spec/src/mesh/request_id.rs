//! An id for each request.

use super::{Cidr, Place};
use crate::block::{Block, Word};
use crate::source::Spanned;
use crate::value::{http, number};

/// An id for each request: the caller's where it is trusted, else a new one.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a request id", line)]
pub struct RequestId {
    /// The header with the id.
    #[field(value = http::HEADER_NAME, default = "x-request-id")]
    pub header: Option<Spanned<String>>,
    /// How new ids look.
    #[field(default = "uuid4")]
    pub format: Option<Spanned<RequestIdFormat>>,
    /// Whether the ids of all callers are kept.
    #[field(default = "false")]
    pub trust: Option<Spanned<bool>>,
    /// Networks of callers whose ids are kept.
    pub trust_from: Vec<Spanned<Cidr>>,
    /// How many proxies of ours stand before it: the client is whom the first of them wrote into `x-forwarded-for`. With 0
    /// it is whoever is connected; at a gateway, whom its own `trusted-hops` say.
    #[field(value = number::TRUSTED_HOPS, default = "0")]
    pub trusted_hops: Option<Spanned<u32>>,
    /// Whether what is kept may be any short token; else it has the format of new ids.
    #[field(default = "false")]
    pub accept_any: Option<Spanned<bool>>,
    /// The header of responses with the id of their request.
    #[field(value = http::HEADER_NAME)]
    pub response_header: Option<Spanned<String>>,
    #[field(place)]
    pub place: Place,
}

/// How ids of requests look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum RequestIdFormat {
    /// A UUID by chance (RFC 9562, version 4).
    Uuid4,
    /// A UUID that begins with the time (RFC 9562, version 7): later ids sort after earlier ones.
    Uuid7,
    /// A ULID: 26 letters and digits that begin with the time.
    Ulid,
    /// 32 hexadecimal digits by chance.
    Hex,
}

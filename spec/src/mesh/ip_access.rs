//! Which addresses may send requests.

use super::{Cidr, Engine, Place};
use crate::block::Block;
use crate::source::Spanned;
use crate::value::{http, number, text};

/// Which addresses may send requests, enforced where requests arrive, before anything else is asked of them.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "access by address", line, not_empty)]
pub struct IpAccess {
    /// Networks that may; where there are any, all others may not.
    pub allow: Vec<Spanned<Cidr>>,
    /// Networks that may not, even if they are allowed.
    pub deny: Vec<Spanned<Cidr>>,
    /// How many proxies of ours a request passes before it comes here: each has written an entry at the end of
    /// `x-forwarded-for`, and the first of these entries is the client. A gateway has its own `trusted-hops`.
    #[field(value = number::TRUSTED_HOPS, default = "0: the address that is connected")]
    pub trusted_hops: Option<Spanned<u32>>,
    /// What refused requests are answered.
    #[field(value = http::STATUS, default = "403")]
    pub status: Option<Spanned<u16>>,
    /// The body of that answer.
    #[field(value = text::PROSE)]
    pub body: Option<Spanned<String>>,
    /// Whether refusals are only counted.
    #[field(default = "false")]
    pub dry_run: Option<Spanned<bool>>,
    /// What decides: `native` knows `allow` and `deny` only.
    #[field(default = "wasm")]
    pub engine: Option<Spanned<Engine>>,
    #[field(place)]
    pub place: Place,
}

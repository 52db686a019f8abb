//! How requests are shared out among endpoints, and where they go when those fail.

use std::time::Duration;

use super::Place;
use crate::block::{Block, Choice, Word};
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{http, mesh, number, text, time};

/// How requests are shared out among endpoints.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "load balancing", not_empty)]
pub struct LoadBalancing {
    /// The policy.
    #[field(default = "round-robin")]
    pub policy: Option<Spanned<LoadBalancingPolicy>>,
    /// What `ring-hash` and `maglev` take the hash of, in this order.
    pub hash_on: Vec<HashOn>,
    /// A cookie that keeps a caller at one endpoint as long as that is healthy, with any policy.
    pub sticky_cookie: Option<StickyCookie>,
    /// How endpoints near the caller are preferred.
    pub locality: Option<Locality>,
    /// New endpoints get their share little by little.
    pub slow_start: Option<SlowStart>,
    /// When fewer endpoints than this are healthy, all are used; 0 never.
    #[field(value = number::WHOLE_PERCENT, default = "50")]
    pub panic_threshold: Option<Spanned<u32>>,
    /// How many endpoints `least-request` compares.
    #[field(value = number::CHOICES, default = "2")]
    pub choice_count: Option<Spanned<u32>>,
    /// The smallest ring of `ring-hash`.
    #[field(value = number::RING_SIZE, default = "1024")]
    pub min_ring_size: Option<Spanned<u32>>,
    #[field(place)]
    pub place: Place,
}

/// How an endpoint is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum LoadBalancingPolicy {
    /// In turn, by weight.
    RoundRobin,
    /// The one of a few random endpoints that has the fewest requests.
    LeastRequest,
    /// By chance.
    Random,
    /// By a hash of the request; when endpoints come and go, few callers move.
    RingHash,
    /// By a hash of the request; faster than `ring-hash`, and more callers move.
    Maglev,
}

/// What the hash of a request is taken of.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a hash key", line)]
pub struct HashOn {
    /// The part of the request.
    #[field(one_of)]
    pub key: Spanned<HashKey>,
    /// How long a cookie holds that the sidecar sets when the caller has none; 0s for the session.
    pub cookie_ttl: Option<Spanned<Duration>>,
    /// Whether what follows is left out when this is there.
    #[field(default = "false")]
    pub terminal: Option<Spanned<bool>>,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a key")]
pub enum HashKey {
    /// The value of a header.
    #[field(value = http::HEADER_NAME)]
    Header(String),
    /// The value of a cookie.
    #[field(value = http::HEADER_NAME)]
    Cookie(String),
    /// The value of a parameter of the query.
    #[field(value = text::NOT_EMPTY)]
    Query(String),
    /// The caller's address.
    SourceAddress,
}

/// A cookie that names the endpoint a caller stays at.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a sticky cookie", line)]
pub struct StickyCookie {
    /// The cookie.
    #[field(main, value = http::HEADER_NAME)]
    pub name: Spanned<String>,
    /// How long it holds; 0s for the session.
    #[field(default = "0s")]
    pub ttl: Option<Spanned<Duration>>,
    /// Under which paths browsers send it.
    #[field(value = http::PATH, default = "/")]
    pub path: Option<Spanned<String>>,
    /// Whether a request whose endpoint is gone is answered 503 instead of going elsewhere.
    #[field(default = "false")]
    pub strict: Option<Spanned<bool>>,
}

/// How endpoints near the caller are preferred.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "locality", line)]
pub struct Locality {
    /// How.
    #[field(main)]
    pub mode: Spanned<LocalityMode>,
    /// With fewer endpoints than this, zones do not matter.
    #[field(value = number::POSITIVE, default = "6")]
    pub min_endpoints: Option<Spanned<u32>>,
}

/// How endpoints near the caller are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum LocalityMode {
    /// They are not.
    Off,
    /// The caller's own zone as far as shares stay even (Envoy's zone-aware routing).
    ZoneAware,
    /// The caller's own zone, then its region, then the rest: each when those before are not healthy.
    Failover,
    /// Zones get shares by the weights of their endpoints.
    Weighted,
}

/// New endpoints get their share little by little.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a slow start", line)]
pub struct SlowStart {
    /// After this time they have their full share.
    #[field(main, value = time::POSITIVE)]
    pub window: Spanned<Duration>,
    /// The smallest share at the beginning.
    #[field(value = number::WHOLE_PERCENT, default = "10")]
    pub min_weight_percent: Option<Spanned<u32>>,
}

/// Where requests go when too few endpoints are healthy.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a failover", line)]
pub struct Failover {
    /// The other service.
    #[field(main, value = mesh::NAME)]
    pub service: Spanned<Name>,
    /// A subset of its endpoints.
    #[field(value = text::LABEL)]
    pub subset: Option<Spanned<String>>,
}

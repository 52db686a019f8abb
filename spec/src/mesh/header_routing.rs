//! Rules that send requests elsewhere by what they carry.

use std::time::Duration;

use super::{Engine, HashKey, HeaderMatch, HeaderValueMatch, Method, Place, QueryMatch, Target};
use crate::block::{Block, Word};
use crate::names::Name;
use crate::source::{Span, Spanned};
use crate::units::Percent;
use crate::value::{http, text};

/// Ordered rules that send a request to another service by what it carries; the first that takes it wins.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "header routing", not_empty)]
pub struct HeaderRouting {
    /// The rules, in order.
    #[field(key = "rule")]
    pub rules: Vec<RoutingRule>,
    /// What compares requests; a regular expression is the route table's in any case.
    #[field(default = "wasm")]
    pub engine: Option<Spanned<Engine>>,
}

/// Requests for which all of this holds go to `to`.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a rule", line, check = crate::decode::rule_chooses)]
pub struct RoutingRule {
    /// The service, or several that share the requests by their weights.
    #[field(key = "to")]
    pub to: Vec<Target>,
    /// What requests must carry.
    #[field(inline)]
    pub conditions: Conditions,
    /// The share of these requests that the rule takes.
    #[field(default = "100")]
    pub percent: Option<Spanned<Percent>>,
    /// Requests that have this in common are decided about alike, by every proxy.
    pub sticky: Option<Sticky>,
    /// Visitors stay where chance led them at first.
    pub visitor_cookie: Option<VisitorCookie>,
    /// Whether the rule only counts, and tells the service in `x-meshwright-route-dry-run` where it would have sent the
    /// request.
    #[field(default = "false")]
    pub dry_run: Option<Spanned<bool>>,
    #[field(place)]
    pub place: Place,
}

/// Conditions on a request: all must hold.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a condition")]
pub struct Conditions {
    /// One of these methods.
    #[field(key = "method")]
    pub methods: Vec<Spanned<Method>>,
    /// Conditions on headers: all must hold.
    #[field(key = "header")]
    pub headers: Vec<HeaderMatch>,
    /// Conditions on cookies: all must hold.
    #[field(key = "cookie")]
    pub cookies: Vec<CookieMatch>,
    /// Conditions on parameters of the query: all must hold.
    #[field(key = "query")]
    pub query: Vec<QueryMatch>,
    /// Of each such group one condition must hold.
    pub any: Vec<AnyOf>,
}

/// Conditions of which one must hold.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a group", not_empty)]
pub struct AnyOf {
    /// Conditions on headers.
    #[field(key = "header")]
    pub headers: Vec<HeaderMatch>,
    /// Conditions on cookies.
    #[field(key = "cookie")]
    pub cookies: Vec<CookieMatch>,
    /// Conditions on parameters of the query.
    #[field(key = "query")]
    pub query: Vec<QueryMatch>,
    /// Conditions that must hold together.
    pub all: Vec<AllOf>,
}

/// Conditions that must hold together.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a group", not_empty)]
pub struct AllOf {
    /// One of these methods.
    #[field(key = "method")]
    pub methods: Vec<Spanned<Method>>,
    /// Conditions on headers.
    #[field(key = "header")]
    pub headers: Vec<HeaderMatch>,
    /// Conditions on cookies.
    #[field(key = "cookie")]
    pub cookies: Vec<CookieMatch>,
    /// Conditions on parameters of the query.
    #[field(key = "query")]
    pub query: Vec<QueryMatch>,
}

/// A condition on one cookie.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a cookie match", line)]
pub struct CookieMatch {
    /// The cookie; case matters.
    #[field(main, value = http::HEADER_NAME)]
    pub name: Spanned<String>,
    /// How its value is compared.
    #[field(one_of)]
    pub value: Spanned<HeaderValueMatch>,
    /// Turns the result around.
    #[field(default = "false")]
    pub invert: Option<Spanned<bool>>,
    /// Whether the case of letters does not matter.
    #[field(default = "false")]
    pub ignore_case: Option<Spanned<bool>>,
}

/// What requests have in common that are decided about alike. A request without it, or with several, is not taken.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "stickiness", line)]
pub struct Sticky {
    /// The part of the request.
    #[field(one_of)]
    pub key: Spanned<HashKey>,
    /// Rules with one seed take the same requests: those of a smaller share are among those of a larger one.
    #[field(value = text::NOT_EMPTY, default = "the service and its first target")]
    pub seed: Option<Spanned<String>>,
}

/// A cookie that keeps what chance decided at a visitor's first visit.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a visitor cookie", line)]
pub struct VisitorCookie {
    /// The cookie.
    #[field(main, value = http::HEADER_NAME)]
    pub name: Spanned<String>,
    /// How long it holds; 0s for the session.
    #[field(default = "0s")]
    pub ttl: Option<Spanned<Duration>>,
    /// Under which paths browsers send it.
    #[field(value = http::COOKIE_PATH, default = "/")]
    pub path: Option<Spanned<String>>,
    /// Whether scripts cannot read it.
    #[field(default = "true")]
    pub http_only: Option<Spanned<bool>>,
    /// Whether browsers send it through TLS only.
    #[field(default = "false")]
    pub secure: Option<Spanned<bool>>,
    /// Whether browsers send it with requests of other sites.
    #[field(default = "lax")]
    pub same_site: Option<Spanned<SameSite>>,
}

/// With which requests of other sites a cookie goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum SameSite {
    /// With none.
    Strict,
    /// With those that follow a link.
    Lax,
    /// With all, if it is `secure`.
    None,
}

impl HeaderRouting {
    /// Where its rules lead.
    pub fn targets(&self) -> impl Iterator<Item = &Spanned<Name>> {
        self.rules.iter().flat_map(|rule| &rule.to).map(|target| &target.service)
    }

    /// Every condition on a header.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderMatch> {
        self.rules.iter().flat_map(|rule| rule.conditions.all_headers())
    }
}

impl RoutingRule {
    /// Where it was declared.
    pub fn span(&self) -> Option<Span> {
        self.place.0.or(self.to.first().map(|target| target.service.span))
    }
}

impl Conditions {
    /// Those on headers, wherever they stand.
    pub fn all_headers(&self) -> impl Iterator<Item = &HeaderMatch> {
        let together = self.any.iter().flat_map(|any| &any.all).flat_map(|all| &all.headers);
        self.headers.iter().chain(self.any.iter().flat_map(|any| &any.headers)).chain(together)
    }

    /// Those on cookies, wherever they stand.
    pub fn all_cookies(&self) -> impl Iterator<Item = &CookieMatch> {
        let together = self.any.iter().flat_map(|any| &any.all).flat_map(|all| &all.cookies);
        self.cookies.iter().chain(self.any.iter().flat_map(|any| &any.cookies)).chain(together)
    }

    /// Those on the query, wherever they stand.
    pub fn all_query(&self) -> impl Iterator<Item = &QueryMatch> {
        let together = self.any.iter().flat_map(|any| &any.all).flat_map(|all| &all.query);
        self.query.iter().chain(self.any.iter().flat_map(|any| &any.query)).chain(together)
    }
}

impl CookieMatch {
    /// Whether the result is turned around.
    pub fn inverted(&self) -> bool {
        self.invert.as_ref().is_some_and(|invert| invert.value)
    }
}

//! What becomes of requests: targets, rewrites, redirects, answers, mirrors, changes to headers.

use std::time::Duration;

use super::{Method, Place, Scheme};
use crate::block::{Block, Choice};
use crate::names::Name;
use crate::source::Spanned;
use crate::units::Percent;
use crate::value::{http, mesh, network, number, text};

/// Where requests go, or what they are answered.
#[derive(Clone, Debug, PartialEq, Choice)]
#[block(what = "an outcome")]
pub enum RouteAction {
    /// Services that share the requests by their weights.
    To(Vec<Target>),
    /// The caller is sent elsewhere.
    #[field(inline)]
    Redirect(Box<Redirect>),
    /// The sidecar or gateway answers itself.
    #[field(inline)]
    Respond(Box<Respond>),
}

/// A share of a route's requests.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a target", line)]
pub struct Target {
    /// The service.
    #[field(main, value = mesh::NAME)]
    pub service: Spanned<Name>,
    /// Relative to the other targets, in any unit.
    #[field(default = "1")]
    pub weight: Option<Spanned<u32>>,
    /// A subset of its endpoints.
    #[field(value = text::LABEL)]
    pub subset: Option<Spanned<String>>,
    /// Changes to the headers of requests of this share.
    pub request_headers: Option<Box<HeaderEdits>>,
    /// Changes to the headers of responses of this share.
    pub response_headers: Option<Box<HeaderEdits>>,
}

/// The caller is sent elsewhere; what is not said stays as it was.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a redirect", line, not_empty)]
pub struct Redirect {
    /// The new scheme.
    pub scheme: Option<Spanned<Scheme>>,
    /// The new host.
    #[field(value = http::HOST_NAME)]
    pub host: Option<Spanned<String>>,
    /// The new port.
    #[field(value = network::PORT)]
    pub port: Option<Spanned<u16>>,
    /// The new path.
    #[field(one_of)]
    pub path: Option<Spanned<PathRewrite>>,
    /// 301, 302, 303, 307 or 308.
    #[field(value = http::STATUS, default = "301")]
    pub status: Option<Spanned<u16>>,
    /// Whether the query is left out.
    #[field(default = "false")]
    pub strip_query: Option<Spanned<bool>>,
    #[field(place)]
    pub place: Place,
}

/// An answer without asking anyone.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an answer", line)]
pub struct Respond {
    /// The status of the answer.
    #[field(main, value = http::STATUS)]
    pub status: Spanned<u16>,
    /// The body of the answer; at most 4,096 bytes.
    #[field(value = text::PROSE)]
    pub body: Option<Spanned<String>>,
    /// What the body is.
    #[field(default = "text/plain")]
    pub content_type: Option<Spanned<String>>,
}

/// What the service sees in place of what was asked.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a rewrite", line, not_empty)]
pub struct Rewrite {
    /// The path.
    #[field(one_of)]
    pub path: Option<Spanned<PathRewrite>>,
    /// A part of the path, by a regular expression.
    pub regex: Option<RegexRewrite>,
    /// The host.
    #[field(one_of)]
    pub host: Option<Spanned<HostRewrite>>,
    #[field(place)]
    pub place: Place,
}

/// What replaces the path.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a new path")]
pub enum PathRewrite {
    /// Replaces what `path-prefix` matched.
    #[field(key = "prefix", value = http::PATH)]
    Prefix(String),
    /// Replaces the whole path; the query stays.
    #[field(key = "path", value = http::PATH)]
    Full(String),
}

/// What replaces the host.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a new host")]
pub enum HostRewrite {
    /// This name.
    #[field(key = "host", value = http::HOST_NAME)]
    Name(String),
    /// The name of the service that the request goes to: App Mesh's `defaultTargetHostname`.
    #[field(key = "host-of-service")]
    OfService,
    /// The host is kept as the caller said it.
    #[field(key = "host-kept")]
    Kept,
    /// The value of this header.
    #[field(key = "host-from-header", value = http::HEADER_NAME)]
    FromHeader(String),
}

/// What a regular expression finds in the path is replaced.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a replacement", line)]
pub struct RegexRewrite {
    /// What is found (RE2), as often as it occurs.
    #[field(main, value = http::REGEX)]
    pub pattern: Spanned<String>,
    /// What stands there instead; `\1` is the first group.
    #[field(value = text::PROSE)]
    pub substitution: Spanned<String>,
}

/// Copies of requests; their answers are thrown away.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a mirror", line)]
pub struct Mirror {
    /// The service that gets the copies.
    #[field(key = "to", value = mesh::NAME)]
    pub to: Spanned<Name>,
    /// A subset of its endpoints.
    #[field(value = text::LABEL)]
    pub subset: Option<Spanned<String>>,
    /// The share of requests that are copied.
    #[field(value = number::PERCENT, default = "100")]
    pub percent: Option<Spanned<Percent>>,
}

/// Changes to headers, in this order: remove, set, add.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a set of changes to headers", not_empty)]
pub struct HeaderEdits {
    /// Headers that are taken away.
    #[field(value = http::HEADER_NAME)]
    pub remove: Vec<Spanned<String>>,
    /// Headers that get this value alone.
    pub set: Vec<HeaderValue>,
    /// Headers that get this value beside what they have.
    pub add: Vec<HeaderValue>,
}

/// A header and its value.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a header", line)]
pub struct HeaderValue {
    /// The header.
    #[field(main, value = http::HEADER_NAME)]
    pub name: Spanned<String>,
    /// Its value, as it stands here.
    #[field(value = http::HEADER_VALUE)]
    pub value: Spanned<String>,
    /// Whether `%…%` in the value means what it means to Envoy's formatter. Otherwise it stands for itself.
    #[field(default = "false")]
    pub format: Option<Spanned<bool>>,
}

/// Cross-origin requests of web pages (Fetch standard, 3.2).
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a set of cross-origin rules", not_empty)]
pub struct Cors {
    /// Origins that may, such as `https://shop.example`; `*` for any.
    #[field(value = http::ORIGIN)]
    pub allow_origin: Vec<Spanned<String>>,
    /// Origins that may, by a regular expression (RE2).
    #[field(value = http::REGEX)]
    pub allow_origin_regex: Vec<Spanned<String>>,
    /// Methods that may be used.
    pub allow_method: Vec<Spanned<Method>>,
    /// Headers that may be sent.
    #[field(value = http::HEADER_NAME)]
    pub allow_header: Vec<Spanned<String>>,
    /// Headers of the response that pages may read.
    #[field(value = http::HEADER_NAME)]
    pub expose_header: Vec<Spanned<String>>,
    /// Whether cookies and credentials may be sent.
    #[field(default = "false")]
    pub allow_credentials: Option<Spanned<bool>>,
    /// How long browsers remember the answer.
    pub max_age: Option<Spanned<Duration>>,
    #[field(place)]
    pub place: Place,
}

//! A route: which requests, and what becomes of them.

use std::time::Duration;

use super::{Cors, HeaderEdits, Method, Mirror, NumberRange, Place, RateLimit, Retry, Rewrite, RouteAction, Target};
use crate::block::{Block, Choice, Word};
use crate::source::{Span, Spanned};
use crate::value::{http, network, number, text};

// Blocks that few routes have are boxed: a mesh has tens of thousands of routes.
/// Requests that match go to the targets, in proportion to their weights, or are answered at once.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a route", line)]
pub struct Route {
    /// Which requests.
    #[field(inline)]
    pub matches: RouteMatch,
    /// Routes with a lower number are tried first, those without one last; among equals, the order of the text.
    #[field(value = number::ROUTE_PRIORITY)]
    pub priority: Option<Spanned<u32>>,
    /// Time limit of a request, retries included; 0s for none.
    pub timeout: Option<Spanned<Duration>>,
    /// Time limit of a stream on which nothing happens; 0s for none.
    pub idle_timeout: Option<Spanned<Duration>>,
    /// Whether WebSocket upgrades pass.
    #[field(default = "true")]
    pub websocket: Option<Spanned<bool>>,
    /// Further tries of failed requests.
    pub retry: Option<Retry>,
    /// What the service sees in place of what was asked.
    pub rewrite: Option<Box<Rewrite>>,
    /// Copies of requests that go elsewhere too.
    #[field(key = "mirror")]
    pub mirrors: Vec<Mirror>,
    /// How many requests of this route are accepted.
    #[field(key = "rate-limit")]
    pub rate_limits: Vec<RateLimit>,
    /// Which web pages of other origins may send requests.
    pub cors: Option<Box<Cors>>,
    /// Changes to the headers of requests.
    pub request_headers: Option<Box<HeaderEdits>>,
    /// Changes to the headers of responses.
    pub response_headers: Option<Box<HeaderEdits>>,
    /// Where requests go, or what they are answered.
    #[field(one_of)]
    pub action: Spanned<RouteAction>,
}

/// Conditions on a request: all must hold. Without any, every request matches.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a match")]
pub struct RouteMatch {
    /// The path.
    #[field(one_of)]
    pub path: Option<Spanned<PathMatch>>,
    /// Whether the case of the path's letters must be the same.
    #[field(default = "true")]
    pub case_sensitive: Option<Spanned<bool>>,
    /// One of these methods.
    #[field(key = "method")]
    pub methods: Vec<Spanned<Method>>,
    /// How the request came.
    pub scheme: Option<Spanned<Scheme>>,
    /// The port that the caller named, or that the listener has.
    #[field(value = network::PORT)]
    pub port: Option<Spanned<u16>>,
    /// Conditions on headers; for gRPC, metadata is headers.
    #[field(key = "header")]
    pub headers: Vec<HeaderMatch>,
    /// Conditions on gRPC metadata: another word for `header`.
    pub metadata: Vec<HeaderMatch>,
    /// Conditions on parameters of the query.
    #[field(key = "query")]
    pub query: Vec<QueryMatch>,
    /// A gRPC service and method.
    pub grpc: Option<Box<GrpcMatch>>,
    #[field(place)]
    pub place: Place,
}

/// How the path, without its query, is compared.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a path")]
pub enum PathMatch {
    /// Paths that begin so. Whole segments are not required, as in Envoy: `/adm` takes `/admin`.
    #[field(key = "path-prefix", value = http::PATH)]
    Prefix(String),
    /// This path alone.
    #[field(key = "path", value = http::PATH)]
    Exact(String),
    /// Paths that the regular expression (RE2) matches as a whole.
    #[field(key = "path-regex", value = http::REGEX)]
    Regex(String),
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// A condition on one request header.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a header match", line)]
pub struct HeaderMatch {
    /// The header; case does not matter.
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

/// How a header's value is compared.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a comparison")]
pub enum HeaderValueMatch {
    /// This value.
    #[field(value = text::AS_WRITTEN)]
    Exact(String),
    /// Values that begin so.
    #[field(value = text::NOT_EMPTY)]
    Prefix(String),
    /// Values that end so.
    #[field(value = text::NOT_EMPTY)]
    Suffix(String),
    /// Values in which this stands.
    #[field(value = text::NOT_EMPTY)]
    Contains(String),
    /// Values that the regular expression (RE2) matches as a whole.
    #[field(value = http::REGEX)]
    Regex(String),
    /// Whole numbers of this range; its end is not in it.
    Range(NumberRange),
    /// The header is there, with any value.
    Present,
}

/// A condition on one parameter of the query.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a query match", line)]
pub struct QueryMatch {
    /// The parameter.
    #[field(main, value = text::NOT_EMPTY)]
    pub name: Spanned<String>,
    /// How its value is compared.
    #[field(one_of)]
    pub value: Spanned<QueryValueMatch>,
    /// Whether the case of letters does not matter.
    #[field(default = "false")]
    pub ignore_case: Option<Spanned<bool>>,
}

/// How a parameter's value is compared.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a comparison")]
pub enum QueryValueMatch {
    /// This value.
    #[field(value = text::AS_WRITTEN)]
    Exact(String),
    /// Values that begin so.
    #[field(value = text::NOT_EMPTY)]
    Prefix(String),
    /// Values that end so.
    #[field(value = text::NOT_EMPTY)]
    Suffix(String),
    /// Values in which this stands.
    #[field(value = text::NOT_EMPTY)]
    Contains(String),
    /// Values that the regular expression (RE2) matches as a whole.
    #[field(value = http::REGEX)]
    Regex(String),
    /// The parameter is there, with any value.
    Present,
}

/// A gRPC service and method.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a gRPC match", line)]
pub struct GrpcMatch {
    /// The full name of the service, such as `shop.v1.Cart`.
    pub service: Spanned<String>,
    /// One method of it; without, all.
    pub method: Option<Spanned<String>>,
}

impl Route {
    /// The services that share its requests; none when it answers itself.
    pub fn targets(&self) -> &[Target] {
        match &self.action.value {
            RouteAction::To(targets) => targets,
            RouteAction::Redirect(_) | RouteAction::Respond(_) => &[],
        }
    }

    /// Where it says which requests: its path, else the route itself.
    pub fn span(&self) -> Span {
        let path = self.matches.path.as_ref().map(|path| path.span);
        path.or(self.matches.place.0).unwrap_or(self.action.span)
    }
}

impl RouteMatch {
    /// Conditions on headers, gRPC metadata among them.
    pub fn all_headers(&self) -> impl Iterator<Item = &HeaderMatch> {
        self.headers.iter().chain(&self.metadata)
    }
}

impl HeaderMatch {
    /// A comparison and nothing else.
    pub fn of(name: Spanned<String>, value: HeaderValueMatch) -> Self {
        let value = Spanned::new(value, name.span);
        Self { name, value, invert: None, ignore_case: None }
    }

    /// Whether the result is turned around.
    pub fn inverted(&self) -> bool {
        self.invert.as_ref().is_some_and(|invert| invert.value)
    }
}

//! A route: which requests, and to which services they go.

use std::time::Duration;

use super::policy::Retry;
use crate::names::Name;
use crate::source::Spanned;

/// Requests that match path and every header go to the targets, in proportion to their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Without a path of its own, every path; then its place is the route's.
    pub path: Spanned<PathMatch>,
    pub headers: Vec<HeaderMatch>,
    /// Never empty after decoding without errors.
    pub targets: Vec<Target>,
    pub timeout: Option<Spanned<Duration>>,
    pub retry: Option<Retry>,
}

/// How the path, without its query, is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// Whole path segments are not required, as in Envoy: `/adm` takes `/admin`. Begins with `/`.
    Prefix(String),
    Exact(String),
}

/// A condition on one request header.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderMatch {
    /// Lower case.
    pub name: Spanned<String>,
    pub value: HeaderValueMatch,
    pub invert: bool,
}

/// How a header's value is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValueMatch {
    Exact(String),
    Prefix(String),
    Suffix(String),
    /// The header is there, with any value.
    Present,
}

/// A share of a route's requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub service: Spanned<Name>,
    /// Relative to the route's other targets; default 1.
    pub weight: Option<Spanned<u32>>,
}

//! Changes of headers at the service's own sidecar or the gateway, with values made of the request.

use crate::block::Block;
use crate::source::Spanned;
use crate::value::http;

/// Changes of headers, with values made of the request.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a set of header changes", not_empty)]
pub struct Headers {
    /// Of requests.
    pub request: Option<TemplatedEdits>,
    /// Of responses, whoever gives them.
    pub response: Option<TemplatedEdits>,
}

/// Changes of headers: first what is removed, then what is set, then what is added, then the defaults.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a set of header changes", not_empty)]
pub struct TemplatedEdits {
    /// Headers that are taken away.
    #[field(value = http::HEADER_NAME)]
    pub remove: Vec<Spanned<String>>,
    /// Headers that get this value alone; none, where it cannot be made.
    pub set: Vec<TemplatedHeader>,
    /// Headers that get this value beside what they have, if it can be made.
    pub add: Vec<TemplatedHeader>,
    /// Headers that get this value where they have none, if it can be made.
    pub default: Vec<TemplatedHeader>,
}

/// A header and how its value is made.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a header", line)]
pub struct TemplatedHeader {
    /// The header.
    #[field(main, value = http::HEADER_NAME)]
    pub name: Spanned<String>,
    /// Its value: text, with `{…}` for what a request says.
    #[field(value = http::TEMPLATE)]
    pub value: Spanned<String>,
}

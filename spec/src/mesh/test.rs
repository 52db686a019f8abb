//! Requests and what they must meet.

use super::{Decision, Entry, Method};
use crate::block::Block;
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{http, mesh, text};

/// A request and what it must meet, checked without a network.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a test", check = crate::decode::test_is_whole)]
pub struct Test {
    /// What it shows.
    #[field(name, value = text::TEXT)]
    pub name: Spanned<String>,
    /// The request.
    pub request: Option<TestRequest>,
    /// What it must meet.
    pub expect: Option<Expectation>,
}

/// A request of a test.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a request", line)]
pub struct TestRequest {
    /// The node or gateway that it is sent to.
    #[field(value = mesh::NODE)]
    pub from: Spanned<Name>,
    /// Its method.
    #[field(default = "GET")]
    pub method: Option<Spanned<Method>>,
    /// Where it goes.
    #[field(value = http::URL)]
    pub url: Spanned<String>,
    /// Its headers.
    #[field(entries)]
    pub headers: Vec<Entry>,
}

/// What a request must meet. What is not said may be anything.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an expectation", line, not_empty)]
pub struct Expectation {
    /// The status of the answer.
    #[field(value = http::STATUS)]
    pub status: Option<Spanned<u16>>,
    /// The filter, route or service that answers.
    pub by: Option<Spanned<String>>,
    /// The service that gets it.
    #[field(value = mesh::NAME)]
    pub to: Option<Spanned<Name>>,
    /// The subset that gets it.
    #[field(value = text::LABEL)]
    pub subset: Option<Spanned<String>>,
    /// The path that the service sees.
    #[field(value = http::PATH)]
    pub path: Option<Spanned<String>>,
    /// The host that the service sees.
    #[field(value = http::HOST_NAME)]
    pub host: Option<Spanned<String>>,
    /// Where a redirect leads.
    pub location: Option<Spanned<String>>,
    /// Headers that the service sees.
    #[field(entries)]
    pub headers: Vec<Entry>,
    /// Whether authorization lets it pass.
    pub access: Option<Spanned<Decision>>,
}

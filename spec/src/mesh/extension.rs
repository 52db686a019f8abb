//! The user's own: wasm filters, and changes to the Envoy configuration itself.

use super::Place;
use crate::block::{Block, Choice, Word};
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{http, mesh, text};

/// A wasm filter of the user's own.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a wasm filter")]
pub struct WasmFilter {
    /// What `filter` calls it.
    #[field(name, value = mesh::NAME)]
    pub name: Spanned<Name>,
    /// Where the module is.
    #[field(one_of)]
    pub module: Spanned<WasmModuleSource>,
    /// The sha256 digest of the module's bytes.
    #[field(value = text::SHA256)]
    pub sha256: Option<Spanned<String>>,
    /// Which of the module's filters.
    #[field(default = "the only one")]
    pub root_id: Option<Spanned<String>>,
    /// What the filter is configured with.
    #[field(one_of)]
    pub configuration: Option<Spanned<WasmConfiguration>>,
    /// What happens to requests when the filter fails.
    #[field(default = "reload")]
    pub failure: Option<Spanned<WasmFailure>>,
}

/// Where a wasm module is.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "its module")]
pub enum WasmModuleSource {
    /// A file, relative to the file that names it.
    #[field(value = text::FILE)]
    File(String),
    /// A URL that sidecars fetch; needs `sha256`.
    #[field(value = http::URL)]
    Url(String),
}

/// What a wasm filter is configured with.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a configuration")]
pub enum WasmConfiguration {
    /// This text.
    #[field(key = "configuration", value = text::PROSE)]
    Text(String),
    /// The content of a file, relative to the file that names it.
    #[field(key = "configuration-file", value = text::FILE)]
    File(String),
}

/// What happens to requests when a wasm filter fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum WasmFailure {
    /// They are refused until the filter is started anew, within about a second.
    Reload,
    /// They are refused for ever.
    Closed,
    /// They pass without the filter.
    Open,
}

/// A wasm filter where it works.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a use of a filter", line)]
pub struct FilterUse {
    /// The filter.
    #[field(main, value = mesh::NAME)]
    pub name: Spanned<Name>,
    /// Which requests it sees.
    #[field(default = "inbound")]
    pub at: Option<Spanned<FilterPosition>>,
    /// Replaces the filter's own configuration here.
    #[field(value = text::PROSE)]
    pub configuration: Option<Spanned<String>>,
}

/// Which requests a filter sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum FilterPosition {
    /// Those that come in, after authentication and authorization.
    Inbound,
    /// Those that come in, before anything else.
    InboundFirst,
    /// Those that go out.
    Outbound,
}

/// What does the work of a policy inside Envoy. The verdicts are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Engine {
    /// Meshwright's own filter.
    #[default]
    Wasm,
    /// A filter of Envoy's own, or its route table: faster, and not able to do everything.
    Native,
}

/// A change to the Envoy configuration itself: what is said here is merged into the resource, and checked.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an Envoy overlay", line)]
pub struct Overlay {
    /// Which resources.
    #[field(main)]
    pub target: Spanned<OverlayTarget>,
    /// Only the resource of this name.
    pub name: Option<Spanned<String>>,
    /// What is merged, in Envoy's JSON.
    #[field(one_of)]
    pub source: Spanned<OverlaySource>,
    /// Why this is needed: whoever comes next wants to know.
    pub reason: Option<Spanned<String>>,
    #[field(place)]
    pub place: Place,
}

/// What an overlay changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum OverlayTarget {
    /// `envoy.config.bootstrap.v3.Bootstrap`.
    Bootstrap,
    /// `envoy.config.listener.v3.Listener`.
    Listener,
    /// `…HttpConnectionManager` of a listener.
    HttpConnectionManager,
    /// `envoy.config.route.v3.RouteConfiguration`.
    RouteConfiguration,
    /// `envoy.config.cluster.v3.Cluster`.
    Cluster,
}

/// What is merged.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a change")]
pub enum OverlaySource {
    /// This text.
    #[field(value = text::PROSE)]
    Json(String),
    /// The content of a file, relative to the file that names it.
    #[field(value = text::FILE)]
    File(String),
}

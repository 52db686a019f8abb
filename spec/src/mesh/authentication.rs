//! Who is calling: tokens, keys, or another server's word.

use std::time::Duration;

use super::{HeaderMatch, Place};
use crate::block::{Block, Choice, Word};
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{http, mesh, number, text, time};

/// Signed tokens (RFC 7519) that requests must bring.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "token authentication", line)]
pub struct Jwt {
    /// Providers of which one must have signed the token.
    #[field(key = "provider", value = mesh::NAME)]
    pub providers: Vec<Spanned<Name>>,
    /// Requests without a token pass, those with a bad one do not.
    #[field(default = "false")]
    pub optional: Option<Spanned<bool>>,
    /// Paths that need no token.
    #[field(value = http::PATH)]
    pub except_path_prefix: Vec<Spanned<String>>,
    #[field(place)]
    pub place: Place,
}

/// Who signs tokens.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a token provider")]
pub struct JwtProvider {
    /// What `jwt` calls it.
    #[field(name, value = mesh::NAME)]
    pub name: Spanned<Name>,
    /// The `iss` of its tokens.
    pub issuer: Option<Spanned<String>>,
    /// Tokens must have one of these as `aud`.
    #[field(key = "audience", value = text::TEXT)]
    pub audiences: Vec<Spanned<String>>,
    /// Its public keys (RFC 7517).
    #[field(one_of)]
    pub keys: Spanned<JwtKeys>,
    /// How long fetched keys are kept.
    #[field(value = time::POSITIVE, default = "5m")]
    pub cache: Option<Spanned<Duration>>,
    /// Headers where tokens are looked for; `authorization` as `Bearer`.
    #[field(value = http::HEADER_NAME, default = "authorization")]
    pub from_header: Vec<Spanned<String>>,
    /// Parameters of the query where tokens are looked for.
    #[field(value = text::NOT_EMPTY)]
    pub from_query: Vec<Spanned<String>>,
    /// Cookies where tokens are looked for.
    #[field(value = http::HEADER_NAME)]
    pub from_cookie: Vec<Spanned<String>>,
    /// Whether the application gets the token.
    #[field(default = "false")]
    pub forward: Option<Spanned<bool>>,
    /// Header in which the application gets the claims, as base64url of JSON.
    #[field(value = http::HEADER_NAME)]
    pub forward_claims_header: Option<Spanned<String>>,
    /// How far clocks may differ.
    #[field(default = "60s")]
    pub clock_skew: Option<Spanned<Duration>>,
}

/// Where a provider's public keys are.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "its keys")]
pub enum JwtKeys {
    /// A file of keys (JWKS), relative to the file that names it.
    #[field(key = "jwks-file", value = text::FILE)]
    File(String),
    /// A URL that sidecars fetch; its host must be an egress host or a service.
    #[field(key = "jwks-url", value = http::URL)]
    Url(String),
}

/// Keys of callers.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "key authentication", line)]
pub struct ApiKey {
    /// Where the key stands in requests.
    #[field(one_of)]
    pub source: Spanned<ApiKeySource>,
    /// Path of a file with a line `CLIENT:KEY` each, relative to the file that names it.
    #[field(value = text::FILE)]
    pub keys_file: Spanned<String>,
    /// Header in which the application gets the client's name.
    #[field(value = http::HEADER_NAME)]
    pub forward_client_header: Option<Spanned<String>>,
    /// Whether the key is taken out of the request.
    #[field(default = "true")]
    pub hide: Option<Spanned<bool>>,
}

/// Where a caller's key stands in requests.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a source")]
pub enum ApiKeySource {
    /// A header.
    #[field(value = http::HEADER_NAME)]
    Header(String),
    /// A parameter of the query.
    #[field(value = text::NOT_EMPTY)]
    Query(String),
    /// A cookie.
    #[field(value = http::HEADER_NAME)]
    Cookie(String),
}

/// Another server is asked about each request (Envoy's `ext_authz`).
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "external authorization", line)]
pub struct ExternalAuth {
    /// The service of the mesh that is asked.
    #[field(value = mesh::NAME)]
    pub service: Spanned<Name>,
    /// Asked over gRPC; otherwise over HTTP.
    #[field(default = "false")]
    pub grpc: Option<Spanned<bool>>,
    /// What stands before the path of the question, over HTTP.
    #[field(value = http::PATH)]
    pub path_prefix: Option<Spanned<String>>,
    /// Time limit of an answer.
    #[field(value = time::POSITIVE, default = "200ms")]
    pub timeout: Option<Spanned<Duration>>,
    /// What happens when there is no answer.
    #[field(default = "closed")]
    pub failure: Option<Spanned<FailureMode>>,
    /// Headers of the request that are sent along, over HTTP.
    #[field(value = http::HEADER_NAME)]
    pub send_header: Vec<Spanned<String>>,
    /// Headers of the answer that the application gets.
    #[field(value = http::HEADER_NAME)]
    pub accept_header: Vec<Spanned<String>>,
    /// The largest part of the body that is sent along, in bytes; 0 for none.
    #[field(value = number::COUNT, default = "0")]
    pub max_body_bytes: Option<Spanned<u32>>,
    /// Only requests with these headers are asked about.
    #[field(key = "header")]
    pub headers: Vec<HeaderMatch>,
}

/// What happens to requests when a check cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum FailureMode {
    /// They are refused.
    Closed,
    /// They pass.
    Open,
}

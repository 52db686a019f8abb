//! Who is calling: tokens, keys, or another server's word.

use std::time::Duration;

use super::{Engine, HeaderMatch, Place};
use crate::block::{Block, Choice, Word};
use crate::names::Name;
use crate::source::{Span, Spanned};
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
#[block(what = "key authentication", line, check = crate::decode::key_stands_somewhere)]
pub struct ApiKey {
    /// Headers where the key may stand; in `authorization` behind `scheme`.
    #[field(key = "header", value = http::HEADER_NAME)]
    pub headers: Vec<Spanned<String>>,
    /// Parameters of the query where the key may stand.
    #[field(key = "query", value = text::NOT_EMPTY)]
    pub queries: Vec<Spanned<String>>,
    /// Cookies where the key may stand.
    #[field(key = "cookie", value = http::HEADER_NAME)]
    pub cookies: Vec<Spanned<String>>,
    /// The word before a key in `authorization`.
    #[field(value = text::NOT_EMPTY, default = "Bearer")]
    pub scheme: Option<Spanned<String>>,
    /// Path of a file with a line `CLIENT:KEY` or `CLIENT:{SHA256}HASH` each, relative to the file that names it.
    #[field(value = text::FILE)]
    pub keys_file: Spanned<String>,
    /// Clients that may pass; others are refused with 403.
    #[field(key = "client", value = text::NOT_EMPTY, default = "all of the file")]
    pub clients: Vec<Spanned<String>>,
    /// Header in which the application gets the client's name.
    #[field(value = http::HEADER_NAME)]
    pub forward_client_header: Option<Spanned<String>>,
    /// Whether the key is taken out of the request.
    #[field(default = "true")]
    pub hide: Option<Spanned<bool>>,
    /// What checks them: `native` needs the keys themselves, and trusts the first of several.
    #[field(default = "wasm")]
    pub engine: Option<Spanned<Engine>>,
}

impl ApiKey {
    /// Where it says where keys stand. The decoder lets nothing pass that says so nowhere.
    pub fn place(&self) -> Span {
        let sources = self.headers.iter().chain(&self.queries).chain(&self.cookies);
        sources.map(|source| source.span).next().unwrap_or(self.keys_file.span)
    }
}

/// Requests that their callers have signed (RFC 9421) with a shared secret.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a signature of requests", line)]
pub struct HmacSignature {
    /// Path of a file with a line `KEYID:SECRET` or `KEYID:{BASE64}SECRET` each, relative to the file that names it.
    #[field(value = text::FILE)]
    pub secrets_file: Spanned<String>,
    /// What a signature must be about: parts of the request such as `@path`, and headers.
    #[field(key = "component", value = http::SIGNED, default = "@method, @authority, @path, @query")]
    pub components: Vec<Spanned<String>>,
    /// The only label that counts, where requests have several signatures.
    #[field(value = text::NOT_EMPTY)]
    pub label: Option<Spanned<String>>,
    /// The only tag that counts, where requests have several signatures.
    #[field(value = text::NOT_EMPTY)]
    pub tag: Option<Spanned<String>>,
    /// How old a signature may be.
    #[field(value = time::POSITIVE, default = "5m")]
    pub max_age: Option<Spanned<Duration>>,
    /// How far clocks may differ.
    #[field(default = "30s")]
    pub clock_skew: Option<Spanned<Duration>>,
    /// Whether a signature must have a nonce.
    #[field(default = "false")]
    pub require_nonce: Option<Spanned<bool>>,
    /// About how many signatures each Envoy remembers so that none comes twice; 0 for none.
    #[field(value = number::COUNT, default = "262144")]
    pub replay_memory: Option<Spanned<u32>>,
    /// Whether bodies must be signed by their `content-digest`.
    #[field(default = "true")]
    pub check_body: Option<Spanned<bool>>,
    /// Ids of keys that may pass; others are refused with 403.
    #[field(key = "client", value = text::NOT_EMPTY, default = "all of the file")]
    pub clients: Vec<Spanned<String>>,
    /// Header in which the application gets the key's id.
    #[field(value = http::HEADER_NAME)]
    pub forward_client_header: Option<Spanned<String>>,
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

//! What a policy decides about a request.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// The decision about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let the request through.
    Continue(Edits),
    /// Answer it here.
    Respond(LocalReply),
    /// Hold it back, then answer it or let it through.
    Delay {
        /// How long. Never 0.
        millis: u32,
        /// Made before it is held back.
        edits: Edits,
        /// The answer after the delay; none lets the request through.
        then: Option<LocalReply>,
    },
    /// Let the request through once its whole body has arrived and has this digest. Envoy answers 413 where it is too
    /// large to be held.
    CheckBody {
        /// Made when the body is as it should be.
        edits: Edits,
        /// The SHA-256 that the body must have.
        sha256: [u8; 32],
        /// The answer where it has another.
        refused: LocalReply,
    },
}

impl Verdict {
    /// Lets the request through as it is.
    pub const PASS: Verdict = Verdict::Continue(Edits { request: Vec::new(), response: Vec::new() });
}

/// Changes of headers, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Of the request.
    pub request: Vec<HeaderEdit>,
    /// Of the response, whoever gives it, but for this filter's own answers.
    pub response: Vec<HeaderEdit>,
}

/// One change of headers. Names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Remove every value.
    Remove {
        /// The header's name.
        name: String,
    },
    /// Remove every value, then set this one.
    Replace {
        /// The header's name.
        name: String,
        /// Its only value from now on.
        value: Vec<u8>,
    },
    /// Add a value to those that are there.
    Add {
        /// The header's name.
        name: String,
        /// One more value.
        value: Vec<u8>,
    },
    /// Set a value where there is none.
    Default {
        /// The header's name.
        name: String,
        /// Its value if it has none.
        value: Vec<u8>,
    },
}

/// An answer given by the filter itself. Of a gRPC request Envoy makes status 200 with a gRPC status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status.
    pub status: u16,
    /// The gRPC status for gRPC requests; none is what Envoy makes of the HTTP status.
    pub grpc_status: Option<u8>,
    /// Headers beside those which Envoy adds. Names are in lower case.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Cow<'static, str>,
    /// What access logs show as the response code's details: never anything of the request.
    pub details: &'static str,
}

impl From<Vec<HeaderEdit>> for Edits {
    /// Edits of the request alone.
    fn from(request: Vec<HeaderEdit>) -> Edits {
        Edits { request, response: Vec::new() }
    }
}

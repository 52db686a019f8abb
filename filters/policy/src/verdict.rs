//! What a policy decides about a request.

/// The decision about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let the request through, with these edits of its headers, in order.
    Continue(Vec<HeaderEdit>),
    /// Answer it here.
    Respond(LocalReply),
    /// Hold it back, then answer it or let it through as it is.
    Delay {
        /// How long. Never 0.
        millis: u32,
        /// The answer after the delay; none lets the request through.
        then: Option<LocalReply>,
    },
}

/// One change of the request's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Remove every value.
    Remove {
        /// The header's name, in lower case.
        name: String,
    },
    /// Remove every value, then set this one.
    Replace {
        /// The header's name, in lower case.
        name: String,
        /// Its only value from now on.
        value: Vec<u8>,
    },
}

/// An answer given by the filter itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside those which Envoy adds.
    pub headers: Vec<(&'static str, String)>,
    /// The body, as plain text.
    pub body: &'static str,
    /// What access logs show as the response code's details.
    pub details: &'static str,
}

//! What became of a request.

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For how long the filter held it, in virtual time.
    pub delayed_millis: u64,
    /// Where it ended.
    pub end: End,
}

/// Where a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The filter let it through, with these headers.
    Continued {
        /// Names in lower case, pseudo headers first.
        headers: Vec<(Vec<u8>, Vec<u8>)>,
        /// The response's headers as the client gets them.
        response: Vec<(Vec<u8>, Vec<u8>)>,
    },
    /// The filter answered it.
    Replied(Reply),
    /// The filter closed the stream.
    Closed,
    /// The filter holds it and asks never to be woken again, or not within an hour.
    Held,
}

/// An answer given by the filter, before Envoy adds its own headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u32,
    /// The headers that the filter gave.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// The response code details.
    pub details: String,
    /// The gRPC status, if the filter gave one.
    pub grpc_status: Option<i32>,
}

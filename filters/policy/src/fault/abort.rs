//! The answer that a request gets in place of the upstream's.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::decode::config;
use crate::{Decode, Invalid, LocalReply};

/// As Envoy's own filter says.
const BODY: &str = "fault filter abort";

config! {
    /// An answer in place of the upstream's.
    pub struct FaultAbort {
        /// The HTTP status, from 200 to 599.
        pub status: Status,
        /// The gRPC status for gRPC requests; without it, what Envoy makes of the HTTP status.
        pub grpc_status: Option<u8>,
        /// The body; without it, Envoy's words. gRPC requests find it in `grpc-message`.
        pub body: Option<String>,
        /// Headers of the answer.
        pub headers: Vec<FaultHeader>,
        /// How many requests of a million; more is all of them.
        pub per_million: u32,
    }
}

config! {
    /// A header of an answer.
    pub struct FaultHeader {
        /// Its name, in lower case.
        pub name: HeaderName,
        /// Its value.
        pub value: HeaderValue,
    }
}

impl FaultAbort {
    pub(super) fn reply(&self) -> LocalReply {
        let header = |header: &FaultHeader| (Cow::Owned(header.name.0.clone()), header.value.0.clone());
        LocalReply {
            status: self.status.0,
            grpc_status: self.grpc_status,
            headers: self.headers.iter().map(header).collect(),
            body: self.body.as_ref().map_or(Cow::Borrowed(BODY), |body| Cow::Owned(body.clone())),
            details: "meshwright_fault_abort",
        }
    }
}

/// What a gRPC status is where HTTP is spoken (`google.rpc.Code`): an error, not 200 as of Envoy's own filter. Of no
/// gRPC status that says of an error: none.
pub fn http_status_of_grpc(status: u8) -> Option<u16> {
    match status {
        1 => Some(499),
        2 | 13 | 15 => Some(500),
        3 | 9 | 11 => Some(400),
        4 => Some(504),
        5 => Some(404),
        6 | 10 => Some(409),
        7 => Some(403),
        8 => Some(429),
        12 => Some(501),
        14 => Some(503),
        16 => Some(401),
        _ => None,
    }
}

/// A status from 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Status(pub u16);

impl Status {
    pub(super) fn known(status: u16) -> Option<Status> {
        (200..=599).contains(&status).then_some(Status(status))
    }
}

impl Decode for Status {
    fn decode(value: serde_json::Value) -> Result<Status, Invalid> {
        Status::known(u16::decode(value)?).ok_or_else(|| Invalid::new("a status from 200 to 599 is expected"))
    }
}

/// The name of a header that an answer may have: a token in lower case, of none that frame a message.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct HeaderName(pub String);

impl Decode for HeaderName {
    fn decode(value: serde_json::Value) -> Result<HeaderName, Invalid> {
        let mut name = String::decode(value)?;
        name.make_ascii_lowercase();
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let frames = ["connection", "content-length", "transfer-encoding", "upgrade"].contains(&name.as_str());
        if name.is_empty() || frames || !name.bytes().all(is_token) {
            return Err(Invalid::new("the name of a header is expected, of none that frames the message"));
        }
        Ok(HeaderName(name))
    }
}

/// A value without control characters.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct HeaderValue(pub String);

impl Decode for HeaderValue {
    fn decode(value: serde_json::Value) -> Result<HeaderValue, Invalid> {
        let value = String::decode(value)?;
        if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(Invalid::new("a header's value has no control characters"));
        }
        Ok(HeaderValue(value))
    }
}

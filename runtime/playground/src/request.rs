//! A request as JSON.
//!
//! ```json
//! {
//!   "headers": [[":method", "GET"], [":authority", "shop.svc"], [":path", "/"], ["cookie", "a=1"]],
//!   "body": "", "source": "10.0.0.1:4000", "peer": "spiffe://mesh/shop",
//!   "upstream": [["server", "x"]], "repeat": 1, "pause_millis": 0, "at": 1700000000, "random": [0]
//! }
//! ```
//! Only `headers` must be there. Each character of a header or a body is one byte, so none is above U+00FF.

use policy::testdata::Case;
use policy::{Header, Property};
use serde::Deserialize;

/// Reads a request.
pub(crate) fn read(json: &str) -> Result<Case, String> {
    let text: RequestText = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let source = text.source.map(|address| (Property::SourceAddress, address));
    let peer = text.peer.map(|uri| (Property::PeerUri, uri));
    Ok(Case {
        request: headers(&text.headers)?,
        body: bytes(&text.body)?,
        properties: source.into_iter().chain(peer).collect(),
        upstream: headers(&text.upstream)?,
        repeat: text.repeat,
        pause_millis: text.pause_millis,
        at: text.at,
        random: text.random,
        ..Case::default()
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestText {
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    source: Option<String>,
    peer: Option<String>,
    #[serde(default)]
    upstream: Vec<(String, String)>,
    #[serde(default = "once")]
    repeat: u32,
    #[serde(default)]
    pause_millis: u64,
    at: Option<u64>,
    random: Option<Vec<u64>>,
}

fn once() -> u32 {
    1
}

fn headers(pairs: &[(String, String)]) -> Result<Vec<Header>, String> {
    pairs.iter().map(|(name, value)| Ok((bytes(name)?, bytes(value)?))).collect()
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let byte = |character| u8::try_from(character).map_err(|_| format!("`{character}` is not one byte"));
    text.chars().map(byte).collect()
}

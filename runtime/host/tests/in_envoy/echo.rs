//! What the upstream got, as it tells in its answer.

use policy::Header;
use serde_json::Value;

use crate::bootstrap::LOCAL;
use crate::wire::Response;

/// The headers of the forwarded request, in Envoy's form and with values [`as_told`]: none of a HEAD request, whose
/// answer has no body. `None` if Envoy answered itself.
pub(crate) fn forwarded(response: &Response) -> Option<Vec<Header>> {
    if response.header(LOCAL).is_some() {
        return None;
    }
    if response.body.is_empty() {
        return Some(Vec::new());
    }
    let told: Value = serde_json::from_slice(&response.body).expect("the upstream answers with JSON");
    let text = |value: &Value| value.as_str().expect("a text").as_bytes().to_vec();
    let mut headers = vec![
        (b":method".to_vec(), text(&told["method"])),
        (b":authority".to_vec(), text(&told["host"])),
        (b":path".to_vec(), text(&told["path"])),
    ];
    for (name, values) in told["headers"].as_object().expect("the headers").iter().filter(|(name, _)| *name != "host") {
        let values = values.as_array().expect("a list of values");
        headers.extend(values.iter().map(|value| (name.as_bytes().to_vec(), text(value))));
    }
    Some(headers)
}

/// A value as the upstream tells it: bytes that are not UTF-8 cannot be text, so they are escaped.
pub(crate) fn as_told(value: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(value) {
        Ok(_) => value.to_vec(),
        Err(_) => value.escape_ascii().collect(),
    }
}

//! What became of a request, as JSON: `forwarded` or `replied`, each character one byte.

use policy::Header;
use policy::testdata::{End, Observed};
use serde::Serialize;

/// Writes what became of a request.
pub(crate) fn write(observed: &Observed) -> String {
    let end = match &observed.end {
        End::Forwarded { headers, response } => {
            EndText::Forwarded { headers: pairs(headers), response: pairs(response) }
        }
        End::Replied { status, headers, body, details } => {
            EndText::Replied { status: *status, headers: pairs(headers), body: text(body), details }
        }
    };
    // Texts and numbers can always be written.
    serde_json::to_string(&Decision { delay_millis: observed.delay_millis, end }).unwrap_or_default()
}

#[derive(Serialize)]
struct Decision<'o> {
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_millis: Option<u32>,
    #[serde(flatten)]
    end: EndText<'o>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum EndText<'o> {
    Forwarded { headers: Vec<(String, String)>, response: Vec<(String, String)> },
    Replied { status: u16, headers: Vec<(String, String)>, body: String, details: &'o str },
}

fn pairs(headers: &[Header]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (text(name), text(value))).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

//! Does a little of everything that a host must provide; the request's headers say what.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

/// What every request of the plugin shares.
#[derive(Clone)]
pub(crate) struct Plugin {
    /// The plugin's configuration.
    pub(crate) greeting: Vec<u8>,
    /// The counter of requests.
    pub(crate) requests: u32,
}

pub(crate) struct Probe(pub(crate) Plugin);

impl Context for Probe {}

impl HttpContext for Probe {
    /// - `x-probe-forbid` is answered with 403 and its value;
    /// - `x-probe-repeat` names a header, which gets the values `a` and `b`;
    /// - `x-probe-list` is answered with every header, as the filter sees them;
    /// - `x-probe-text` is read as a `String`, at the SDK's peril;
    /// - `x-probe-bytes` is read as bytes and copied, and every request that goes on is greeted.
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        // A counter of our own can always be incremented.
        let _ = hostcalls::increment_metric(self.0.requests, 1);
        if let Some(reason) = self.get_http_request_header_bytes("x-probe-forbid") {
            self.send_http_response(403, vec![("x-probe", "forbidden")], Some(&reason));
            return Action::Pause;
        }
        if let Some(name) = self.get_http_request_header("x-probe-repeat") {
            self.remove_http_request_header(&name);
            self.add_http_request_header(&name, "a");
            self.add_http_request_header(&name, "b");
        }
        if self.get_http_request_header_bytes("x-probe-list").is_some() {
            self.send_http_response(200, vec![], Some(&self.listed()));
            return Action::Pause;
        }
        if let Some(text) = self.get_http_request_header("x-probe-text") {
            self.set_http_request_header("x-probe-text", Some(&text.to_uppercase()));
        }
        if let Some(bytes) = self.get_http_request_header_bytes("x-probe-bytes") {
            self.add_http_request_header_bytes("x-probe-copy", &bytes);
            self.remove_http_request_header("x-probe-bytes");
        }
        self.add_http_request_header_bytes("x-probe-greeting", &self.0.greeting);
        Action::Continue
    }
}

impl Probe {
    /// `name: value`, line by line.
    fn listed(&self) -> Vec<u8> {
        let headers = self.get_http_request_headers_bytes();
        let lines = headers.into_iter().map(|(name, value)| [name.as_bytes(), b": ", &value, b"\n"].concat());
        lines.collect::<Vec<_>>().concat()
    }
}

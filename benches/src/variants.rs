//! What is compared: no filter, Envoy's own, one that does nothing, and each of ours, idle or nearly so.

use local::Request;
use serde_json::{Value, json};

use crate::filters::{CREDENTIALS, cases};
use crate::in_envoy::{HOST, Variant, ours, sdk};

/// SHA-1 of `hopper`: the one format that Envoy's own filter reads.
const HASH: &str = "{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=";

/// Every variant. The first two are what others are compared with.
pub fn all() -> Vec<Variant> {
    let native_users = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
        "users": { "inline_string": format!("grace:{HASH}\n") },
    });
    let native_fault = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": { "http_status": 503, "percentage": { "numerator": 0 } },
    });
    let mut variants = vec![
        variant(NO_FILTER, vec![]),
        variant(NO_OP, vec![ours("no-op", &json!({}))]),
        variant("no-op (proxy-wasm library)", vec![sdk("sdk-no-op")]),
        variant("basic-auth, Envoy's own", vec![native_users]),
        variant("fault (idle), Envoy's own", vec![native_fault]),
    ];
    variants.extend(cases().into_iter().map(|case| variant(case.name, vec![ours(case.root_id, &case.config)])));
    variants
}

/// Every filter of ours in one chain.
pub fn together() -> Vec<Value> {
    cases().iter().map(|case| ours(case.root_id, &case.config)).collect()
}

pub const NO_FILTER: &str = "no filter";
pub const NO_OP: &str = "no-op";

/// A chain, and requests that pass it.
pub fn variant(name: &'static str, filters: Vec<Value>) -> Variant {
    let request = Request::get("/orders?page=2").host(HOST).header("x-canary", "off");
    let request = CREDENTIALS.iter().fold(request, |request, (name, value)| request.header(name, value));
    Variant { name, filters, request }
}

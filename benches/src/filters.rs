//! One request through each filter: its pure core, natively, and the wasm module in wasmtime.

use anyhow::Context;
use host::{Module, Options, Vm};
use policy::{Counter, Env, HeaderList, Property, Shared, Verdict};
use serde_json::{Value, json};

/// bcrypt of `hopper` at cost 10: the first check takes a tenth of a second.
const BCRYPT: &str = "$2b$10$CCCCCCCCCCCCCCCCCCCCC.mUTm4HDgXr/8204ryODputAMHX2Kxw6";

/// Who is connected.
const CLIENT: &str = "10.1.2.3:4000";

/// What passes every filter.
pub const CREDENTIALS: [(&str, &str); 4] = [
    ("authorization", "Basic Z3JhY2U6aG9wcGVy"),
    ("x-api-key", "bench-key-0123456789"),
    ("signature-input", "sig=(\"@method\");created=1700000000;keyid=\"bench\";alg=\"hmac-sha256\""),
    ("signature", "sig=:bl7XUhELHNOlQgbIwWV8JdftNCCioRWnrUC+Nktdzi0=:"),
];

/// Headers as a client sends them: nine, and [`CREDENTIALS`].
pub const REQUEST: [(&str, &str); 13] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/orders?page=2"),
    (":authority", "beta.svc"),
    ("user-agent", "bench/1.0"),
    ("accept", "*/*"),
    CREDENTIALS[0],
    CREDENTIALS[1],
    CREDENTIALS[2],
    CREDENTIALS[3],
    ("x-request-id", "5e3f3a52-8d3f-4f0f-8d53-0d2b6a8b1c11"),
    ("x-canary", "off"),
    ("x-forwarded-proto", "http"),
];

/// A filter and a configuration under which [`REQUEST`] goes on unchanged.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub root_id: &'static str,
    pub config: Value,
}

/// The filters, idle: the usual case, and the one that every request pays for.
pub fn cases() -> Vec<Case> {
    let users = json!([{ "name": "grace", "hash": "{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=" }]);
    let basic_auth = json!({ "realm": "bench", "users": users });
    let fault = json!({ "abort": { "status": 503, "per_million": 0 } });
    let routing = json!({ "rules": [{
        "when": [{ "header": { "name": "x-canary", "value": { "exact": "on" } } }],
        "to": [{ "route": "canary.svc" }],
    }] });
    let bcrypt = json!({ "realm": "bench", "users": [{ "name": "grace", "hash": BCRYPT }] });
    let api_key = json!({
        "realm": "bench",
        "sources": [{ "header": { "name": "x-api-key" } }],
        "keys": [{ "client": "bench", "sha256": "88e25f587f42453eeca4edbd33293e4d348d9a594b23c649f70bb5169c80592a" }],
    });
    let signature = json!({
        "owner": "bench",
        "components": ["@method"],
        "max_age_seconds": 4_000_000_000_u32,
        "clock_skew_seconds": 10,
        "replay_memory": 0,
        "keys": [{ "id": "bench", "secret": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" }],
    });
    let limit = json!({
        "owner": "bench",
        "limits": [{ "name": "all", "requests": 1_000_000, "per_millis": 1000, "burst": 1_000_000 }],
    });
    let headers = json!({ "request": [{ "set": { "name": "x-asked", "value": "{method} {path}" } }] });
    let maintenance = json!({ "windows": [{ "from": 1_000_000_000, "until": 1_000_000_001 }] });
    vec![
        Case { name: "basic-auth", root_id: policy::BASIC_AUTH_ROOT_ID, config: basic_auth },
        Case { name: "basic-auth, bcrypt 10", root_id: policy::BASIC_AUTH_ROOT_ID, config: bcrypt },
        Case { name: "fault (idle)", root_id: policy::FAULT_ROOT_ID, config: fault },
        Case { name: "header-routing", root_id: policy::HEADER_ROUTING_ROOT_ID, config: routing },
        Case { name: "api-key", root_id: policy::API_KEY_ROOT_ID, config: api_key },
        Case { name: "hmac-signature", root_id: policy::HMAC_SIGNATURE_ROOT_ID, config: signature },
        Case {
            name: "ip-access",
            root_id: policy::IP_ACCESS_ROOT_ID,
            config: json!({ "deny": ["192.0.2.0/24", "198.51.100.0/24"] }),
        },
        Case { name: "rate-limit", root_id: policy::RATE_LIMIT_ROOT_ID, config: limit },
        Case { name: "headers", root_id: policy::HEADERS_ROOT_ID, config: headers },
        Case { name: "maintenance (idle)", root_id: policy::MAINTENANCE_ROOT_ID, config: maintenance },
        Case {
            name: "request-id",
            root_id: policy::REQUEST_ID_ROOT_ID,
            config: json!({ "header": "x-correlation-id", "format": "uuid7" }),
        },
    ]
}

/// Decides a request; whether it went on.
pub type Core = Box<dyn FnMut(&mut HeaderList) -> bool>;

/// The core of a case, ready to decide.
pub fn native(case: &Case) -> anyhow::Result<Core> {
    let filter = policy::find(case.root_id).context(case.root_id)?;
    let mut policy = (filter.configure)(case.config.to_string().as_bytes())?;
    Ok(Box::new(move |request| {
        // A signature without a signed digest is of a request without a body.
        matches!(policy.on_request(request, &mut Still), Verdict::Continue(_) | Verdict::CheckBody { .. })
    }))
}

/// A world in which nothing happens.
struct Still;

impl Env for Still {
    fn random(&mut self) -> u64 {
        0
    }

    fn unix_nanos(&mut self) -> u64 {
        1_790_000_000_000_000_000
    }

    fn monotonic_nanos(&mut self) -> u64 {
        0
    }

    fn count(&mut self, _: Counter) {}

    fn held(&mut self) -> u64 {
        0
    }

    fn shared(&mut self, _: &[u8]) -> Option<Shared> {
        None
    }

    fn share(&mut self, _: &[u8], _: &[u8], _: u32) -> bool {
        true
    }
}

/// The module in wasmtime, configured for a case.
pub fn wasm(module: &Module, case: &Case) -> anyhow::Result<Vm> {
    let properties = [(Property::SourceAddress.path().to_owned(), CLIENT.into())].into();
    let options = Options { properties, ..Options::default() };
    module.start(case.root_id, &case.config.to_string(), options).context(case.root_id)
}

/// [`REQUEST`] as cores see it.
pub fn request() -> HeaderList {
    let headers = HeaderList::from_wire(REQUEST.map(|(name, value)| (name.into(), value.into())));
    headers.with_property(Property::SourceAddress, CLIENT)
}

#[cfg(test)]
mod tests {
    use host::End;

    use super::*;

    #[test]
    fn every_case_lets_the_request_go_on() {
        let module = Module::load(artifacts::MODULE).expect("our module loads");
        for case in cases() {
            assert!(native(&case).expect("a core")(&mut request()), "{}", case.root_id);
            let outcome = wasm(&module, &case).expect("a machine").http_request(REQUEST).expect("no trap");
            assert!(matches!(outcome.end, End::Continued { .. }), "{}: {outcome:?}", case.root_id);
        }
    }
}

//! One request through each filter: its pure core, natively, and the wasm module in wasmtime.

use anyhow::Context;
use host::{Module, Options, Vm};
use policy::{Counter, Env, HeaderList, Shared, Verdict};
use serde_json::{Value, json};

/// Headers as a client sends them: ten, one of them a credential.
pub const REQUEST: [(&str, &str); 10] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/orders?page=2"),
    (":authority", "beta.svc"),
    ("user-agent", "bench/1.0"),
    ("accept", "*/*"),
    ("authorization", "Basic Z3JhY2U6aG9wcGVy"),
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
    let basic_auth = json!({ "rules": [{
        "realm": "bench", "users": users,
    }] });
    let fault = json!({ "abort": { "status": 503, "per_million": 0 } });
    let routing = json!({ "rules": [{
        "route": "canary.svc",
        "headers": [{ "name": "x-canary", "value": { "exact": "on" }, "invert": false }],
    }] });
    vec![
        Case { name: "basic-auth", root_id: policy::BASIC_AUTH_ROOT_ID, config: basic_auth },
        Case { name: "fault (idle)", root_id: policy::FAULT_ROOT_ID, config: fault },
        Case { name: "header-routing", root_id: policy::HEADER_ROUTING_ROOT_ID, config: routing },
    ]
}

/// Decides a request; whether it went on.
pub type Core = Box<dyn FnMut(&mut HeaderList) -> bool>;

/// The core of a case, ready to decide.
pub fn native(case: &Case) -> anyhow::Result<Core> {
    let filter = policy::find(case.root_id).context(case.root_id)?;
    let mut policy = (filter.configure)(case.config.to_string().as_bytes())?;
    Ok(Box::new(move |request| matches!(policy.on_request(request, &mut Still), Verdict::Continue { .. })))
}

/// A world in which nothing happens.
struct Still;

impl Env for Still {
    fn random(&mut self) -> u64 {
        0
    }

    fn unix_nanos(&mut self) -> u64 {
        0
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
    module.start(case.root_id, &case.config.to_string(), Options::default()).context(case.root_id)
}

/// [`REQUEST`] as cores see it.
pub fn request() -> HeaderList {
    HeaderList::from_wire(REQUEST.map(|(name, value)| (name.into(), value.into())))
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

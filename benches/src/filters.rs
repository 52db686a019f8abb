//! One request through each filter: its pure core, natively, and the wasm module in wasmtime.

use anyhow::Context;
use host::{Module, Options, Vm};
use policy::{BasicAuth, Env, Fault, HeaderList, HeaderRouting, HttpPolicy, Verdict};
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
    pub root_id: &'static str,
    pub config: Value,
}

/// The filters, idle: the usual case, and the one that every request pays for.
pub fn cases() -> Vec<Case> {
    let users = json!([{ "name": "grace", "hash": "{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=" }]);
    let basic_auth = json!({ "rules": [{
        "hosts": [], "exempt_paths": [], "realm": "bench", "users": users, "forward_user_header": null,
    }] });
    let fault = json!({ "rules": [{
        "hosts": ["beta.svc"], "exempt_paths": ["/healthz"], "delay": null,
        "abort": { "status": 503, "per_million": 0 },
    }] });
    let routing = json!({ "rules": [{
        "hosts": ["beta.svc"], "route": "canary.svc",
        "headers": [{ "name": "x-canary", "value": { "exact": "on" }, "invert": false }],
    }] });
    vec![
        Case { root_id: policy::BASIC_AUTH_ROOT_ID, config: basic_auth },
        Case { root_id: policy::FAULT_ROOT_ID, config: fault },
        Case { root_id: policy::HEADER_ROUTING_ROOT_ID, config: routing },
    ]
}

/// Decides a request; whether it went on.
pub type Core = Box<dyn FnMut(&mut HeaderList) -> bool>;

/// The core of a case, ready to decide.
pub fn native(case: &Case) -> anyhow::Result<Core> {
    match case.root_id {
        policy::BASIC_AUTH_ROOT_ID => core::<BasicAuth>(case),
        policy::FAULT_ROOT_ID => core::<Fault>(case),
        _ => core::<HeaderRouting>(case),
    }
}

fn core<P: HttpPolicy + 'static>(case: &Case) -> anyhow::Result<Core> {
    let policy = P::new(serde_json::from_value(case.config.clone())?);
    Ok(Box::new(move |request| {
        let mut env = Env { random: &mut || 0, count: &mut |_| {} };
        matches!(policy.on_request(request, &mut env), Verdict::Continue { .. })
    }))
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

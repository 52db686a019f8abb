//! Requests that nobody thought of: the wasm host and Envoy give the same verdict.

use std::cell::RefCell;
use std::collections::BTreeMap;

use meshwright_host::{End, Module, Options, Vm};
use policy::Header;
use policy::testdata::{Table, tables};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::bootstrap::{listener_name, plugins};
use crate::world::World;
use serde_json::Value;

use crate::{echo, wire};

/// What both engines must agree on: the answer's status, or what the filters do to a request that
/// is forwarded.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Replied(u32),
    Forwarded(BTreeMap<String, Vec<Vec<u8>>>),
}

#[test]
fn random_requests_are_decided_alike() {
    let tables = tables().expect("the tables are well-formed");
    let envoy = World::start(&plugins(&tables));
    let module = Module::load(artifacts::MODULE).expect("the module loads");
    let certain = certain_plugins(&tables);
    let start = |(root_id, name, config): &(&'static str, String, String)| {
        let vm = module.start(root_id, config, Options::default()).expect("the filter starts");
        (envoy.listener(&listener_name(root_id, name)), RefCell::new(vm))
    };
    let engines: Vec<_> = certain.iter().map(start).collect();

    let config = Config { cases: 1500, failure_persistence: None, ..Config::default() };
    let decided = TestRunner::new(config).run(&(0..engines.len(), request()), |(plugin, request)| {
        let (listener, vm) = &engines[plugin];
        let in_host = in_host(&mut vm.borrow_mut(), &request);
        let in_envoy = in_envoy(wire::receive(wire::send(*listener, &wire::request(&request))));
        prop_assert_eq!(in_host, in_envoy, "{:?}", certain[plugin]);
        Ok(())
    });
    decided.unwrap_or_else(|difference| panic!("{difference}"));
}

/// The plugins whose decisions depend on the request alone: nothing on chance, the time, who is connected, or what came
/// before.
fn certain_plugins(tables: &[Table]) -> Vec<(&'static str, String, String)> {
    let pure =
        tables.iter().filter(|table| ["api-key", "basic-auth", "fault", "header-routing"].contains(&table.root_id));
    let all =
        pure.flat_map(|table| table.configs.iter().map(|(name, config)| (table.root_id, name.clone(), config.clone())));
    let is_certain = |config: &str| {
        let config = serde_json::from_str(config).expect("a configuration is JSON");
        !depends(&config)
    };
    all.filter(|(_, _, config)| is_certain(config)).collect()
}

/// Whether something in a configuration makes chance, the clock or the connection decide.
fn depends(config: &Value) -> bool {
    match config {
        Value::Object(fields) => fields.iter().any(|(name, value)| match name.as_str() {
            "per_million" => value.as_u64().is_none_or(|share| (1..1_000_000).contains(&share)),
            "weight" | "starts" | "ends" | "from" | "max_active" | "control" | "up_to" => true,
            "to" => value.as_array().is_some_and(|to| to.len() > 1),
            _ => depends(value),
        }),
        Value::Array(items) => items.iter().any(depends),
        _ => false,
    }
}

fn in_host(vm: &mut Vm, request: &[Header]) -> Verdict {
    let outcome = vm.http_request(request.iter().map(|(name, value)| (name, value)));
    match outcome.expect("no trap").end {
        End::Continued { headers, .. } => {
            let told: Vec<Header> = headers.into_iter().map(|(name, value)| (name, echo::as_told(&value))).collect();
            forwarded(&told)
        }
        End::Replied(reply) => Verdict::Replied(reply.status),
        end => panic!("the request is {end:?}"),
    }
}

fn in_envoy(response: wire::Response) -> Verdict {
    match echo::forwarded(&response) {
        Some(headers) => forwarded(&headers),
        None => Verdict::Replied(u32::from(response.status)),
    }
}

const NAMES: [&str; 10] = [
    "authorization",
    "cookie",
    "user-agent",
    "x-admin",
    "x-canary",
    "x-debug",
    "x-meshwright-route",
    "x-public",
    "x-tenant",
    "x-user",
];

fn forwarded(headers: &[Header]) -> Verdict {
    let mut values: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, value) in headers {
        let name = String::from_utf8_lossy(name).into_owned();
        if NAMES.contains(&name.as_str()) {
            values.entry(name).or_default().push(value.clone());
        }
    }
    Verdict::Forwarded(values)
}

fn request() -> impl Strategy<Value = Vec<Header>> {
    let authority = prop::sample::select(vec![
        "shop.svc",
        "SHOP.svc:8080",
        "admin.svc",
        "x.admin.svc",
        "admin.example",
        "broken.svc",
        "plain.svc",
        "agents.svc",
        "cookies.svc",
        "posts.svc",
        "a.always.svc",
        "other.svc",
    ]);
    let path = prop::sample::select(vec!["/", "/healthz", "/healthz?x=/", "/healthz/", "/a?b"]);
    let method = prop::sample::select(vec!["GET", "PUT", "POST"]);
    (method, authority, path, vec(header(), 0..6)).prop_map(|(method, authority, path, headers)| {
        let pseudo = [(":method", method), (":authority", authority), (":path", path)];
        let pseudo = pseudo.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        pseudo.into_iter().chain(headers).collect()
    })
}

fn header() -> impl Strategy<Value = Header> {
    let upper = |name: &str| name.to_ascii_uppercase().into_bytes();
    let name = (prop::sample::select(&NAMES[..]), any::<bool>())
        .prop_map(move |(name, shout)| if shout { upper(name) } else { name.into() });
    let value = prop_oneof![
        prop::sample::select(vec!["on", "off", "on,on", "yes", "acme-1", "curl/8", "wget", ""])
            .prop_map(|value| value.as_bytes().to_vec()),
        prop::sample::select(vec![
            "Basic YWxpY2U6c2VjcmV0",
            "basic  Ym9iOm9wZW4gc2VzYW1l",
            "Basic cm9vdDp0b29y",
            "Basic YWxpY2U6c2VjcmV0,",
            "Basic\tYWxpY2U6c2VjcmV0",
            "Basic YWxpY2U6c2VjcmV0=",
        ])
        .prop_map(|value| value.as_bytes().to_vec()),
        "[Bb]asic [A-Za-z0-9+/=_-]{0,24}".prop_map(String::into_bytes),
        // Everything that HTTP allows in a value: Envoy answers 400 to the rest.
        vec(prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8], 0..12),
    ];
    // White space around a value is not part of it.
    (name, value.prop_map(|value| value.trim_ascii().to_vec()))
}

//! Every case of every table, decided by the real module in a real Envoy.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use policy::Header;
use policy::testdata::{Case, End, Observed, tables};

use crate::bootstrap::{OURS, Plugin, listener_name, plugins};
use crate::echo;
use crate::wire::{self, Response};
use crate::world::{World, refusal};

#[test]
fn every_case_is_decided_as_its_table_says() {
    let tables = tables().expect("the tables are well-formed");
    let envoy = World::start(&plugins(&tables));
    let mut decided = 0;
    let mut wrong = Vec::new();
    for table in &tables {
        let live: Vec<&Case> = table.cases.iter().filter(|case| !case.is_scripted()).collect();
        for case in &live {
            let listener = envoy.listener(&listener_name(table.root_id, &case.config));
            let checked = as_told(case).check(&decide(listener, case));
            wrong.extend(checked.err().map(|problem| format!("{}: {problem}", table.root_id)));
        }
        println!(
            "real Envoy: {}: {} of {} cases, the others are scripted",
            table.root_id,
            live.len(),
            table.cases.len()
        );
        decided += live.len();
    }
    assert!(decided > 100, "only {decided} cases");
    assert!(wrong.is_empty(), "{} of {decided} are wrong:\n{}", wrong.len(), wrong.join("\n"));

    let stats = envoy.admin("/stats?filter=meshwright");
    for counter in [
        "meshwright_basic_auth_denied",
        "meshwright_fault_aborts",
        "meshwright_fault_delays",
        "meshwright_header_routing_routed",
    ] {
        let counted = stats
            .lines()
            .filter(|line| line.contains(counter))
            .any(|line| line.rsplit(": ").next().is_some_and(|value| value.parse().is_ok_and(|n: u64| n > 0)));
        assert!(counted, "{counter} is not counted:\n{stats}");
    }
}

#[test]
fn clients_that_go_away_during_a_delay_do_no_harm() {
    let tables = tables().expect("the tables are well-formed");
    let envoy = World::start(&plugins(&tables));
    let listener = envoy.listener(&listener_name("fault", "always"));
    let request = wire::request(&get("slow.svc"));
    for _ in 0..5 {
        for _ in 0..20 {
            drop(wire::send(listener, &request));
        }
        let started = Instant::now();
        let waiting: Vec<_> = (0..50).map(|_| wire::send(listener, &request)).collect();
        for connection in waiting {
            assert_eq!(wire::receive(connection).status, 200);
        }
        assert!(started.elapsed() >= Duration::from_millis(49), "{:?}", started.elapsed());
    }
    let reloads = envoy.admin("/stats?filter=vm_reload|wasm.*crash");
    let harm = reloads.lines().find(|line| !line.ends_with(": 0"));
    assert_eq!(harm, None, "{reloads}");
}

#[test]
fn a_grpc_client_is_told_by_a_grpc_status() {
    let tables = tables().expect("the tables are well-formed");
    let envoy = World::start(&plugins(&tables));
    let listener = envoy.listener(&listener_name("basic-auth", "shop"));
    let mut request = get("shop.svc");
    request.push((b"content-type".to_vec(), b"application/grpc".to_vec()));
    let response = wire::receive(wire::send(listener, &wire::request(&request)));
    assert_eq!(response.status, 200);
    assert_eq!(response.header("grpc-status").map(lossy).as_deref(), Some("16"));
}

#[test]
fn the_chosen_route_is_taken_and_a_forged_one_is_not() {
    let tables = tables().expect("the tables are well-formed");
    let envoy = World::start(&plugins(&tables));
    let listener = envoy.listener(&listener_name("header-routing", "canary"));
    let is_taken = |name: &str, value: &str| {
        let mut request = get("shop.svc");
        request.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        let response = wire::receive(wire::send(listener, &wire::request(&request)));
        let forwarded = echo::forwarded(&response).expect("the request is forwarded");
        forwarded.iter().any(|(name, _)| name == b"x-taken")
    };
    assert!(is_taken("x-canary", "on"));
    assert!(!is_taken("x-canary", "off"));
    assert!(!is_taken(policy::ROUTE_HEADER, "canary"));
}

#[test]
fn envoy_refuses_a_bad_configuration_and_logs_none_of_it() {
    let plugin = Plugin {
        name: "bad".to_owned(),
        module: OURS,
        root_id: policy::BASIC_AUTH_ROOT_ID,
        config: r#"{"realm":"x","users":[{"name":"a","hash":"hunter2"}]}"#.to_owned(),
    };
    let log = refusal(&[plugin]);
    assert!(log.contains("users[0].hash: a password's hash is expected"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

fn get(authority: &str) -> Vec<Header> {
    let headers = [(":method", "GET"), (":authority", authority), (":path", "/")];
    headers.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).to_vec()
}

/// The case, expecting what the upstream tells of bytes that are no text.
fn as_told(case: &Case) -> Case {
    let mut case = case.clone();
    let forwarded = &mut case.expect.forwarded;
    for (_, value) in forwarded.exact.iter_mut().chain(&mut forwarded.like) {
        *value = echo::as_told(value);
    }
    case
}

fn decide(listener: SocketAddr, case: &Case) -> Observed {
    let asks = |(name, value): &Header| (local::echo::HEADER.into(), [name.as_slice(), b": ", value].concat());
    let headers: Vec<Header> = case.request.iter().cloned().chain(case.upstream.iter().map(asks)).collect();
    let mut request = wire::request_with(&headers, &case.body);
    if let Some(source) = case.source() {
        let client = source.parse().unwrap_or_else(|_| panic!("{}: `{source}` is no address and port", case.name));
        request = wire::proxied(client, &request);
    }
    for _ in 1..case.repeat {
        wire::receive(wire::send(listener, &request));
    }
    let started = Instant::now();
    let response = wire::receive(wire::send(listener, &request));
    let elapsed = u32::try_from(started.elapsed().as_millis()).expect("a short test");
    Observed { delay_millis: delay(case, elapsed), end: end(response) }
}

/// Real time is never exact: a request that took at least the expected time was delayed by it,
/// and one that took less than any delay which it must not have was not delayed at all. Envoy's
/// timers may be early by a millisecond.
fn delay(case: &Case, elapsed: u32) -> Option<u32> {
    const LONGEST_CONFIGURED: u32 = 5000;
    match case.expect.delay_millis {
        Some(expected) if elapsed + 1 >= expected => Some(expected),
        None if elapsed < LONGEST_CONFIGURED - 1 => None,
        _ => Some(elapsed),
    }
}

fn end(response: Response) -> End {
    match echo::forwarded(&response) {
        Some(headers) => End::Forwarded { headers, response: response.headers },
        None => End::Replied {
            status: response.status,
            details: response.header("x-details").map(lossy).unwrap_or_default(),
            headers: response.headers,
            body: response.body,
        },
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

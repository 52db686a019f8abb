//! What the real module does beyond single decisions: time, metrics, logs, refusals, cost.

use std::sync::LazyLock;

use expect_test::{Expect, expect};
use meshwright_host::{End, Module, Options, StartError, Vm};

static MODULE: LazyLock<Module> = LazyLock::new(|| Module::load(artifacts::MODULE).expect("the module loads"));

const SHOP: [(&str, &str); 3] = [(":authority", "shop.svc"), (":method", "GET"), (":path", "/")];

fn start(root_id: &str, config: &str) -> Vm {
    MODULE.start(root_id, config, Options::default()).expect("the filter starts")
}

fn slow(millis: u32) -> Vm {
    let config = format!(r#"{{"delay":{{"millis":{millis},"per_million":1000000}}}}"#);
    start("fault", &config)
}

#[test]
fn concurrent_delays_end_each_in_its_own_time() {
    let mut vm = slow(50);
    let first = vm.open(SHOP).expect("no trap");
    vm.advance(20).expect("no trap");
    let second = vm.open(SHOP).expect("no trap");
    vm.advance(30).expect("no trap");
    assert!(!vm.is_open(first));
    assert!(vm.is_open(second));
    vm.advance(20).expect("no trap");
    assert!(!vm.is_open(second));
    for stream in [first, second] {
        let outcome = vm.finish(stream).expect("no trap");
        assert_eq!(outcome.delayed_millis, 50);
        assert!(matches!(outcome.end, End::Continued { .. }));
    }
}

#[test]
fn a_client_that_goes_away_during_its_delay_leaves_nothing_behind() {
    let mut vm = slow(1000);
    let streams: Vec<_> = (0..20).map(|_| vm.open(SHOP).expect("no trap")).collect();
    vm.advance(10).expect("no trap");
    for stream in streams {
        assert_eq!(vm.finish(stream).expect("no trap").end, End::Held);
    }
    vm.advance(5000).expect("no trap");
    assert!(!vm.is_ticking());
    assert_eq!(vm.http_request(SHOP).expect("no trap").delayed_millis, 1000);
}

#[test]
fn an_idle_filter_does_not_tick() {
    let mut vm = slow(30);
    assert!(!vm.is_ticking());
    vm.http_request(SHOP).expect("no trap");
    assert!(!vm.is_ticking());
}

#[test]
fn what_filters_do_is_counted() {
    let mut vm = start("basic-auth", r#"{"realm":"shop"}"#);
    assert_eq!(vm.metric("meshwright_basic_auth_denied"), Some(0));
    vm.http_request(SHOP).expect("no trap");
    vm.http_request(SHOP).expect("no trap");
    assert_eq!(vm.metric("meshwright_basic_auth_denied"), Some(2));

    let config = r#"{"delay":{"millis":5,"per_million":1000000},
                     "abort":{"status":503,"per_million":1000000}}"#;
    let mut vm = start("fault", config);
    vm.http_request(SHOP).expect("no trap");
    assert_eq!(vm.metric("meshwright_fault_delays"), Some(1));
    assert_eq!(vm.metric("meshwright_fault_aborts"), Some(1));

    let mut vm = start("header-routing", r#"{"rules":[{"to":[{"route":"all"}]}]}"#);
    vm.http_request(SHOP).expect("no trap");
    assert_eq!(vm.metric("meshwright_header_routing_routed"), Some(1));
}

#[test]
fn seeded_chance_hits_about_the_configured_share() {
    let config = r#"{"abort":{"status":503,"per_million":150000}}"#;
    let mut vm = start("fault", config);
    let aborted = |vm: &mut Vm| matches!(vm.http_request(SHOP).expect("no trap").end, End::Replied(_)) as u32;
    let share: u32 = (0..4000).map(|_| aborted(&mut vm)).sum();
    // 600 expected; five standard deviations are 113.
    assert!((487..=713).contains(&share), "{share} of 4000");
}

#[track_caller]
fn check_refused(root_id: &str, config: &str, expected: Expect) {
    match MODULE.start(root_id, config, Options::default()) {
        Err(error @ StartError::Refused { .. }) => expected.assert_eq(&error.to_string()),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the filter accepts its configuration"),
    }
}

#[test]
fn a_bad_configuration_is_refused_without_repeating_it() {
    check_refused(
        "basic-auth",
        "{\n  \"realm\": \"x\", \"users\": \"hunter2\"}",
        expect!["proxy_on_configure returned false: meshwright basic-auth: users: a list is expected"],
    );
    check_refused(
        "basic-auth",
        r#"{"realm":"x","users":[{"name":"a","hash":"hunter2"}]}"#,
        expect![
            "proxy_on_configure returned false: meshwright basic-auth: users[0].hash: a password's hash is expected"
        ],
    );
    check_refused(
        "fault",
        r#"{"abort":{"status":199,"per_million":1}}"#,
        expect![
            "proxy_on_configure returned false: meshwright fault: abort.status: a status from 200 to 599 is expected"
        ],
    );
    check_refused(
        "header-routing",
        r#"{"rules":[],"extra":1}"#,
        expect!["proxy_on_configure returned false: meshwright header-routing: extra: no such field"],
    );
    check_refused(
        "fault",
        "",
        expect![
            "proxy_on_configure returned false: meshwright fault: not JSON of objects, lists, texts and whole numbers"
        ],
    );
}

#[test]
fn an_unknown_root_id_is_refused() {
    check_refused(
        "nothing",
        "{}",
        expect!["proxy_on_configure returned false: meshwright: no filter has the root id `nothing`"],
    );
}

#[test]
fn a_virtual_machine_is_small() {
    let mut vm = slow(10);
    for _ in 0..1000 {
        vm.http_request(SHOP).expect("no trap");
    }
    assert!(vm.memory_size() <= 5 * 64 * 1024, "{} bytes", vm.memory_size());
}

/// A deterministic oracle for constant time: the same work for every wrong answer.
#[test]
fn a_wrong_password_costs_the_same_wherever_it_is_wrong_and_whoever_sends_it() {
    let module = Module::load_metered(artifacts::MODULE).expect("the module loads");
    let config = r#"{"realm":"x","users":[
        {"name":"alice","hash":"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="},
        {"name":"carol","hash":"{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
        {"name":"d","hash":"{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="}]}"#;
    let cost = |credentials: &str| {
        let mut vm = module.start("basic-auth", config, Options::default()).expect("it starts");
        let request = [(":authority", "x"), ("authorization", credentials)];
        vm.http_request(request).expect("no trap");
        let before = vm.fuel_used();
        vm.http_request(request).expect("no trap");
        vm.fuel_used() - before
    };
    // alice:Xecret, alice:secreX, carol:secret, zzzzz:secret
    let costs = [
        cost("Basic YWxpY2U6WGVjcmV0"),
        cost("Basic YWxpY2U6c2VjcmVY"),
        cost("Basic Y2Fyb2w6c2VjcmV0"),
        cost("Basic enp6eno6c2VjcmV0"),
    ];
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

#[test]
fn work_grows_no_faster_than_the_request() {
    let module = Module::load_metered(artifacts::MODULE).expect("the module loads");
    for (root_id, config) in [
        ("basic-auth", r#"{"realm":"x"}"#),
        (
            "header-routing",
            r#"{"rules":[{"when":[{"header":{"name":"x-a","value":"present"}}],"to":[{"route":"r"}]}]}"#,
        ),
    ] {
        let cost = |size: usize| {
            let mut vm = module.start(root_id, config, Options::default()).expect("it starts");
            let mut request = vec![(":authority".to_owned(), "x".to_owned())];
            request.push(("authorization".to_owned(), format!("Basic {}", "QUJD".repeat(size / 8))));
            for index in 0..size / 64 {
                request.push((format!("x-header-{index:05}"), "v".repeat(48)));
            }
            let before = vm.fuel_used();
            vm.http_request(request).expect("no trap");
            vm.fuel_used() - before
        };
        let (small, large) = (cost(8 * 1024), cost(64 * 1024));
        println!("{root_id}: {small} for 8 KiB, {large} for 64 KiB");
        assert!(large <= 9 * small, "{root_id}: {small} for 8 KiB, {large} for 64 KiB");
    }
}

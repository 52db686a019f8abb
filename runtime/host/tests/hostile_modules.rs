//! Modules that are wrong, broken or malicious: each is refused or stopped, and none harms the host.

use expect_test::{Expect, expect};
use meshwright_host::{End, LoadError, Module, Options, StartError, Trap, Vm};
use proptest::collection::vec;
use proptest::prelude::*;

const SHOP: [(&str, &str); 2] = [(":authority", "shop.svc"), (":path", "/")];

/// A module with this content beside what every module needs.
fn module(content: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {content}
            (memory (export "memory") 1)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024))"#
    );
    wat::parse_str(text).expect("the test's module is well-formed")
}

#[track_caller]
fn check_not_loaded(bytes: &[u8], expected: Expect) {
    match Module::load(bytes) {
        Err(error) => expected.assert_eq(&error.to_string()),
        Ok(_) => panic!("the module loads"),
    }
}

fn start(bytes: &[u8]) -> Result<Vm, StartError> {
    Module::load(bytes).expect("the module loads").start("", "", Options::default())
}

#[track_caller]
fn on_request(body: &str) -> (Vm, Result<meshwright_host::Outcome, Trap>) {
    let callback = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)"#;
    // Imports come first in a module's text.
    let (imports, body) = body.split_once("---").unwrap_or(("", body));
    let mut vm = start(&module(&format!("{imports} {callback} {body})"))).expect("it starts");
    let outcome = vm.http_request(SHOP);
    (vm, outcome)
}

#[test]
fn an_unknown_hostcall_is_named() {
    check_not_loaded(
        &module(r#"(import "env" "proxy_get_secret" (func))"#),
        expect!["missing import: env.proxy_get_secret"],
    );
}

#[test]
fn a_hostcall_with_another_signature_is_refused() {
    check_not_loaded(
        &module(r#"(import "env" "proxy_log" (func (param i64)))"#),
        expect![
            "bad import: incompatible import type for `env::proxy_log`: types incompatible: expected type `(func (param i64))`, found type `(func (param i32 i32 i32) (result i32))`"
        ],
    );
}

#[test]
fn a_callback_with_another_signature_is_refused() {
    check_not_loaded(
        &module(r#"(func (export "proxy_on_request_headers") (param i32 i32) (result i32) i32.const 0)"#),
        expect![
            "bad function signature for: proxy_on_request_headers, want: i32 i32 i32 -> i32, but the module exports: i32 i32 -> i32"
        ],
    );
}

#[test]
fn what_is_no_proxy_wasm_module_is_refused() {
    check_not_loaded(
        b"\0asm\x01\0\0\0",
        expect!["the module exports none of proxy_abi_version_0_1_0, _0_2_0 and _0_2_1"],
    );
    assert!(matches!(Module::load(b"not wasm"), Err(LoadError::Invalid(_))));
    let no_memory = wat::parse_str(r#"(module (func (export "proxy_abi_version_0_2_1")))"#);
    check_not_loaded(&no_memory.expect("well-formed"), expect!["the module does not export its memory"]);
}

#[test]
fn initialization_may_log_and_nothing_else() {
    let logs = r#"(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
        (func (export "_initialize") i32.const 2 i32.const 0 i32.const 3 call $log drop)"#;
    assert_eq!(start(&module(logs)).expect("it starts").logs().len(), 1);

    let ticks = r#"(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
        (func (export "_initialize") i32.const 2 call $tick drop)"#;
    match start(&module(ticks)) {
        Err(error) => expect!["_initialize trapped: restricted_callback"].assert_eq(&error.to_string()),
        Ok(_) => panic!("it starts"),
    }
}

#[test]
fn a_module_without_callbacks_lets_requests_through() {
    let mut vm = start(&module("")).expect("it starts");
    let outcome = vm.http_request(SHOP).expect("no trap");
    assert!(matches!(outcome.end, End::Continued { headers, .. } if headers.len() == 2));
}

#[test]
fn a_trap_ends_the_virtual_machine() {
    let (mut vm, outcome) = on_request("unreachable");
    let trap = outcome.expect_err("a trap");
    expect!["proxy_on_request_headers trapped: wasm trap: wasm `unreachable` instruction executed"]
        .assert_eq(&trap.to_string());
    assert_eq!(vm.http_request(SHOP), Err(trap));
}

#[test]
fn a_request_that_is_never_let_go_is_held() {
    let (_, outcome) = on_request("i32.const 1");
    assert_eq!(outcome.expect("no trap").end, End::Held);
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    let bytes = module(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (loop $again br $again) i32.const 0)"#,
    );
    let module = Module::load_metered(&bytes).expect("the module loads");
    let options = Options { fuel_per_callback: Some(100_000), ..Options::default() };
    let mut vm = module.start("", "", options).expect("it starts");
    let trap = vm.http_request(SHOP).expect_err("a trap");
    expect!["proxy_on_request_headers trapped: wasm trap: all fuel consumed by WebAssembly"]
        .assert_eq(&trap.to_string());
}

#[test]
fn endless_recursion_is_a_trap() {
    let (_, outcome) = on_request("---(call $deeper) i32.const 0) (func $deeper call $deeper");
    expect!["proxy_on_request_headers trapped: wasm trap: call stack exhausted"]
        .assert_eq(&outcome.expect_err("a trap").to_string());
}

#[test]
fn addresses_outside_memory_are_a_status() {
    let (mut vm, outcome) = on_request(
        r#"(import "env" "proxy_get_header_map_pairs" (func $get (param i32 i32 i32) (result i32)))
           (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
           (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32)))
        ---(drop (call $define (i32.const 0) (i32.const 2048) (i32.const 1) (i32.const 3000)))
           (drop (call $record (i32.const 0)
               (i64.extend_i32_u (call $get (i32.const 0) (i32.const -4) (i32.const 65534)))))
           i32.const 0"#,
    );
    assert!(outcome.is_ok());
    assert_eq!(vm.metric("\0"), Some(6));
    assert!(vm.http_request(SHOP).is_ok());
}

/// Every hostcall that has an implementation, with the number of its i32 parameters.
const HOSTCALLS: [(&str, &str, usize); 31] = [
    ("env", "proxy_log", 3),
    ("env", "proxy_get_log_level", 1),
    ("env", "proxy_get_current_time_nanoseconds", 1),
    ("env", "proxy_set_tick_period_milliseconds", 1),
    ("env", "proxy_define_metric", 4),
    ("env", "proxy_get_metric", 2),
    ("env", "proxy_get_buffer_bytes", 5),
    ("env", "proxy_get_buffer_status", 3),
    ("env", "proxy_set_buffer_bytes", 5),
    ("env", "proxy_get_property", 4),
    ("env", "proxy_get_header_map_pairs", 3),
    ("env", "proxy_get_header_map_size", 2),
    ("env", "proxy_set_header_map_pairs", 3),
    ("env", "proxy_get_header_map_value", 5),
    ("env", "proxy_add_header_map_value", 5),
    ("env", "proxy_replace_header_map_value", 5),
    ("env", "proxy_remove_header_map_value", 3),
    ("env", "proxy_continue_stream", 1),
    ("env", "proxy_close_stream", 1),
    ("env", "proxy_send_local_response", 8),
    ("env", "proxy_set_effective_context", 1),
    ("env", "proxy_http_call", 10),
    ("wasi_snapshot_preview1", "args_sizes_get", 2),
    ("wasi_snapshot_preview1", "args_get", 2),
    ("wasi_snapshot_preview1", "environ_sizes_get", 2),
    ("wasi_snapshot_preview1", "environ_get", 2),
    ("wasi_snapshot_preview1", "random_get", 2),
    ("wasi_snapshot_preview1", "fd_write", 4),
    ("wasi_snapshot_preview1", "fd_fdstat_get", 2),
    ("wasi_snapshot_preview1", "poll_oneoff", 4),
    ("wasi_unstable", "fd_read", 4),
];

/// A module that makes these hostcalls, with these arguments, for every request.
fn calling(calls: &[(usize, Vec<i32>)]) -> Vec<u8> {
    let (mut imports, mut body) = (String::new(), String::new());
    for (index, (module, name, parameters)) in HOSTCALLS.iter().enumerate() {
        let parameters = "i32 ".repeat(*parameters);
        imports.push_str(&format!(
            "(import \"{module}\" \"{name}\" (func $f{index} (param {parameters}) (result i32)))\n"
        ));
    }
    for (index, arguments) in calls {
        let arguments = arguments.iter().cycle().take(HOSTCALLS[*index].2);
        let arguments: String = arguments.map(|value| format!("(i32.const {value}) ")).collect();
        body.push_str(&format!("(drop (call $f{index} {arguments}))\n"));
    }
    module(&format!(
        r#"{imports}
        (func (export "proxy_on_tick") (param i32) {body})
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            {body} i32.const 1)"#
    ))
}

fn argument() -> impl Strategy<Value = i32> {
    prop_oneof![0..16_i32, 0..70_000_i32, any::<i32>(), Just(65_533), Just(-1), Just(i32::MAX), Just(i32::MIN),]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_argument_of_any_hostcall_harms_the_host(
        calls in vec((0..HOSTCALLS.len(), vec(argument(), 1..9)), 1..12)
    ) {
        let mut vm = start(&calling(&calls)).expect("it starts");
        // A trap is the module's own business.
        for _ in 0..3 {
            let _ = vm.open(SHOP).and_then(|stream| {
                vm.advance(10)?;
                vm.finish(stream)
            });
        }
    }
}

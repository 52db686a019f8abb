//! Filters written with the `proxy-wasm` SDK do in the host what they are written to do.

use std::sync::LazyLock;

use meshwright_host::{End, LogLevel, Module, Options, StartError, Vm};

static MODULE: LazyLock<Module> = LazyLock::new(|| Module::load(guest_sdk::MODULE).expect("the module loads"));

fn start(root_id: &str) -> Vm {
    MODULE.start(root_id, "good day", Options::default()).expect("the filter starts")
}

/// The headers with which a request goes on.
#[track_caller]
fn go_on(vm: &mut Vm, header: (&str, &[u8])) -> Vec<(Vec<u8>, Vec<u8>)> {
    match vm.http_request(request(header)).expect("no trap").end {
        End::Continued { headers, .. } => headers,
        end => panic!("{end:?}"),
    }
}

fn request<'h>((name, value): (&'h str, &'h [u8])) -> [(&'h str, &'h [u8]); 3] {
    [(":authority", b"shop.svc"), (":path", b"/"), (name, value)]
}

fn value<'h>(headers: &'h [(Vec<u8>, Vec<u8>)], name: &str) -> Option<&'h [u8]> {
    headers.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, value)| value.as_slice())
}

#[test]
fn a_filter_that_does_nothing_changes_nothing() {
    let mut vm = start("sdk-no-op");
    let headers = go_on(&mut vm, ("x-any", b"thing"));
    let sent = request(("x-any", b"thing")).map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
    assert_eq!(headers, sent);
    assert!(!vm.is_ticking());
    assert!(vm.logs().is_empty(), "{:?}", vm.logs());
}

#[test]
fn bytes_outside_utf_8_are_read_copied_and_removed() {
    let headers = go_on(&mut start("sdk-probe"), ("x-probe-bytes", b"\xff\xfe"));
    assert_eq!(value(&headers, "x-probe-copy"), Some(&b"\xff\xfe"[..]));
    assert_eq!(value(&headers, "x-probe-bytes"), None);
}

#[test]
fn the_configuration_reaches_the_requests_and_the_log() {
    let mut vm = start("sdk-probe");
    let headers = go_on(&mut vm, ("x-any", b"thing"));
    assert_eq!(value(&headers, "x-probe-greeting"), Some(&b"good day"[..]));
    let [log] = vm.logs() else { panic!("{:?}", vm.logs()) };
    assert_eq!((log.level, log.message.as_str()), (LogLevel::Info, "sdk-probe: the greeting is `good day`"));
}

#[test]
fn text_is_read_and_replaced() {
    let headers = go_on(&mut start("sdk-probe"), ("x-probe-text", b"shout"));
    assert_eq!(value(&headers, "x-probe-text"), Some(&b"SHOUT"[..]));
}

#[test]
fn an_answer_of_the_filter_ends_the_request() {
    let outcome = start("sdk-probe").http_request(request(("x-probe-forbid", b"no entry"))).expect("no trap");
    let End::Replied(reply) = outcome.end else { panic!("{outcome:?}") };
    assert_eq!((reply.status, reply.body.as_slice()), (403, &b"no entry"[..]));
    assert_eq!(reply.headers, [(b"x-probe".to_vec(), b"forbidden".to_vec())]);
    assert_eq!(reply.grpc_status, None);
}

#[test]
fn requests_are_counted() {
    let mut vm = start("sdk-probe");
    assert_eq!(vm.metric("sdk_probe_requests"), Some(0));
    for _ in 0..3 {
        go_on(&mut vm, ("x-any", b"thing"));
    }
    assert_eq!(vm.metric("sdk_probe_requests"), Some(3));
}

#[test]
fn requests_at_the_same_time_do_not_mix() {
    let mut vm = start("sdk-probe");
    let streams: Vec<_> =
        (b'a'..b'e').map(|name| vm.open(request(("x-probe-bytes", &[name]))).expect("no trap")).collect();
    for (stream, name) in streams.into_iter().zip(b'a'..b'e').rev() {
        let outcome = vm.finish(stream).expect("no trap");
        let End::Continued { headers, .. } = outcome.end else { panic!("{outcome:?}") };
        assert_eq!(value(&headers, "x-probe-copy"), Some(&[name][..]));
    }
}

#[test]
fn an_unknown_root_id_is_refused() {
    let refused = MODULE.start("sdk-nothing", "", Options::default());
    assert!(matches!(refused, Err(StartError::Refused { callback: "proxy_on_configure", .. })));
}

/// The SDK turns a header into a `String` or panics, and Envoy lets such headers through: one request takes down every
/// request of the virtual machine. Our own filters do not use the SDK because of this; the host says what happened.
#[test]
fn a_string_of_bytes_outside_utf_8_is_a_trap_that_says_so() {
    let mut vm = start("sdk-probe");
    let trap = vm.http_request(request(("x-probe-text", b"caf\xe9"))).expect_err("a trap");
    assert_eq!(trap.callback, "proxy_on_request_headers");
    let text = trap.to_string();
    for part in ["`unreachable` instruction", "after it logged `panicked at ", "Utf8Error { valid_up_to: 3"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(vm.http_request(request(("x-any", b"thing"))), Err(trap));
}

//! Filters written with the `proxy-wasm` SDK: the host and a real Envoy run them alike.

use local::{Client, Request, Response};
use meshwright_host::{End, Module, Options, Vm};

use crate::bootstrap::{LOCAL, Plugin, SDK};
use crate::world::World;

const GREETING: &str = "good day";

fn world() -> World {
    let plugin =
        |root_id: &'static str| Plugin { name: root_id.to_owned(), module: SDK, root_id, config: GREETING.to_owned() };
    World::start(&["sdk-no-op", "sdk-probe"].map(plugin))
}

fn vm(root_id: &str) -> Vm {
    let module = Module::load(guest_sdk::MODULE).expect("the module loads");
    module.start(root_id, GREETING, Options::default()).expect("the filter starts")
}

fn send(world: &World, root_id: &str, name: &str, value: &[u8]) -> Response {
    let request = Request::get("/").host("shop.svc").header(name, value);
    world.block_on(Client::new(world.listener(root_id)).send(&request)).expect("an answer")
}

/// What both must agree on: the answer, or those of the forwarded headers that the filters touch.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Replied { status: u32, body: Vec<u8>, header: Option<String> },
    Forwarded(Vec<(String, String)>),
}

fn in_envoy(response: &Response) -> Verdict {
    if response.header(LOCAL).is_some() {
        let header = response.header("x-probe").map(|value| value.into_owned());
        return Verdict::Replied { status: u32::from(response.status), body: response.body.to_vec(), header };
    }
    let told = response.json().expect("the upstream answers with JSON");
    let headers = told["headers"].as_object().expect("the headers");
    let lines = headers.iter().flat_map(|(name, values)| {
        let values = values.as_array().into_iter().flatten();
        values.map(move |value| (name.clone(), value.as_str().expect("a text").to_owned()))
    });
    touched(lines)
}

fn in_host(vm: &mut Vm, name: &str, value: &[u8]) -> Verdict {
    let request: [(&str, &[u8]); 4] =
        [(":method", b"GET"), (":authority", b"shop.svc"), (":path", b"/"), (name, value)];
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    match vm.http_request(request).expect("no trap").end {
        End::Continued { headers, .. } => {
            touched(headers.into_iter().map(|(name, value)| (text(name), text(crate::echo::as_told(&value)))))
        }
        End::Replied(reply) => {
            let header = reply.headers.into_iter().find(|(name, _)| name == b"x-probe");
            Verdict::Replied { status: reply.status, body: reply.body, header: header.map(|(_, value)| text(value)) }
        }
        end => panic!("{end:?}"),
    }
}

fn touched(headers: impl Iterator<Item = (String, String)>) -> Verdict {
    let mut touched: Vec<_> = headers.filter(|(name, _)| name.starts_with("x-probe") || name == "x-any").collect();
    touched.sort();
    Verdict::Forwarded(touched)
}

#[test]
fn the_same_requests_are_decided_alike() {
    let world = world();
    for root_id in ["sdk-no-op", "sdk-probe"] {
        let mut vm = vm(root_id);
        for (name, value) in [
            ("x-any", &b"thing"[..]),
            ("x-any", b""),
            ("x-probe-bytes", b"plain"),
            ("x-probe-bytes", b"\xff\xfe"),
            ("x-probe-copy", b"forged"),
            ("x-probe-text", b"shout"),
            ("x-probe-forbid", b"no entry"),
            ("x-probe-forbid", b""),
        ] {
            let expected = in_host(&mut vm, name, value);
            assert_eq!(in_envoy(&send(&world, root_id, name, value)), expected, "{root_id}: {name}");
        }
    }
    let counted = world.admin("/stats?filter=sdk_probe_requests");
    assert!(counted.trim_end().ends_with(": 8"), "{counted}");
}

/// The reason why our own filters do not use the SDK.
#[test]
fn a_string_of_bytes_outside_utf_8_takes_the_virtual_machine_down_in_envoy_too() {
    let world = world();
    assert_eq!(send(&world, "sdk-probe", "x-probe-text", b"shout").status, 200);
    assert_eq!(send(&world, "sdk-probe", "x-probe-text", b"caf\xe9").status, 503);
    let log = world.log();
    assert!(log.contains("Utf8Error { valid_up_to: 3"), "{log}");
}

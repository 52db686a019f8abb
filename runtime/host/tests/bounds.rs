//! What a request can cost: work grows no faster than the request, a secret costs the same wherever it is wrong, and
//! memory does not grow with the number of clients.

use std::sync::LazyLock;

use meshwright_host::{End, Exchange, Module, Options, Randomness, Vm};
use policy::Header;
use policy::testdata::{Case, Table, tables};
use serde_json::{Value, json};

static METERED: LazyLock<Module> = LazyLock::new(|| Module::load_metered(artifacts::MODULE).expect("the module loads"));
static MODULE: LazyLock<Module> = LazyLock::new(|| Module::load(artifacts::MODULE).expect("the module loads"));

fn start(module: &Module, root_id: &str, config: &str) -> Vm {
    let options = Options { allow_on_headers_stop_iteration: true, ..Options::default() };
    module.start(root_id, config, options).unwrap_or_else(|error| panic!("{root_id}: {error}: {config}"))
}

/// The work of one exchange, counted in instructions.
fn fuel(vm: &mut Vm, exchange: &Exchange) -> u64 {
    let before = vm.fuel_used();
    vm.exchange(exchange).expect("no trap");
    vm.fuel_used() - before
}

/// So many bytes of headers.
type Shape = fn(usize) -> Vec<Header>;

/// What a request is made larger with.
const SHAPES: [(&str, Shape); 9] = [
    ("many headers", |size| (0..size / 64).map(|n| header(&format!("x-header-{n:05}"), &"v".repeat(48))).collect()),
    ("repeats", |size| (0..size / 16).map(|_| header("x-user", "v")).collect()),
    ("cookies", |size| vec![header("cookie", &"key=v; ".repeat(size / 7))]),
    ("addresses", |size| vec![header("x-forwarded-for", &"10.1.2.3, ".repeat(size / 10))]),
    ("a query", |size| vec![header(":path", &format!("/?{}", "key=v&".repeat(size / 6)))]),
    ("a path", |size| vec![header(":path", &"/a/../%61".repeat(size / 9))]),
    ("credentials", |size| vec![header("authorization", &format!("Basic {}", "QUJD".repeat(size / 4)))]),
    ("a signature", |size| vec![header("signature-input", &"a=(\"@method\");keyid=\"shop\",".repeat(size / 27))]),
    ("a digest", |size| vec![header("content-digest", &"sha-256=:AAAA:, ".repeat(size / 16))]),
];

fn header(name: &str, value: &str) -> Header {
    (name.into(), value.into())
}

#[test]
fn work_grows_no_faster_than_the_request() {
    const SIZE: usize = 32 << 10;
    for table in tables().expect("the tables are well-formed") {
        let mut most = (0, "", "");
        for (name, config) in &table.configs {
            let case = table.cases.iter().find(|case| case.config == *name).expect("each configuration has a case");
            let mut vm = start(&METERED, table.root_id, config);
            fuel(&mut vm, &larger(case, Vec::new()));
            let nothing = fuel(&mut vm, &larger(case, Vec::new()));
            for (shape, headers) in SHAPES {
                let mut more = |size: usize| fuel(&mut vm, &larger(case, headers(size))).saturating_sub(nothing);
                let (half, whole) = (more(SIZE), more(2 * SIZE));
                assert!(
                    whole * 10 <= half * 22 + 1_000_000,
                    "{}/{name}, {shape}: {half} for {SIZE} bytes more, {whole} for twice as many",
                    table.root_id
                );
                most = most.max((whole, shape, name));
            }
        }
        let (most, shape, name) = most;
        println!(
            "{}: at most {most} instructions for 64 KiB of headers ({shape}, configuration {name})",
            table.root_id
        );
    }
}

/// The request of a case, with more headers. What there is once only is replaced.
fn larger(case: &Case, headers: Vec<Header>) -> Exchange {
    let mut request = case.request.clone();
    for (name, value) in headers {
        let known = request.iter_mut().find(|(known, _)| *known == name && name.starts_with(b":"));
        match known {
            Some((_, old)) => *old = value,
            None => request.push((name, value)),
        }
    }
    Exchange { request, body: case.body.clone(), ..Exchange::default() }
}

#[test]
fn a_wrong_password_costs_the_same_wherever_it_is_wrong_and_whoever_sends_it() {
    let table = table("basic-auth");
    let formats: Value = serde_json::from_str(&table.configs["formats"]).expect("JSON");
    let users = formats["users"].as_array().expect("users");
    assert!(users.len() > 8, "few formats");
    for user in users {
        let name = user["name"].as_str().expect("a name");
        let mut config = formats.clone();
        config["users"] = json!([user]);
        let cost = |name: &str, password: &str| {
            let mut vm = start(&METERED, "basic-auth", &config.to_string());
            // What is made once is made.
            fuel(&mut vm, &with_credentials(name, "something else"));
            vm.advance(60_000).expect("no trap");
            fuel(&mut vm, &with_credentials(name, password))
        };
        let stranger = "z".repeat(name.len());
        let costs = [cost(name, "Xecret"), cost(name, "secreX"), cost(name, "sXXXet"), cost(&stranger, "secret")];
        println!("{name}: {costs:?}");
        let (least, most) = (costs.iter().min().expect("costs"), costs.iter().max().expect("costs"));
        // How often SHA-crypt adds its salt depends on a digest of the password that was sent: step 21 of its
        // specification. That tells nothing of the right one.
        let differing = if name.starts_with("sha256") || name.starts_with("sha512") { least / 20 } else { 0 };
        assert!(most - least <= differing, "{name}: {costs:?}");
    }
}

/// The same wrong password, against hashes that differ from its own in the first byte, or in the last.
#[test]
fn a_password_costs_the_same_wherever_its_hash_differs() {
    let formats: Value = serde_json::from_str(&table("basic-auth").configs["formats"]).expect("JSON");
    for user in formats["users"].as_array().expect("users") {
        let (name, hash) = (user["name"].as_str().expect("a name"), user["hash"].as_str().expect("a hash"));
        let digest = hash.rfind(['$', '}', '.']).map_or(0, |place| place + 1).min(hash.len() - 20);
        let cost = |place: usize| {
            let mut bytes = hash.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'a' { b'e' } else { b'a' };
            let changed = String::from_utf8(bytes).expect("a text");
            let mut config = formats.clone();
            config["users"] = json!([{ "name": name, "hash": changed }]);
            let mut vm = start(&METERED, "basic-auth", &config.to_string());
            fuel(&mut vm, &asking(&[]));
            let exchange = with_credentials(name, "secret");
            let cost = fuel(&mut vm, &exchange);
            assert!(matches!(vm.exchange(&exchange).expect("no trap").end, End::Replied(_)), "{name}: it is right");
            cost
        };
        let costs = [cost(digest + 1), cost(hash.len() - 5)];
        assert_eq!(costs[0], costs[1], "{name}");
    }
}

fn with_credentials(name: &str, password: &str) -> Exchange {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    asking(&[("authorization", &format!("Basic {encoded}"))])
}

fn asking(headers: &[(&str, &str)]) -> Exchange {
    let shop = [(":method", "GET"), (":authority", "shop.svc"), (":path", "/")];
    let request = shop.iter().chain(headers).map(|(name, value)| header(name, value)).collect();
    Exchange { request, ..Exchange::default() }
}

#[test]
fn a_wrong_key_costs_the_same_wherever_it_is_wrong() {
    let config = &table("api-key").configs["header"];
    let cost = |key: &str| {
        let mut vm = start(&METERED, "api-key", config);
        fuel(&mut vm, &asking(&[("x-api-key", "something")]));
        let exchange = asking(&[("x-api-key", key)]);
        assert!(matches!(vm.exchange(&exchange).expect("no trap").end, End::Replied(_)), "{key} is right");
        fuel(&mut vm, &exchange)
    };
    // The key is 3f5a1c9e7b2d4860.
    let costs = ["Xf5a1c9e7b2d4860", "3f5a1c9e7b2d486X", "3f5aXXXXXXXX4860", "zzzzzzzzzzzzzzzz"].map(cost);
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

/// A signature of the table that passes, then the same with other bytes.
#[test]
fn a_wrong_signature_costs_the_same_wherever_it_is_wrong() {
    let table = table("hmac-signature");
    let signed = table.cases.iter().find(|case| {
        case.expect.status.is_none()
            && case.request.iter().any(|(name, value)| name == b"signature" && value.contains(&b':'))
    });
    let signed = signed.expect("a case with a good signature");
    let cost = |place: usize| {
        let mut vm = start(&METERED, "hmac-signature", &table.configs[&signed.config]);
        if let Some(at) = signed.at {
            vm.set_unix_seconds(at);
        }
        fuel(&mut vm, &asking(&[]));
        let mut exchange =
            Exchange { request: signed.request.clone(), body: signed.body.clone(), ..Exchange::default() };
        let (_, signature) = exchange.request.iter_mut().find(|(name, _)| name == b"signature").expect("a signature");
        let start = signature.iter().position(|byte| *byte == b':').expect("bytes in base64") + 1;
        let byte = signature.get_mut(start + place).expect("a longer signature");
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        let cost = fuel(&mut vm, &exchange);
        assert!(matches!(vm.exchange(&exchange).expect("no trap").end, End::Replied(_)), "it passes");
        cost
    };
    let costs = [cost(0), cost(1), cost(20), cost(41)];
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

#[track_caller]
fn check_memory(root_id: &str, config: &str, clients: u32, request: impl Fn(u32) -> Exchange) {
    let mut vm = start(&MODULE, root_id, config);
    vm.set_random(Randomness::Seeded(7));
    let mut ask = |number: u32| {
        vm.exchange(&request(number)).expect("no trap");
        vm.memory_size()
    };
    let first = ask(0);
    let full = (1..clients / 2).map(&mut ask).max().unwrap_or_default();
    let end = (clients / 2..clients).map(&mut ask).max().unwrap_or_default();
    println!("{root_id}: {} KiB at first, {} KiB after {clients} clients", first >> 10, end >> 10);
    assert_eq!(end, full, "{root_id} still grows");
    assert!(end <= 8 << 20, "{root_id} takes {end} bytes");
}

#[test]
fn a_million_clients_take_no_more_memory_of_the_rate_limit_than_it_has() {
    check_memory("rate-limit", &table("rate-limit").configs["header"], 1_000_000, |number| {
        asking(&[("x-user", &format!("client {number}"))])
    });
}

#[test]
fn many_passwords_take_no_more_memory_of_basic_auth_than_it_has() {
    check_memory("basic-auth", &table("basic-auth").configs["poor"], 100_000, |number| {
        with_credentials("slow", &number.to_string())
    });
}

fn table(root_id: &str) -> Table {
    let tables = tables().expect("the tables are well-formed");
    tables.into_iter().find(|table| table.root_id == root_id).unwrap_or_else(|| panic!("no table of {root_id}"))
}

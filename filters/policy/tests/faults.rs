//! What holds of faults for every request and every configuration.

use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{
    Counter, Env, FAULT_CONTROL_HEADERS, FAULT_ROOT_ID, Fault, FaultConfig, Header, HeaderList, HttpPolicy, Property,
    Shared, Verdict, decode, find, http_status_of_grpc,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A world with a seeded chance.
struct World {
    chance: u64,
    now: u64,
    held: u64,
    counted: Vec<Counter>,
}

fn world(seed: u64) -> World {
    World { chance: seed, now: 0, held: 0, counted: Vec::new() }
}

impl Env for World {
    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn unix_nanos(&mut self) -> u64 {
        self.now
    }

    fn monotonic_nanos(&mut self) -> u64 {
        unreachable!("faults need no such clock")
    }

    fn count(&mut self, counter: Counter) {
        self.counted.push(counter);
    }

    fn held(&mut self) -> u64 {
        self.held
    }

    fn shared(&mut self, _: &[u8]) -> Option<Shared> {
        unreachable!("faults share nothing")
    }

    fn share(&mut self, _: &[u8], _: &[u8], _: u32) -> bool {
        unreachable!("faults share nothing")
    }
}

fn fault(config: &Value) -> Fault {
    Fault::new(decode(config.to_string().as_bytes()).expect("a configuration"))
}

fn request(headers: &[(&str, &str)]) -> HeaderList {
    HeaderList::from_wire(headers.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

#[test]
fn a_fault_hits_the_share_that_it_says() {
    for share in [10_000_u32, 150_000, 500_000, 990_000] {
        let mut fault = fault(&json!({"abort": {"status": 503, "per_million": share}}));
        let (mut world, count) = (world(u64::from(share)), 200_000_u32);
        let mut hit = 0_u32;
        for _ in 0..count {
            hit += u32::from(matches!(fault.on_request(&mut request(&[]), &mut world), Verdict::Respond(_)));
        }
        // Five standard deviations of a binomial distribution.
        let p = f64::from(share) / 1e6;
        let (mean, bound) = (f64::from(count) * p, 5.0 * (f64::from(count) * p * (1.0 - p)).sqrt());
        assert!((f64::from(hit) - mean).abs() <= bound, "{hit} of {count}, {mean} are meant");
        assert_eq!(world.counted.len(), usize::try_from(hit).expect("few"));
    }
}

#[test]
fn one_in_a_million_is_rare_and_not_never() {
    let mut fault = fault(&json!({"abort": {"status": 503, "per_million": 1}}));
    let mut world = world(1);
    let hit = (0..5_000_000).filter(|_| matches!(fault.on_request(&mut request(&[]), &mut world), Verdict::Respond(_)));
    // Of a Poisson distribution with mean 5, less than 1 or more than 20 comes once in 150.
    assert!((1..=20).contains(&hit.count()));
}

#[test]
fn delays_and_aborts_are_independent() {
    let half = 500_000;
    let select = json!({"header": "x-user", "seed": "s"});
    for select in [Value::Null, select] {
        let mut fault = fault(&json!({
            "delay": {"millis": 10, "per_million": half},
            "abort": {"status": 503, "per_million": half},
            "select": select,
        }));
        let mut world = world(7);
        let mut met = [0_u32; 4];
        for user in 0..40_000 {
            let user = user.to_string();
            let index = match fault.on_request(&mut request(&[("x-user", &user)]), &mut world) {
                Verdict::Continue(_) => 0,
                Verdict::Respond(_) => 1,
                Verdict::Delay { then: None, .. } => 2,
                _ => 3,
            };
            met[index] += 1;
        }
        // Five standard deviations with n = 40,000, p = 0.25 are 433.
        assert!(met.iter().all(|count| (9_567..=10_433).contains(count)), "{met:?}");
    }
}

#[test]
fn every_length_of_a_delay_is_as_likely() {
    let mut fault = fault(&json!({"delay": {"millis": 10, "up_to": 19, "per_million": 1_000_000}}));
    let mut world = world(3);
    let mut lengths = [0_u32; 10];
    for _ in 0..40_000 {
        let Verdict::Delay { millis, .. } = fault.on_request(&mut request(&[]), &mut world) else {
            panic!("every request is delayed")
        };
        lengths[usize::try_from(millis).expect("short") - 10] += 1;
    }
    // Five standard deviations with n = 40,000, p = 0.1 are 300.
    assert!(lengths.iter().all(|count| (3_700..=4_300).contains(count)), "{lengths:?}");
}

#[test]
fn so_many_at_once_at_most() {
    let mut fault = fault(&json!({
        "delay": {"millis": 10, "per_million": 1_000_000},
        "max_active": 3,
    }));
    let mut world = world(0);
    for (held, delayed) in [(0, true), (2, true), (3, false), (u64::MAX, false)] {
        world.held = held;
        let verdict = fault.on_request(&mut request(&[]), &mut world);
        assert_eq!(matches!(verdict, Verdict::Delay { .. }), delayed, "{held}");
    }
    let overflows = world.counted.iter().filter(|counter| **counter == Counter::FaultOverflows);
    assert_eq!(overflows.count(), 2);
}

#[test]
fn grpc_clients_are_told_by_a_grpc_status_and_others_by_an_error() {
    for status in 0..=u8::MAX {
        let known = http_status_of_grpc(status);
        assert_eq!(known.is_some(), (1..=16).contains(&status));
        assert!(known.is_none_or(|known| (400..=599).contains(&known)));
        let mut fault = fault(&json!({"control": {"grpc_statuses": [status], "max_per_million": 1_000_000}}));
        let mut request = request(&[("x-envoy-fault-abort-grpc-request", &status.to_string())]);
        match fault.on_request(&mut request, &mut world(0)) {
            Verdict::Respond(reply) => {
                assert_eq!((Some(reply.status), reply.grpc_status), (known, Some(status)));
            }
            verdict => assert!(known.is_none(), "{status}: {verdict:?}"),
        }
    }
}

#[test]
fn a_configuration_that_no_answer_can_have_is_refused() {
    for (config, path) in [
        (json!({"abort": {"status": 199, "per_million": 1}}), "abort.status"),
        (json!({"abort": {"status": 600, "per_million": 1}}), "abort.status"),
        (json!({"abort": {"status": 503}}), "abort.per_million"),
        (json!({"abort": {"status": 503, "per_million": -1}}), "abort.per_million"),
        (
            json!({"abort": {"status": 503, "per_million": 1, "headers": [{"name": ":status", "value": "1"}]}}),
            "[0].name",
        ),
        (json!({"abort": {"status": 503, "per_million": 1, "headers": [{"name": "", "value": "1"}]}}), "[0].name"),
        (
            json!({"abort": {"status": 503, "per_million": 1, "headers": [{"name": "a", "value": "1\r\nb: 2"}]}}),
            "[0].value",
        ),
        (
            json!({"abort": {"status": 503, "per_million": 1, "headers": [{"name": "Content-Length", "value": "1"}]}}),
            "[0].name",
        ),
        (json!({"delay": {"millis": 4_294_967_296_u64, "per_million": 1}}), "delay.millis"),
        (json!({"from": {"networks": ["10.0.0.0/33"]}}), "from.networks[0]"),
        (json!({"control": {"statuses": [999], "max_per_million": 1}}), "control.statuses[0]"),
        (json!({"select": {"header": "x-user"}}), "select.seed"),
        (json!({"starts": "tomorrow"}), "starts"),
        (json!({"rules": []}), "rules"),
    ] {
        let invalid = decode::<FaultConfig>(config.to_string().as_bytes()).expect_err("is refused").to_string();
        assert!(invalid.contains(path), "{invalid}");
    }
}

#[test]
fn a_written_configuration_is_read_as_it_was() {
    let config: FaultConfig = decode(
        json!({
            "delay": {"millis": 10, "up_to": 20, "per_million": 3},
            "abort": {
                "status": 503, "grpc_status": 8, "body": "", "per_million": 1,
                "headers": [{"name": "x-a", "value": "b"}],
            },
            "when": [{"header": {"name": "x-a", "value": "present"}}],
            "from": {"identities": ["spiffe://a/b"], "networks": ["10.0.0.0/8"]},
            "select": {"header": "x-user", "seed": "s"},
            "starts": 1, "ends": 2, "max_active": 3,
            "control": {"max_millis": 5, "statuses": [503], "grpc_statuses": [14], "max_per_million": 7},
        })
        .to_string()
        .as_bytes(),
    )
    .expect("a configuration");
    let written = serde_json::to_string(&config).expect("can be written");
    assert_eq!(decode::<FaultConfig>(written.as_bytes()), Ok(config));
}

fn headers() -> impl Strategy<Value = Vec<Header>> {
    let name = prop_oneof![
        5 => (0..FAULT_CONTROL_HEADERS.len()).prop_map(|index| FAULT_CONTROL_HEADERS[index].to_owned()),
        1 => Just("X-Envoy-Fault-Delay-Request".to_owned()),
        1 => Just("x-user".to_owned()),
        1 => Just("x-chaos".to_owned()),
        1 => Just("x-forwarded-for".to_owned()),
        1 => Just(":path".to_owned()),
    ];
    let value = prop_oneof![
        (0..2000_u32).prop_map(|number| number.to_string().into_bytes()),
        Just(b"1000000000".to_vec()),
        Just(b"999999999999999999999999".to_vec()),
        Just(b"0.00001".to_vec()),
        Just(b"-1".to_vec()),
        vec(any::<u8>(), 0..12),
    ];
    vec((name.prop_map(String::into_bytes), value), 0..10)
}

fn configs() -> impl Strategy<Value = Value> {
    let share = prop_oneof![Just(0_u32), Just(1_000_000), any::<u32>()];
    let delay = (0..100_u32, any::<u32>(), share.clone());
    let delay = delay
        .prop_map(|(millis, up_to, per_million)| json!({"millis": millis, "up_to": up_to, "per_million": per_million}));
    let abort = (200..600_u16, option::of(any::<u8>()), share.clone()).prop_map(
        |(status, grpc, per_million)| json!({"status": status, "grpc_status": grpc, "per_million": per_million}),
    );
    let control = (0..100_u32, vec(200..600_u16, 0..4), vec(any::<u8>(), 0..3), share);
    let control = control.prop_map(|(millis, statuses, grpc, most)| {
        json!({"max_millis": millis, "statuses": statuses, "grpc_statuses": grpc, "max_per_million": most})
    });
    let from = prop_oneof![
        Just(json!({"networks": ["10.0.0.0/8", "::/0"]})),
        Just(json!({"identities": ["spiffe://mesh/cart"]})),
    ];
    let when = Just(json!([{"header": {"name": "x-chaos", "value": "present"}}]));
    let rest = (option::of(from), option::of(when), any::<bool>(), option::of(0..5_u32), option::of(0..20_u64));
    (option::of(delay), option::of(abort), option::of(control), rest).prop_map(
        |(delay, abort, control, (from, when, select, most, ends))| {
            json!({
                "delay": delay, "abort": abort, "control": control, "from": from,
                "when": when.unwrap_or_else(|| json!([])),
                "select": select.then(|| json!({"header": "x-user", "seed": "s"})),
                "max_active": most, "ends": ends,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_verdict_is_within_what_is_configured(
        config in configs(), headers in headers(), seed in any::<u64>(), held in 0..6_u64, now in 0..20_u64,
        source in prop_oneof![Just("10.0.0.1:1"), Just("[::1]:1"), Just("192.0.2.1:1"), Just("nonsense")],
        peer in prop_oneof![Just("spiffe://mesh/cart"), Just("spiffe://mesh/"), Just("")],
    ) {
        let mut fault = fault(&config);
        let mut world = World { held, now: now * 1_000_000_000, ..world(seed) };
        let mut request = HeaderList::from_wire(headers)
            .with_property(Property::SourceAddress, source)
            .with_property(Property::PeerUri, peer);
        let verdict = fault.on_request(&mut request, &mut world);
        let number = |pointer: &str| config.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
        let numbers = |pointer: &str| -> Vec<u64> {
            config.pointer(pointer).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect()
        };
        let (delay, reply) = match verdict {
            Verdict::Delay { millis, then, .. } => (Some(u64::from(millis)), then),
            Verdict::Respond(reply) => (None, Some(reply)),
            _ => (None, None),
        };
        if let Some(delay) = delay {
            let longest = number("/delay/millis").max(number("/delay/up_to")).max(number("/control/max_millis"));
            prop_assert!((1..=longest).contains(&delay), "{delay} of {longest}");
        }
        if let Some(reply) = &reply {
            let status = u64::from(reply.status);
            let of_grpc = |grpc: u64| u8::try_from(grpc).ok().and_then(http_status_of_grpc).map(u64::from);
            let asked = numbers("/control/grpc_statuses").into_iter().filter_map(of_grpc);
            let known: Vec<u64> =
                [number("/abort/status")].into_iter().chain(numbers("/control/statuses")).chain(asked).collect();
            prop_assert!(known.contains(&status), "{status} of {known:?}");
            prop_assert_eq!(reply.details, "meshwright_fault_abort");
        }
        if delay.is_some() || reply.is_some() {
            prop_assert!(config["ends"].as_u64().is_none_or(|ends| now < ends));
            prop_assert!(config["max_active"].as_u64().is_none_or(|most| held < most));
            prop_assert!(config["from"].get("identities").is_none() || peer == "spiffe://mesh/cart");
            prop_assert!(config["from"].get("networks").is_none() || source == "10.0.0.1:1" || source == "[::1]:1");
        }
    }

    #[test]
    fn what_asks_for_faults_goes_no_further(mut config in configs(), headers in headers()) {
        if config["control"].is_null() {
            config["control"] = json!({"max_per_million": 0});
        }
        let filter = find(FAULT_ROOT_ID).expect("a filter");
        let mut policy = (filter.configure)(config.to_string().as_bytes()).expect("a configuration");
        let case = Case { request: headers, repeat: 1, ..Case::default() };
        if let End::Forwarded { headers, .. } = run(&mut *policy, &case).end {
            let left = headers.iter().find(|(name, _)| name.starts_with(b"x-envoy-fault-"));
            prop_assert_eq!(left, None);
        }
    }

    #[test]
    fn without_control_no_header_changes_the_verdict(mut config in configs(), headers in headers(), seed in any::<u64>()) {
        config["control"] = Value::Null;
        let own: Vec<Header> =
            headers.iter().filter(|(name, _)| !name.to_ascii_lowercase().starts_with(b"x-envoy-fault-")).cloned().collect();
        let decide = |headers| fault(&config).on_request(&mut HeaderList::from_wire(headers), &mut world(seed));
        prop_assert_eq!(decide(headers), decide(own));
    }

    #[test]
    fn who_brings_the_same_meets_the_same(user in "[ -~]{1,20}", share in 0..=1_000_000_u32, chance in any::<[u64; 2]>()) {
        let config = json!({
            "delay": {"millis": 10, "up_to": 5000, "per_million": share},
            "abort": {"status": 503, "per_million": share},
            "select": {"header": "x-user", "seed": "s"},
        });
        // Two Envoys, each with a chance of its own, and requests that differ in everything else.
        let met = |path: &str, chance| {
            fault(&config).on_request(&mut request(&[(":path", path), ("x-user", &user)]), &mut world(chance))
        };
        prop_assert_eq!(met("/", chance[0]), met("/elsewhere", chance[1]));
    }

    #[test]
    fn more_of_a_share_spares_nobody_it_hit(user in "[ -~]{1,20}", less in 0..=1_000_000_u32, more in 0..=1_000_000_u32) {
        let (less, more) = (less.min(more), less.max(more));
        let hit = |share: u32| {
            let config = json!({
                "abort": {"status": 503, "per_million": share}, "select": {"header": "x-user", "seed": "s"},
            });
            let verdict = fault(&config).on_request(&mut request(&[("x-user", &user)]), &mut world(0));
            matches!(verdict, Verdict::Respond(_))
        };
        prop_assert!(!hit(less) || hit(more));
    }

    #[test]
    fn no_configuration_is_too_strange_to_be_refused_or_taken(text in "[ -~]{0,60}", json in "[{}\\[\\]\",:a-z0-9]{0,80}") {
        let _ = decode::<FaultConfig>(text.as_bytes());
        let _ = decode::<FaultConfig>(json.as_bytes());
    }
}

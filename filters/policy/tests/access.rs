//! What holds for access by address and for rate limits, whatever is asked of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use meshwright_policy::{
    Address, Counter, Env, HeaderList, HttpPolicy, IpAccess, IpAccessConfig, Network, Networks, Property, RateLimit,
    RateLimitConfig, Shared, Verdict, decode,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// One worker's world: a clock, and what it shares with others.
struct World {
    nanos: u64,
    random: u64,
    shared: Rc<RefCell<BTreeMap<Vec<u8>, Shared>>>,
    /// Every so many writes another worker is first.
    interrupted: Option<u32>,
    writes: u32,
}

impl World {
    fn new() -> World {
        World { nanos: 0, random: 0, shared: Rc::default(), interrupted: None, writes: 0 }
    }
}

impl Env for World {
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random
    }

    fn unix_nanos(&mut self) -> u64 {
        self.nanos
    }

    fn monotonic_nanos(&mut self) -> u64 {
        self.nanos
    }

    fn count(&mut self, _: Counter) {}

    fn held(&mut self) -> u64 {
        0
    }

    fn shared(&mut self, key: &[u8]) -> Option<Shared> {
        self.shared.borrow().get(key).cloned()
    }

    fn share(&mut self, key: &[u8], value: &[u8], version: u32) -> bool {
        self.writes += 1;
        let mut shared = self.shared.borrow_mut();
        if self.interrupted.is_some_and(|every| self.writes.is_multiple_of(every)) {
            return false;
        }
        let known = shared.get(key).map_or(0, |known| known.version);
        if known != version {
            return false;
        }
        shared.insert(key.to_vec(), Shared { value: value.to_vec(), version: known + 1 });
        true
    }
}

fn limited(json: &str) -> RateLimit {
    let config: RateLimitConfig = decode(json.as_bytes()).expect("a valid configuration");
    RateLimit::new(config)
}

fn of_user(user: &str) -> HeaderList {
    let header = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    HeaderList::from_wire([header(":method", "GET"), header(":path", "/"), header("x-user", user)])
}

fn passes(policy: &mut RateLimit, user: &str, env: &mut World) -> bool {
    matches!(policy.on_request(&mut of_user(user), env), Verdict::Continue(_))
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
        // Neighbours, so that networks have something in them.
        any::<u8>().prop_map(|last| Ipv4Addr::new(10, 0, 0, last).into()),
        any::<u16>().prop_map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into()),
        any::<u8>().prop_map(|last| Ipv4Addr::new(10, 0, 0, last).to_ipv6_mapped().into()),
    ]
}

/// Whether a network has an address, bit by bit.
fn naively(network: (IpAddr, u8), address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => format!("{:032b}", v4.to_bits()),
        IpAddr::V6(v6) => format!("{:0128b}", v6.to_bits()),
    };
    let (network, prefix) = match (network.0, network.0.to_canonical()) {
        (IpAddr::V6(_), canonical @ IpAddr::V4(_)) if network.1 >= 96 => (canonical, network.1 - 96),
        _ => network,
    };
    let (one, other) = (bits(network), bits(address.to_canonical()));
    one.len() == other.len() && one[..usize::from(prefix)] == other[..usize::from(prefix)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bucket_gives_no_more_than_its_burst_and_what_flowed_in(
        requests in 1_u32..50, per_millis in 1_u32..5_000, burst in 1_u32..20,
        start in any::<u64>(), waits in vec(0_u64..2_000_000_000, 1..200), is_shared in any::<bool>(),
    ) {
        let config = format!(
            r#"{{"limits":[{{"name":"a","requests":{requests},"per_millis":{per_millis},"burst":{burst},
            "keys":[{{"source":{{"header":"x-user"}}}}],"shared":{is_shared}}}]}}"#
        );
        // Two workers, which must be as one where they share.
        let mut workers = [limited(&config), limited(&config)];
        let mut env = World::new();
        let (mut given, mut flowed) = ([0_u128; 2], 0_u128);
        let start = start / 2;
        env.nanos = start;
        for (number, wait) in waits.iter().enumerate() {
            env.nanos += wait / u64::from(requests);
            flowed = u128::from(env.nanos - start) * u128::from(requests) / (u128::from(per_millis) * 1_000_000);
            given[number % 2] += u128::from(passes(&mut workers[number % 2], "alice", &mut env));
        }
        let most = u128::from(burst) + flowed;
        if is_shared {
            prop_assert!(given[0] + given[1] <= most, "{given:?} of {most}");
        } else {
            prop_assert!(given[0] <= most && given[1] <= most, "{given:?} of {most}");
        }
    }

    #[test]
    fn whoever_stays_below_the_rate_is_never_refused(
        requests in 1_u32..50, per_millis in 1_u32..5_000, start in any::<u32>(), others in vec("[a-z]{1,3}", 0..50),
    ) {
        let config = format!(
            r#"{{"limits":[{{"name":"a","requests":{requests},"per_millis":{per_millis},"burst":1,
            "keys":[{{"source":{{"header":"x-user"}}}}]}}]}}"#
        );
        let mut policy = limited(&config);
        let mut env = World::new();
        env.nanos = u64::from(start);
        for other in others {
            env.nanos += (u64::from(per_millis) * 1_000_000).div_ceil(u64::from(requests));
            prop_assert!(passes(&mut policy, "alice", &mut env));
            passes(&mut policy, &format!("not {other}"), &mut env);
        }
    }

    #[test]
    fn shared_limits_stay_strict_when_workers_are_in_each_other_s_way(every in 1_u32..5, asked in 1_u32..40) {
        let config = r#"{"limits":[{"name":"a","requests":1,"per_millis":3600000,"burst":3,"shared":true}]}"#;
        let mut policy = limited(config);
        let mut env = World { interrupted: Some(every), ..World::new() };
        let given = (0..asked).filter(|_| passes(&mut policy, "alice", &mut env)).count();
        prop_assert!(given <= 3);
    }

    #[test]
    fn a_refused_request_takes_nothing(is_shared in any::<bool>(), asked in 1_u32..20) {
        let config = format!(
            r#"{{"limits":[
                {{"name":"wide","requests":1,"per_millis":3600000,"burst":5,"shared":{is_shared}}},
                {{"name":"narrow","requests":1,"per_millis":3600000,"burst":2,"keys":[{{"source":{{"header":"x-user"}}}}]}}
            ]}}"#
        );
        let mut policy = limited(&config);
        let mut env = World::new();
        for _ in 0..asked {
            passes(&mut policy, "alice", &mut env);
        }
        let left = (0..9).filter(|number| passes(&mut policy, &format!("user {number}"), &mut env)).count();
        prop_assert_eq!(left, 5 - usize::try_from(asked.min(2)).expect("small"));
    }

    #[test]
    fn no_configuration_is_too_odd(
        requests in any::<u32>(), per_millis in any::<u64>(), burst in any::<u32>(), cost in any::<u32>(),
        nanos in vec(any::<u64>(), 0..10), headers in prop_oneof!["none", "standard", "legacy", "both"], name in ".*",
        is_shared in any::<bool>(),
    ) {
        let name = serde_json::to_string(&name).expect("text");
        let config = format!(
            r#"{{"limits":[{{"name":{name},"requests":{requests},"per_millis":{per_millis},"burst":{burst},"cost":{cost},
            "headers":"{headers}","shared":{is_shared}}}]}}"#
        );
        let mut policy = limited(&config);
        let mut env = World::new();
        for nanos in nanos {
            env.nanos = nanos;
            let verdict = policy.on_request(&mut of_user("alice"), &mut env);
            let values: Vec<Vec<u8>> = match verdict {
                Verdict::Respond(reply) => reply.headers.into_iter().map(|(_, value)| value.into_bytes()).collect(),
                _ => Vec::new(),
            };
            prop_assert!(values.iter().flatten().all(|byte| (b' '..=b'~').contains(byte)));
        }
    }

    #[test]
    fn a_network_has_the_addresses_that_its_bits_say(
        networks in vec((address(), 0_u8..=128), 0..12), addresses in vec(address(), 1..20)
    ) {
        let networks: Vec<(IpAddr, u8)> =
            networks.into_iter().map(|(it, prefix)| (it, if it.is_ipv4() { prefix.min(32) } else { prefix })).collect();
        let set = Networks::new(&networks.iter().map(|(it, prefix)| Network::new(*it, *prefix)).collect::<Vec<_>>());
        for address in addresses {
            let known = Address::parse(address.to_string().as_bytes()).expect("an address");
            let expected = networks.iter().any(|network| naively(*network, address));
            prop_assert_eq!(set.contain(known), expected, "{} in {:?}", address, networks);
        }
    }

    #[test]
    fn a_network_is_written_as_it_is_read(address in address(), prefix in any::<u8>()) {
        let network = Network::new(address, prefix);
        prop_assert_eq!(Network::parse(&network.to_string()), Some(network));
    }

    #[test]
    fn nobody_comes_in_who_is_denied_or_has_no_address(
        source in prop_oneof![".*", address().prop_map(|it| format!("{it}")), address().prop_map(|it| format!("[{it}]:1"))],
        written in vec(any::<u8>(), 0..60), trusted_hops in 0_u32..4, denied in address(), prefix in 0_u8..=128,
    ) {
        let denied = Network::new(denied, prefix);
        let mut config: IpAccessConfig = decode(b"{}").expect("a valid configuration");
        config.deny = vec![denied];
        config.trusted_hops = trusted_hops;
        let header = (b"x-forwarded-for".to_vec(), written.clone());
        let mut request = HeaderList::from_wire([header]).with_property(Property::SourceAddress, &source);
        let verdict = IpAccess::new(config).on_request(&mut request, &mut World::new());
        if verdict == Verdict::PASS && trusted_hops > 0 {
            let entry = written.rsplit(|byte| *byte == b',').nth(trusted_hops as usize - 1);
            let text = String::from_utf8(entry.expect("an entry").trim_ascii().to_vec()).expect("text");
            let digits = |text: &str| text.contains(|it: char| it.is_ascii_hexdigit() || it == ':');
            prop_assert!(digits(&text), "{text}");
        }
        if let (Verdict::Continue(_), 0, Some(client)) = (&verdict, trusted_hops, Address::parse(source.as_bytes())) {
            prop_assert!(!Networks::new(&[denied]).contain(client));
        }
    }
}

#[test]
fn workers_share_no_more_than_a_thousand_sets_whoever_comes() {
    let config =
        r#"{"limits":[{"name":"a","requests":1,"burst":1,"keys":[{"source":{"header":"x-user"}}],"shared":true}]}"#;
    let mut policy = limited(config);
    let mut env = World::new();
    for user in 0..20_000 {
        passes(&mut policy, &format!("user {user}"), &mut env);
    }
    let shared = env.shared.borrow();
    assert!(shared.len() <= 1025, "{} keys", shared.len());
    assert!(shared.values().all(|shared| shared.value.len() <= 200));
}

#[test]
fn another_rate_begins_with_full_buckets() {
    let config = |requests: u32| {
        format!(r#"{{"limits":[{{"name":"a","requests":{requests},"per_millis":3600000,"burst":1,"shared":true}}]}}"#)
    };
    let mut env = World::new();
    assert!(passes(&mut limited(&config(1)), "alice", &mut env));
    assert!(!passes(&mut limited(&config(1)), "alice", &mut env));
    assert!(passes(&mut limited(&config(2)), "alice", &mut env));
    assert_eq!(env.shared.borrow().len(), 1);
}

#[test]
fn an_abuser_is_not_forgotten_for_those_who_ask_once() {
    let config = r#"{"limits":[{"name":"a","requests":1,"per_millis":3600000,"burst":5,"keys":[{"source":{"header":"x-user"}}]}]}"#;
    let mut policy = limited(config);
    let mut env = World::new();
    for _ in 0..5 {
        assert!(passes(&mut policy, "abuser", &mut env));
    }
    for user in 0..20_000 {
        passes(&mut policy, &format!("user {user}"), &mut env);
    }
    assert!(!passes(&mut policy, "abuser", &mut env));
}

#[test]
fn a_client_without_an_address_is_refused() {
    let config: IpAccessConfig = decode(b"{}").expect("a valid configuration");
    let mut policy = IpAccess::new(config);
    let verdict = policy.on_request(&mut HeaderList::default(), &mut World::new());
    assert!(matches!(verdict, Verdict::Respond(_)));
}

#[test]
fn what_is_counted_by_an_address_that_nobody_knows_is_counted_together() {
    let config =
        r#"{"limits":[{"name":"a","requests":1,"per_millis":3600000,"burst":1,"keys":[{"source":"address"}]}]}"#;
    let mut policy = limited(config);
    let mut env = World::new();
    assert!(passes(&mut policy, "alice", &mut env));
    assert!(!passes(&mut policy, "bob", &mut env));
}

#[test]
fn callers_are_counted_by_their_certificates() {
    let config =
        r#"{"limits":[{"name":"a","requests":1,"per_millis":3600000,"burst":1,"keys":[{"source":"caller"}]}]}"#;
    let mut policy = limited(config);
    let mut env = World::new();
    let mut passes = |uri: &str| {
        let mut request = of_user("alice").with_property(Property::PeerUri, uri);
        matches!(policy.on_request(&mut request, &mut env), Verdict::Continue(_))
    };
    assert!(passes("spiffe://mesh/shop"));
    assert!(!passes("spiffe://mesh/shop"));
    assert!(passes("spiffe://mesh/cart"));
}

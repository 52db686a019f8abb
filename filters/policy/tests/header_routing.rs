//! The laws of header routing, whatever the request and the rules.

use meshwright_policy::testdata::{Case, End, Observed, run};
use meshwright_policy::{
    Condition, Counter, DRY_RUN_HEADER, Decide, Env, HEADER_ROUTING_ROOT_ID, Header, HeaderRouting,
    HeaderRoutingConfig, HeaderRoutingRule, HttpPolicy, NamedMatch, Property, ROUTE_HEADER, RouteShare, RouteShares,
    Shared, Sticky, StickyBy, StringMatch, VisitorCookie, find,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn header(name: &str, value: &str) -> Header {
    (name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

fn decide(policy: &mut dyn Decide, request: Vec<Header>) -> Observed {
    run(policy, &Case { request, repeat: 1, ..Case::default() })
}

fn routes(observed: &Observed) -> Vec<String> {
    let End::Forwarded { headers, .. } = &observed.end else { panic!("header routing answers nobody") };
    let routes = headers.iter().filter(|(name, _)| name == ROUTE_HEADER.as_bytes());
    routes.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}

fn cookies_set(observed: &Observed) -> Vec<String> {
    let End::Forwarded { response, .. } = &observed.end else { panic!("header routing answers nobody") };
    let set = response.iter().filter(|(name, _)| name == b"set-cookie");
    set.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}

fn rule(route: &str) -> HeaderRoutingRule {
    let to = RouteShare::all(route);
    HeaderRoutingRule { when: Vec::new(), per_million: 1_000_000, sticky: None, to, dry_run: false }
}

fn by_user(seed: &str) -> Option<Sticky> {
    Some(Sticky { by: StickyBy::Header("x-user".to_owned()), seed: seed.to_owned() })
}

fn policy(rules: Vec<HeaderRoutingRule>) -> HeaderRouting {
    HeaderRouting::new(HeaderRoutingConfig { rules })
}

fn split(weights: &[u32]) -> RouteShares {
    let share = |(index, weight): (usize, &u32)| RouteShare { route: format!("r{index}"), weight: *weight };
    RouteShares(weights.iter().enumerate().map(share).collect())
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "x-a",
        "X-A",
        "x-b",
        "cookie",
        "user-agent",
        ":path",
        ":method",
        ":authority",
        ROUTE_HEADER,
        DRY_RUN_HEADER,
    ])
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..20),
        prop::sample::select(vec![
            "on",
            "ON",
            "off",
            "5",
            "a=on",
            "a=on; a=off",
            "/x?a=on",
            "/x?a=on&%61=off",
            "/%2e%2e/x",
            "/on",
            "on.svc:80",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn requests() -> impl Strategy<Value = Vec<Header>> {
    vec((names().prop_map(|name| name.as_bytes().to_vec()), values()), 0..8)
}

fn comparisons() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::json!("present")),
        Just(serde_json::json!({"one_of": ["on", "5"]})),
        (-9_i64..9).prop_map(|start| serde_json::json!({"range": {"start": start, "end": 7}})),
        ("exact|prefix|suffix|contains", "on|o|/|").prop_map(|(how, text)| serde_json::json!({how: text})),
    ]
}

fn conditions() -> impl Strategy<Value = serde_json::Value> {
    let name = prop::sample::select(vec!["x-a", "x-b", "a", "cookie", ":path"]);
    let leaf = ("method|host|path|header|cookie|query", name, comparisons(), any::<bool>(), any::<bool>()).prop_map(
        |(of, name, value, ignore_case, invert)| {
            let mut said = serde_json::json!({"value": value, "ignore_case": ignore_case, "invert": invert});
            if matches!(of.as_str(), "header" | "cookie" | "query") {
                said["name"] = name.into();
            }
            serde_json::json!({of: said})
        },
    );
    leaf.prop_recursive(4, 12, 3, |inner| {
        ("all|any", vec(inner, 0..3)).prop_map(|(group, conditions)| serde_json::json!({group: conditions}))
    })
}

fn rules() -> impl Strategy<Value = serde_json::Value> {
    let sticky = prop_oneof![
        Just(serde_json::Value::Null),
        Just(serde_json::json!({"by": "source_address"})),
        Just(serde_json::json!({"by": {"header": "x-a"}, "seed": "s"})),
        Just(serde_json::json!({"by": {"query": "a"}})),
        Just(serde_json::json!({"by": {"visitor": {"name": "a"}}})),
    ];
    let to = vec(("[a-c]", prop_oneof![Just(0_u32), Just(u32::MAX), 1_u32..5]), 1..4);
    (vec(conditions(), 0..3), prop_oneof![Just(0_u32), Just(u32::MAX), 0_u32..1_000_001], sticky, to, any::<bool>())
        .prop_map(|(when, per_million, sticky, to, dry_run)| {
            let to: Vec<_> =
                to.iter().map(|(route, weight)| serde_json::json!({"route": route, "weight": weight})).collect();
            serde_json::json!({
                "when": when, "per_million": per_million, "sticky": sticky, "to": to, "dry_run": dry_run,
            })
        })
}

fn configured(config: &serde_json::Value) -> Box<dyn Decide> {
    let filter = find(HEADER_ROUTING_ROOT_ID).expect("header routing is a filter");
    (filter.configure)(config.to_string().as_bytes()).expect("a configuration")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_route_is_always_one_that_a_rule_names(rules in vec(rules(), 0..4), request in requests()) {
        let observed = decide(&mut *configured(&serde_json::json!({"rules": rules})), request);
        let routes = routes(&observed);
        prop_assert!(routes.len() <= 1);
        prop_assert!(routes.iter().all(|route| ["a", "b", "c"].contains(&route.as_str())), "{routes:?}");
        if rules.iter().all(|rule| rule["dry_run"] == true) {
            prop_assert!(routes.is_empty());
            prop_assert!(cookies_set(&observed).is_empty());
        }
    }

    #[test]
    fn the_same_request_has_the_same_verdict(rules in vec(rules(), 0..4), request in requests()) {
        let config = serde_json::json!({"rules": rules});
        let mut policy = configured(&config);
        let once = format!("{:?}", decide(&mut *policy, request.clone()));
        prop_assert_eq!(&once, &format!("{:?}", decide(&mut *policy, request.clone())));
        prop_assert_eq!(&once, &format!("{:?}", decide(&mut *configured(&config), request)));
    }

    #[test]
    fn a_configuration_is_read_as_it_was_written(rule in rules()) {
        let config = serde_json::json!({"rules": [rule]}).to_string();
        let read: HeaderRoutingConfig = meshwright_policy::decode(config.as_bytes()).expect("a configuration");
        let written = serde_json::to_vec(&read).expect("serialisable");
        prop_assert_eq!(meshwright_policy::decode(&written), Ok(read));
    }

    #[test]
    fn no_bytes_are_a_configuration_that_panics(bytes in vec(any::<u8>(), 0..60)) {
        let _ = meshwright_policy::decode::<HeaderRoutingConfig>(&bytes);
    }

    #[test]
    fn the_first_rule_that_takes_a_request_wins(taken in vec(any::<bool>(), 1..6)) {
        let rules = taken.iter().enumerate().map(|(index, takes)| {
            let present = Condition::Header(NamedMatch::new("x-a", StringMatch::Present));
            HeaderRoutingRule { when: vec![present; usize::from(!takes)], ..rule(&format!("r{index}")) }
        });
        let observed = decide(&mut policy(rules.collect()), vec![header("x-b", "1")]);
        let first = taken.iter().position(|takes| *takes).map(|index| format!("r{index}"));
        prop_assert_eq!(routes(&observed), Vec::from_iter(first));
    }

    #[test]
    fn a_repeated_header_grants_nothing_by_its_value(
        values in vec("on|off|", 2..4), condition in comparisons(), invert in any::<bool>()
    ) {
        prop_assume!(condition != "present");
        let condition = serde_json::json!({"header": {"name": "x-a", "value": condition, "invert": invert}});
        let config = serde_json::json!({"rules": [{"when": [condition], "to": [{"route": "a"}]}]});
        let request = values.iter().map(|value| header("x-a", value)).collect();
        prop_assert_eq!(routes(&decide(&mut *configured(&config), request)), Vec::<String>::new());
    }

    #[test]
    fn a_user_has_one_destination_on_every_envoy(user in "[a-z0-9-]{1,20}", per_million in 0_u32..=1_000_000) {
        let rule = || HeaderRoutingRule { per_million, sticky: by_user("s"), to: split(&[1, 2, 3]), ..rule("") };
        let here = routes(&decide(&mut policy(vec![rule()]), vec![header("x-user", &user), header("x-b", "1")]));
        let there = routes(&decide(&mut policy(vec![rule()]), vec![header(":path", "/other"), header("X-User", &user)]));
        prop_assert_eq!(here, there);
    }

    #[test]
    fn whom_a_small_share_takes_a_larger_one_takes(user in "[a-z]{1,9}", one in 0_u32..1_000_000, more in 0_u32..1_000_000) {
        let taken = |per_million| {
            let rule = HeaderRoutingRule { per_million, sticky: by_user("s"), ..rule("a") };
            !routes(&decide(&mut policy(vec![rule]), vec![header("x-user", &user)])).is_empty()
        };
        prop_assert!(!taken(one.min(more)) || taken(one.max(more)));
    }

    #[test]
    fn a_cookie_that_was_set_is_obeyed(draws in vec(any::<u64>(), 2), per_million in 1_u32..=1_000_000) {
        let cookie = VisitorCookie {
            name: meshwright_policy::CookieText("v".to_owned()),
            path: meshwright_policy::CookieText("/".to_owned()),
            max_age_seconds: None,
            http_only: true,
            secure: false,
            same_site: meshwright_policy::SameSite::Lax,
        };
        let sticky = Some(Sticky { by: StickyBy::Visitor(cookie), seed: "s".to_owned() });
        let mut policy = policy(vec![HeaderRoutingRule { per_million, sticky, to: split(&[1, 1]), ..rule("") }]);
        let first = run(&mut policy, &Case { random: Some(draws), repeat: 1, ..Case::default() });
        let set = cookies_set(&first);
        prop_assert_eq!(set.len(), 1);
        let pair = set[0].split(';').next().expect("a pair");
        let second = decide(&mut policy, vec![header("cookie", pair)]);
        prop_assert_eq!(routes(&first), routes(&second));
        prop_assert!(cookies_set(&second).is_empty());
    }
}

#[test]
fn shares_are_as_large_as_they_are_said_to_be() {
    let rule = HeaderRoutingRule { per_million: 300_000, sticky: by_user("s"), to: split(&[1, 3]), ..rule("") };
    let mut policy = policy(vec![rule]);
    let taken: Vec<Vec<String>> =
        (0..20_000).map(|user| routes(&decide(&mut policy, vec![header("x-user", &format!("user-{user}"))]))).collect();
    let went = |route: &str| taken.iter().flatten().filter(|taken| *taken == route).count();
    // Of 20,000: 1,500 and 4,500 are expected; five standard deviations are 186 and 295.
    assert!((1314..=1686).contains(&went("r0")), "{}", went("r0"));
    assert!((4205..=4795).contains(&went("r1")), "{}", went("r1"));
}

#[test]
fn rules_of_other_seeds_choose_independently() {
    let half = |seed| HeaderRoutingRule { per_million: 500_000, sticky: by_user(seed), ..rule("a") };
    let (mut one, mut other) = (policy(vec![half("one")]), policy(vec![half("other")]));
    let mut both = 0;
    for user in 0..4000 {
        let request = vec![header("x-user", &format!("user-{user}"))];
        let taken = |policy: &mut HeaderRouting| !routes(&decide(policy, request.clone())).is_empty();
        both += usize::from(taken(&mut one) && taken(&mut other));
    }
    // 1,000 are expected; five standard deviations are 137.
    assert!((863..=1137).contains(&both), "{both}");
}

#[test]
fn what_happens_is_counted() {
    let present = |name: &str| Condition::Header(NamedMatch::new(name, StringMatch::Present));
    let exact = Condition::Header(NamedMatch::new("x-c", StringMatch::Exact("on".to_owned())));
    let rules = || {
        vec![
            HeaderRoutingRule { when: vec![present("x-a")], ..rule("a") },
            HeaderRoutingRule { when: vec![present("x-b")], dry_run: true, ..rule("b") },
            HeaderRoutingRule { when: vec![exact.clone()], ..rule("c") },
        ]
    };
    for (request, counted) in [
        (vec![header("x-a", "1")], vec![Counter::HeaderRoutingRouted]),
        (vec![header("x-b", "1")], vec![Counter::HeaderRoutingDryRun]),
        (vec![header("x-c", "on"), header("x-c", "off")], vec![Counter::HeaderRoutingUndecided]),
        (
            vec![header("x-c", "on"), header("x-b", "1")],
            vec![Counter::HeaderRoutingRouted, Counter::HeaderRoutingDryRun],
        ),
        (vec![header("x-d", "1")], vec![]),
    ] {
        let mut env = Counting::default();
        let case = Case { request, ..Case::default() };
        let _ = HttpPolicy::on_request(&mut policy(rules()), &mut case.seen(), &mut env);
        assert_eq!(env.0, counted, "{:?}", case.request);
    }
}

#[test]
fn who_is_connected_nobody_knows_is_not_taken() {
    let sticky = Some(Sticky { by: StickyBy::SourceAddress, seed: String::new() });
    let mut policy = policy(vec![HeaderRoutingRule { sticky, ..rule("a") }]);
    let from = |address: &str| {
        let properties = vec![(Property::SourceAddress, address.to_owned())];
        Case { properties, repeat: 1, ..Case::default() }
    };
    assert_eq!(routes(&run(&mut policy, &from("10.0.0.1:1"))), ["a"]);
    for unknown in ["", "elsewhere", "/run/socket"] {
        assert!(routes(&run(&mut policy, &from(unknown))).is_empty(), "{unknown}");
    }
    assert!(routes(&decide(&mut policy, Vec::new())).is_empty());
}

#[test]
fn configurations_that_make_no_sense_are_refused() {
    let filter = find(HEADER_ROUTING_ROOT_ID).expect("header routing is a filter");
    let mut deep = serde_json::json!({"all": []});
    for _ in 0..8 {
        deep = serde_json::json!({"any": [deep]});
    }
    let cookie = |name: &str| serde_json::json!({"by": {"visitor": {"name": name}}});
    for (rule, problem) in [
        (serde_json::json!({"to": []}), "rules[0].to: a rule needs destinations, and each of them a route"),
        (
            serde_json::json!({"to": [{"route": ""}]}),
            "rules[0].to: a rule needs destinations, and each of them a route",
        ),
        (serde_json::json!({}), "rules[0].to: the field is missing"),
        (
            serde_json::json!({"to": [{"route": "a"}], "when": [deep]}),
            "rules[0].when[0]: groups stand too deep in groups",
        ),
        (
            serde_json::json!({"to": [{"route": "a"}], "sticky": cookie("a\r\nset-cookie: b")}),
            "rules[0].sticky.by.name: visible ASCII without `;`, `,`, `=`, `\"` and `\\` is expected",
        ),
    ] {
        let config = serde_json::json!({"rules": [rule]}).to_string();
        let refused = (filter.configure)(config.as_bytes()).map(|_| ()).expect_err("it makes no sense");
        assert_eq!(refused.to_string(), problem);
    }
}

#[derive(Default)]
struct Counting(Vec<Counter>);

impl Env for Counting {
    fn random(&mut self) -> u64 {
        0
    }

    fn unix_nanos(&mut self) -> u64 {
        0
    }

    fn monotonic_nanos(&mut self) -> u64 {
        0
    }

    fn count(&mut self, counter: Counter) {
        self.0.push(counter);
    }

    fn held(&mut self) -> u64 {
        0
    }

    fn shared(&mut self, _: &[u8]) -> Option<Shared> {
        None
    }

    fn share(&mut self, _: &[u8], _: &[u8], _: u32) -> bool {
        false
    }
}

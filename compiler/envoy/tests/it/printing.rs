//! How messages look as JSON and YAML.

use std::collections::BTreeMap;

use envoy::config::bootstrap::v3::Bootstrap;
use envoy::config::bootstrap::v3::bootstrap::StaticResources;
use envoy::config::cluster::v3::Cluster;
use envoy::config::cluster::v3::cluster::{ClusterDiscoveryType, DiscoveryType, LbConfig, RingHashLbConfig};
use envoy::config::core::v3::Node;
use envoy::config::listener::v3::filter::ConfigType;
use envoy::config::listener::v3::{Filter, FilterChain, Listener};
use envoy::extensions::access_loggers::file::v3::FileAccessLog;
use envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy::extensions::wasm::v3::PluginConfig;
use envoy::r#type::v3::FractionalPercent;
use expect_test::{Expect, expect};
use meshwright_envoy as envoy;
use prost::{Message, Name};
use prost_types::value::Kind;
use prost_types::{Any, Duration, ListValue, Struct, Value};

#[track_caller]
fn check<M: Name + Message>(message: &M, yaml: Expect) {
    yaml.assert_eq(&envoy::to_yaml(message));
    let from_yaml: serde_json::Value = serde_yaml::from_str(&envoy::to_yaml(message)).expect("YAML that reads");
    let from_json: serde_json::Value = serde_json::from_str(&envoy::to_json(message)).expect("JSON that reads");
    assert_eq!(from_yaml, from_json);
}

fn text(text: &str) -> Value {
    Value { kind: Some(Kind::StringValue(text.to_owned())) }
}

fn metadata(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Node {
    let fields = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Node { metadata: Some(Struct { fields }), ..Node::default() }
}

#[test]
fn fields_come_in_the_order_in_which_envoy_declares_them() {
    // `transport_socket_matches` is number 43 and declared before `name`, number 1.
    let cluster = Cluster {
        name: "beta".into(),
        connect_timeout: Some(Duration { seconds: 0, nanos: 250_000_000 }),
        transport_socket_matches: vec![Default::default()],
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::StrictDns.into())),
        ..Cluster::default()
    };
    check(
        &cluster,
        expect![[r#"
        transport_socket_matches:
          - {}
        name: beta
        type: STRICT_DNS
        connect_timeout: 0.250s
    "#]],
    );
}

#[test]
fn what_has_presence_is_printed_even_when_it_is_zero() {
    let cluster = Cluster {
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Static.into())),
        per_connection_buffer_limit_bytes: Some(0),
        connect_timeout: Some(Duration::default()),
        lb_config: Some(LbConfig::RingHashLbConfig(RingHashLbConfig {
            minimum_ring_size: Some(18_446_744_073_709_551_615),
            ..RingHashLbConfig::default()
        })),
        ..Cluster::default()
    };
    check(
        &cluster,
        expect![[r#"
        type: STATIC
        connect_timeout: 0s
        per_connection_buffer_limit_bytes: 0
        ring_hash_lb_config:
          minimum_ring_size: "18446744073709551615"
    "#]],
    );
}

#[test]
fn an_any_shows_what_it_holds_at_every_depth() {
    let wasm = Wasm {
        config: Some(PluginConfig {
            name: "basic-auth".into(),
            configuration: Some(envoy::any(&String::from("{\n  \"realm\": \"shop\"\n}\n"))),
            ..PluginConfig::default()
        }),
    };
    let filter = envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter {
        name: "auth".into(),
        config_type: Some(
            envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType::TypedConfig(
                envoy::any(&wasm),
            ),
        ),
        ..Default::default()
    };
    let manager = HttpConnectionManager { http_filters: vec![filter], ..Default::default() };
    let listener = Listener {
        name: "inbound".into(),
        filter_chains: vec![FilterChain {
            filters: vec![Filter {
                name: "http".into(),
                config_type: Some(ConfigType::TypedConfig(envoy::any(&manager))),
            }],
            ..FilterChain::default()
        }],
        ..Listener::default()
    };
    check(
        &listener,
        expect![[r#"
        name: inbound
        filter_chains:
          - filters:
              - name: http
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  http_filters:
                    - name: auth
                      typed_config:
                        "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                        config:
                          name: basic-auth
                          configuration:
                            "@type": type.googleapis.com/google.protobuf.StringValue
                            value: |
                              {
                                "realm": "shop"
                              }
    "#]],
    );
}

#[test]
fn an_any_that_cannot_be_opened_is_shown_as_it_is_carried() {
    let any = Any { type_url: "type.googleapis.com/unknown.Type".into(), value: vec![1, 2, 3] };
    check(
        &any,
        expect![[r#"
        "@type": type.googleapis.com/unknown.Type
        value: AQID
    "#]],
    );
    check(
        &Any::default(),
        expect![[r#"
        {}
    "#]],
    );
}

#[test]
fn a_chain_of_anys_of_any_length_ends() {
    let mut any = envoy::any(&FileAccessLog { path: "/dev/stdout".into(), ..Default::default() });
    for _ in 0..2000 {
        any = envoy::any(&any);
    }
    assert!(envoy::to_yaml(&any).contains("@type"));
    assert!(envoy::to_json(&any).contains("@type"));
}

#[test]
fn a_message_deeper_than_readers_go_is_shown_as_its_bytes() {
    let mut value = text("deep");
    for _ in 0..200 {
        value = Value { kind: Some(Kind::ListValue(ListValue { values: vec![value] })) };
    }
    let printed = envoy::to_yaml(&metadata([("deep", value)]));
    assert!(printed.starts_with("\"@type\": type.googleapis.com/envoy.config.core.v3.Node\nvalue: "), "{printed}");
}

#[test]
fn free_form_metadata_is_native_and_sorted() {
    let number = |number| Value { kind: Some(Kind::NumberValue(number)) };
    let values = vec![number(1.0), number(-1.5), number(1e300), number(f64::NAN), number(9_007_199_254_740_993.0)];
    let nested = Struct { fields: BTreeMap::from([("b".into(), text("2")), ("a".into(), text("two"))]) };
    let node = metadata([
        ("z", Value { kind: Some(Kind::NullValue(0)) }),
        ("on", Value { kind: Some(Kind::BoolValue(true)) }),
        ("numbers", Value { kind: Some(Kind::ListValue(ListValue { values })) }),
        ("empty", Value { kind: Some(Kind::ListValue(ListValue::default())) }),
        ("nested", Value { kind: Some(Kind::StructValue(nested)) }),
        ("unset", Value { kind: None }),
    ]);
    check(
        &node,
        expect![[r#"
        metadata:
          empty: []
          nested:
            a: two
            b: "2"
          numbers:
            - 1
            - -1.5
            - 1.0e+300
            - "NaN"
            - 9007199254740992.0
          "on": true
          unset: null
          z: null
    "#]],
    );
}

#[test]
fn durations_have_as_many_decimals_as_they_need() {
    let shown = |seconds, nanos| envoy::to_json(&Duration { seconds, nanos }).trim().to_owned();
    assert_eq!(shown(15, 0), r#""15s""#);
    assert_eq!(shown(1, 500_000_000), r#""1.500s""#);
    assert_eq!(shown(0, 1_000), r#""0.000001s""#);
    assert_eq!(shown(0, 1), r#""0.000000001s""#);
    assert_eq!(shown(-1, -500_000_000), r#""-1.500s""#);
    assert_eq!(shown(i64::MIN, i32::MIN), r#""-9223372036854775810.147483648s""#);
}

#[test]
fn an_enum_without_a_name_is_a_number() {
    let percent = FractionalPercent { numerator: 3, denominator: 2 };
    check(
        &percent,
        expect![[r#"
        numerator: 3
        denominator: MILLION
    "#]],
    );
    check(
        &FractionalPercent { numerator: 0, denominator: 77 },
        expect![[r#"
        denominator: 77
    "#]],
    );
}

#[test]
fn lists_in_lists_and_empty_messages() {
    let list = |values| Value { kind: Some(Kind::ListValue(ListValue { values })) };
    let matrix = list(vec![list(vec![text("a"), text("b")]), list(vec![list(vec![])])]);
    check(
        &metadata([("matrix", matrix)]),
        expect![[r#"
        metadata:
          matrix:
            - - a
              - b
            - - []
    "#]],
    );
    let bootstrap = Bootstrap { static_resources: Some(StaticResources::default()), ..Bootstrap::default() };
    check(
        &bootstrap,
        expect![[r#"
        static_resources: {}
    "#]],
    );
    check(
        &Bootstrap::default(),
        expect![[r#"
        {}
    "#]],
    );
}

#[test]
fn a_message_takes_its_place_in_a_list() {
    let cluster = Cluster { name: "beta".into(), connect_timeout: Some(Duration::default()), ..Cluster::default() };
    let mut yaml = String::from("clusters:\n");
    for cluster in [cluster, Cluster::default()] {
        yaml.push_str("  - ");
        envoy::add_yaml(&cluster, 4, &mut yaml);
    }
    expect![[r#"
        clusters:
          - name: beta
            connect_timeout: 0s
          - {}
    "#]]
    .assert_eq(&yaml);
}

#[test]
fn an_any_whose_bytes_no_encoder_writes_stays_closed() {
    let shown = |bytes: &[u8]| {
        let any = Any { type_url: "type.googleapis.com/envoy.type.v3.FractionalPercent".into(), value: bytes.into() };
        let yaml = envoy::to_yaml(&any);
        yaml.split_once('\n').map(|(_, fields)| fields.to_owned()).unwrap_or_default()
    };
    assert_eq!(shown(&[8, 3]), "numerator: 3\n");
    assert_eq!(shown(&[8, 3, 0x7a, 1, 9]), "numerator: 3\n", "a field that nobody knows");
    assert_eq!(shown(&[8, 0]), "", "a default that was written");
    assert_eq!(shown(&[8, 3, 8, 4]), "value: CAMIBA==\n", "one value twice");
    assert_eq!(shown(&[8]), "value: CA==\n", "cut off");
    assert_eq!(shown(&[10, 0]), "value: CgA=\n", "of another type");
}
